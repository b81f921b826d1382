"""The administration pages of *register*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.register import models


@admin.register(models.Facility)
class FacilityAdmin(ReadOnly):
    list_display = ("name", "name_zh", "organisation", "time_zone", "contact_email")
    search_fields = ("name", "name_zh", "organisation__code", "organisation__name")


@admin.register(models.Instrument)
class InstrumentAdmin(ReadOnly):
    list_display = ("name", "name_zh", "organisation", "region", "publication", "updated_at")
    list_filter = ("publication", "kind", "source")
    search_fields = ("name", "name_zh", "model", "identifier", "source_key")
