"""The administration pages of *house_rules*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.house_rules import models


@admin.register(models.HouseRules)
class HouseRulesAdmin(ReadOnly):
    list_display = ("instrument", "facility", "version", "valid_from", "made_by")
    search_fields = ("instrument__name", "facility__name")


@admin.register(models.HouseRulesAcceptance)
class HouseRulesAcceptanceAdmin(ReadOnly):
    list_display = ("user", "rules", "accepted_at", "means", "recorded_by")
    search_fields = ("user__email",)
