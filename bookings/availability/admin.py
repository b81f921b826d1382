from django.contrib import admin

from accounts.admin import Large, ReadOnly
from bookings.availability.models import Closure, Occupancy


@admin.register(Occupancy)
class OccupancyAdmin(Large):
    list_display = ("instrument", "unit", "span", "reservation", "closure", "expires_at")
    search_fields = ("=reservation", "=closure")
    search_named = {"instrument": "name"}


@admin.register(Closure)
class ClosureAdmin(ReadOnly):
    list_display = ("instrument", "kind", "start_at", "end_at", "created_by")
    list_filter = ("kind",)
    ordering = ("-start_at",)
    search_fields = ("instrument__name", "reason")
