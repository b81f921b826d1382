from django.contrib import admin

from accounts.admin import Large
from bookings.record.models import Reservation, UsageSession


@admin.register(Reservation)
class ReservationAdmin(Large):
    list_display = ("start_at", "end_at", "instrument", "state", "user", "organisation")
    list_filter = ("state", "service_mode")
    ordering = ("-start_at",)
    search_fields = ("=id",)
    search_named = {"instrument": "name", "user": "email", "organisation": "code"}


@admin.register(UsageSession)
class UsageSessionAdmin(Large):
    list_display = ("instrument", "checked_in_at", "checked_out_at", "is_assumed", "reservation")
    search_fields = ("=reservation",)
    search_named = {"instrument": "name"}
