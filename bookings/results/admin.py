from django.contrib import admin

from accounts.admin import Large, ReadOnly
from bookings.results.models import CollectLink, HandOff, HostStorage, Receipt


@admin.register(HandOff)
class HandOffAdmin(Large):
    list_display = ("created_at", "reservation", "host", "state", "due_at", "retain_until")
    list_filter = ("state",)
    ordering = ("-created_at",)
    search_fields = ("=id", "=reservation")
    search_named = {"host": "code"}


@admin.register(HostStorage)
class HostStorageAdmin(ReadOnly):
    list_display = ("organisation", "reserved", "quota")
    search_fields = ("organisation__code",)


@admin.register(CollectLink)
class CollectLinkAdmin(Large):
    list_display = ("created_at", "hand_off", "label", "created_by", "expires_at", "revoked_at")
    exclude = ("digest",)
    ordering = ("-created_at",)
    search_fields = ("=hand_off",)


@admin.register(Receipt)
class ReceiptAdmin(Large):
    list_display = ("started_at", "hand_off", "path", "way", "user", "link", "completed_at")
    list_filter = ("way",)
    search_fields = ("=hand_off",)
