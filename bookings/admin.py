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


@admin.register(models.UnmetDemand)
class UnmetDemandAdmin(Large):
    list_display = ("created_at", "kind", "instrument", "organisation", "minutes", "wanted_from")
    list_select_related = ("instrument", "organisation")
    list_filter = ("kind",)


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
