"""The administration pages of *training*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.training import models


@admin.register(models.Qualification)
class QualificationAdmin(ReadOnly):
    list_display = ("user", "instrument", "technique", "issuer", "valid_from", "valid_until")
    search_fields = ("user__email", "user__name", "instrument__name", "technique__code")
