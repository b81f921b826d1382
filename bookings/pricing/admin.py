from django.contrib import admin

from accounts.admin import Large
from bookings.pricing.models import Charge, Quote


@admin.register(Quote)
class QuoteAdmin(Large):
    list_display = ("created_at", "reservation", "is_current", "currency", "total", "payable")
    search_fields = ("=reservation",)


@admin.register(Charge)
class ChargeAdmin(Large):
    list_display = ("created_at", "reservation", "enrolment", "kind", "currency", "total", "payable")
    list_filter = ("kind",)
    ordering = ("-created_at",)
    search_fields = ("=reservation",)
