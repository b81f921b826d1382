"""The administration pages of bookings: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import Large, ReadOnly
from bookings import models


@admin.register(models.Reservation)
class ReservationAdmin(Large):
    list_display = ("start_at", "end_at", "instrument", "state", "user", "organisation")
    list_select_related = ("instrument", "user", "organisation")
    list_filter = ("state", "service_mode")
    ordering = ("-start_at",)
    search_fields = ("=id",)
    search_named = {"instrument": "name", "user": "email", "organisation": "code"}


@admin.register(models.SampleItem)
class SampleItemAdmin(Large):
    list_display = ("code", "name", "state", "user", "organisation", "created_at")
    list_select_related = ("user", "organisation")
    list_filter = ("state",)
    search_fields = ("^code",)
    search_named = {"user": "email", "organisation": "code"}


@admin.register(models.Occupancy)
class OccupancyAdmin(Large):
    list_display = ("instrument", "unit", "span", "reservation", "closure", "expires_at")
    list_select_related = ("instrument", "reservation", "closure")
    search_fields = ("=reservation", "=closure")
    search_named = {"instrument": "name"}


@admin.register(models.Closure)
class ClosureAdmin(ReadOnly):
    list_display = ("instrument", "kind", "start_at", "end_at", "created_by")
    list_select_related = ("instrument", "created_by")
    list_filter = ("kind",)
    ordering = ("-start_at",)
    search_fields = ("instrument__name", "reason")


@admin.register(models.UsageSession)
class UsageSessionAdmin(Large):
    list_display = ("instrument", "checked_in_at", "checked_out_at", "is_assumed", "reservation")
    list_select_related = ("instrument", "reservation")
    search_fields = ("=reservation",)
    search_named = {"instrument": "name"}


@admin.register(models.FaultReport)
class FaultReportAdmin(ReadOnly):
    list_display = ("created_at", "instrument", "severity", "state", "decided_at", "closure")
    list_select_related = ("instrument", "closure")
    list_filter = ("state", "severity")
    ordering = ("-created_at",)
    search_fields = ("instrument__name",)


@admin.register(models.Kiosk)
class KioskAdmin(ReadOnly):
    list_display = ("name", "organisation", "created_at", "enrolled_at", "expires_at", "revoked_at")
    list_select_related = ("organisation",)
    ordering = ("-created_at",)
    search_fields = ("name", "organisation__code")
    exclude = ("digest", "enrol_digest")


@admin.register(models.Quote)
class QuoteAdmin(Large):
    list_display = ("created_at", "reservation", "is_current", "currency", "total", "payable")
    list_select_related = ("reservation",)
    search_fields = ("=reservation",)


@admin.register(models.Charge)
class ChargeAdmin(Large):
    list_display = ("created_at", "reservation", "kind", "currency", "total", "payable")
    list_select_related = ("reservation",)
    list_filter = ("kind",)
    ordering = ("-created_at",)
    search_fields = ("=reservation",)


@admin.register(models.HandOff)
class HandOffAdmin(Large):
    list_display = ("created_at", "reservation", "host", "state", "due_at", "retain_until")
    list_select_related = ("reservation", "host")
    list_filter = ("state",)
    ordering = ("-created_at",)
    search_fields = ("=id", "=reservation")
    search_named = {"host": "code"}


@admin.register(models.HostStorage)
class HostStorageAdmin(ReadOnly):
    list_display = ("organisation", "reserved", "quota")
    list_select_related = ("organisation",)
    search_fields = ("organisation__code",)


@admin.register(models.UnmetDemand)
class UnmetDemandAdmin(Large):
    list_display = ("created_at", "kind", "instrument", "organisation", "minutes", "wanted_from")
    list_select_related = ("instrument", "organisation")
    list_filter = ("kind",)


@admin.register(models.CollectLink)
class CollectLinkAdmin(Large):
    list_display = ("created_at", "hand_off", "label", "created_by", "expires_at", "revoked_at")
    list_select_related = ("hand_off", "created_by")
    exclude = ("digest",)
    ordering = ("-created_at",)
    search_fields = ("=hand_off",)


@admin.register(models.Receipt)
class ReceiptAdmin(Large):
    list_display = ("started_at", "hand_off", "path", "way", "user", "link", "completed_at")
    list_select_related = ("hand_off", "user", "link")
    list_filter = ("way",)
    search_fields = ("=hand_off",)


@admin.register(models.Questionnaire)
class QuestionnaireAdmin(ReadOnly):
    list_display = ("instrument", "moment", "version", "valid_from", "made_by")
    list_select_related = ("instrument", "made_by")
    list_filter = ("moment",)
    search_fields = ("instrument__name",)


@admin.register(models.AnswerSheet)
class AnswerSheetAdmin(Large):
    list_display = ("created_at", "reservation", "moment", "state", "answered_by")
    list_select_related = ("reservation", "answered_by")
    list_filter = ("state", "moment")
    search_fields = ("=reservation",)


@admin.register(models.Meter)
class MeterAdmin(ReadOnly):
    list_display = ("instrument", "name", "unit", "is_monotone", "is_hours")
    list_select_related = ("instrument",)
    search_fields = ("instrument__name", "name")


@admin.register(models.MeterReading)
class MeterReadingAdmin(Large):
    list_display = ("read_at", "meter", "value", "entered_by", "reset_reason")
    list_select_related = ("meter", "entered_by")
    search_fields = ("=meter",)


@admin.register(models.MaintenanceCounter)
class MaintenanceCounterAdmin(ReadOnly):
    list_display = ("name", "meter", "limit", "warn_percent", "action", "is_active")
    list_select_related = ("meter",)
    search_fields = ("name", "meter__instrument__name")


@admin.register(models.CounterCycle)
class CounterCycleAdmin(ReadOnly):
    list_display = ("counter", "started_at", "warned_at", "reached_at", "ended_at", "ended_by")
    list_select_related = ("counter", "ended_by")
    search_fields = ("counter__name",)
