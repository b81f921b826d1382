from django.contrib import admin

from accounts.admin import ReadOnly
from bookings.usage.models import FaultReport, Kiosk


@admin.register(FaultReport)
class FaultReportAdmin(ReadOnly):
    list_display = ("created_at", "instrument", "severity", "state", "decided_at", "closure")
    list_filter = ("state", "severity")
    ordering = ("-created_at",)
    search_fields = ("instrument__name",)


@admin.register(Kiosk)
class KioskAdmin(ReadOnly):
    list_display = ("name", "organisation", "created_at", "enrolled_at", "expires_at", "revoked_at")
    ordering = ("-created_at",)
    search_fields = ("name", "organisation__code")
    exclude = ("digest", "enrol_digest")
