"""The administration pages of *policy*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.policy import models


@admin.register(models.BookingPolicy)
class BookingPolicyAdmin(ReadOnly):
    list_display = ("instrument", "slot_minutes", "approval", "units", "version")
    list_filter = ("approval",)
    search_fields = ("instrument__name",)


@admin.register(models.PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = ("instrument", "version", "valid_from", "made_by")
    search_fields = ("instrument__name",)
