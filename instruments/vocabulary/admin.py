"""The administration pages of *vocabulary*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.vocabulary import models


@admin.register(models.Technique)
class TechniqueAdmin(ReadOnly):
    list_display = ("scheme", "code", "name", "name_zh")
    list_filter = ("scheme",)
    search_fields = ("code", "name", "name_zh")
