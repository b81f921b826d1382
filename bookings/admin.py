"""The administration pages of bookings: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from bookings import models


@admin.register(models.Reservation)
class ReservationAdmin(ReadOnly):
    list_display = ("start_at", "end_at", "instrument", "state", "user", "organisation")
    list_select_related = ("instrument", "user", "organisation")
    list_filter = ("state", "price_group", "service_mode")
    ordering = ("-start_at",)
    search_fields = ("=id", "instrument__name", "user__email", "organisation__code")


@admin.register(models.Occupancy)
class OccupancyAdmin(ReadOnly):
    list_display = ("instrument", "unit", "span", "reservation", "closure", "expires_at")
    list_select_related = ("instrument", "reservation", "closure")
    search_fields = ("=reservation__id", "=closure__id", "instrument__name")


@admin.register(models.Closure)
class ClosureAdmin(ReadOnly):
    list_display = ("instrument", "kind", "start_at", "end_at", "created_by")
    list_select_related = ("instrument", "created_by")
    list_filter = ("kind",)
    ordering = ("-start_at",)
    search_fields = ("instrument__name", "reason")


@admin.register(models.UsageSession)
class UsageSessionAdmin(ReadOnly):
    list_display = ("instrument", "checked_in_at", "checked_out_at", "is_assumed", "reservation")
    list_select_related = ("instrument", "reservation")
    ordering = ("-checked_in_at",)
    search_fields = ("=reservation__id", "instrument__name")


@admin.register(models.Quote)
class QuoteAdmin(ReadOnly):
    list_display = ("created_at", "reservation", "is_current", "currency", "total", "payable")
    list_select_related = ("reservation",)
    ordering = ("-created_at",)
    search_fields = ("=reservation__id",)


@admin.register(models.Charge)
class ChargeAdmin(ReadOnly):
    list_display = ("created_at", "reservation", "kind", "currency", "total", "payable")
    list_select_related = ("reservation",)
    list_filter = ("kind", "currency")
    ordering = ("-created_at",)
    search_fields = ("=reservation__id",)


@admin.register(models.UnmetDemand)
class UnmetDemandAdmin(ReadOnly):
    list_display = ("created_at", "kind", "instrument", "organisation", "minutes", "wanted_from")
    list_select_related = ("instrument", "organisation")
    list_filter = ("kind",)
    ordering = ("-created_at",)
