"""The administration pages of *opening*: for looking, not for changing (accounts/admin.py)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from instruments.opening import models


@admin.register(models.Schedule)
class ScheduleAdmin(ReadOnly):
    list_display = ("digest", "time_zone", "holiday_calendar", "resolved_from", "resolved_until")
    search_fields = ("digest",)


@admin.register(models.ScheduleAssignment)
class ScheduleAssignmentAdmin(ReadOnly):
    list_display = ("instrument", "schedule", "units", "from_date", "until_date")
    search_fields = ("instrument__name",)
