from django.contrib import admin

from accounts.admin import Large
from bookings.catalogue.models import UnmetDemand


@admin.register(UnmetDemand)
class UnmetDemandAdmin(Large):
    list_display = ("created_at", "kind", "instrument", "organisation", "minutes", "wanted_from")
    list_filter = ("kind",)
