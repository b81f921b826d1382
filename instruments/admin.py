"""The administration pages of instruments: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments import models


@admin.register(models.Facility)
class FacilityAdmin(ReadOnly):
    list_display = ("name", "name_zh", "organisation", "time_zone", "contact_email")
    list_select_related = ("organisation",)
    search_fields = ("name", "name_zh", "organisation__code", "organisation__name")


@admin.register(models.Instrument)
class InstrumentAdmin(ReadOnly):
    list_display = ("name", "name_zh", "organisation", "region", "publication", "updated_at")
    list_select_related = ("organisation", "region")
    list_filter = ("publication", "kind", "source")
    search_fields = ("name", "name_zh", "model", "identifier", "source_key")


@admin.register(models.Technique)
class TechniqueAdmin(ReadOnly):
    list_display = ("scheme", "code", "name", "name_zh")
    list_filter = ("scheme",)
    search_fields = ("code", "name", "name_zh")


@admin.register(models.Schedule)
class ScheduleAdmin(ReadOnly):
    list_display = ("digest", "time_zone", "holiday_calendar", "resolved_from", "resolved_until")
    search_fields = ("digest",)


@admin.register(models.ScheduleAssignment)
class ScheduleAssignmentAdmin(ReadOnly):
    list_display = ("instrument", "schedule", "units", "from_date", "until_date")
    list_select_related = ("instrument", "schedule")
    search_fields = ("instrument__name",)


@admin.register(models.BookingPolicy)
class BookingPolicyAdmin(ReadOnly):
    list_display = ("instrument", "slot_minutes", "approval", "units", "version")
    list_select_related = ("instrument",)
    list_filter = ("approval",)
    search_fields = ("instrument__name",)


@admin.register(models.PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = ("instrument", "version", "valid_from", "made_by")
    list_select_related = ("instrument", "made_by")
    search_fields = ("instrument__name",)


@admin.register(models.Qualification)
class QualificationAdmin(ReadOnly):
    list_display = ("user", "instrument", "technique", "issuer", "valid_from", "valid_until")
    list_select_related = ("user", "instrument", "technique", "issuer")
    search_fields = ("user__email", "user__name", "instrument__name", "technique__code")


@admin.register(models.RateCard)
class RateCardAdmin(ReadOnly):
    list_display = (
        "instrument",
        "version",
        "currency",
        "valid_from",
        "valid_until",
        "published_at",
    )
    list_select_related = ("instrument",)
    list_filter = ("currency",)
    search_fields = ("instrument__name",)


@admin.register(models.HouseRules)
class HouseRulesAdmin(ReadOnly):
    list_display = ("instrument", "facility", "version", "valid_from", "made_by")
    list_select_related = ("instrument", "facility", "made_by")
    search_fields = ("instrument__name", "facility__name")


@admin.register(models.HouseRulesAcceptance)
class HouseRulesAcceptanceAdmin(ReadOnly):
    list_display = ("user", "rules", "accepted_at")
    list_select_related = ("user", "rules")
    search_fields = ("user__email",)
