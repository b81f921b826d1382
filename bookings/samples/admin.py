from django.contrib import admin

from accounts.admin import Large
from bookings.samples.models import SampleItem


@admin.register(SampleItem)
class SampleItemAdmin(Large):
    list_display = ("code", "name", "state", "user", "organisation", "created_at")
    list_filter = ("state",)
    search_fields = ("^code",)
    search_named = {"user": "email", "organisation": "code"}
