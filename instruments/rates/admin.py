"""The administration pages of *rates*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.rates import models


@admin.register(models.RateCard)
class RateCardAdmin(ReadOnly):
    list_display = ("instrument", "version", "currency", "valid_from", "valid_until", "published_at")
    list_filter = ("currency",)
    search_fields = ("instrument__name",)
