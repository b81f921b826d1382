from django.contrib import admin

from accounts.admin import Large, ReadOnly
from bookings.questions.models import (
    AnswerSheet,
    CounterCycle,
    MaintenanceCounter,
    Meter,
    MeterReading,
    Questionnaire,
)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnly):
    list_display = ("instrument", "moment", "version", "valid_from", "made_by")
    list_filter = ("moment",)
    search_fields = ("instrument__name",)


@admin.register(AnswerSheet)
class AnswerSheetAdmin(Large):
    list_display = ("created_at", "reservation", "moment", "state", "answered_by")
    list_filter = ("state", "moment")
    search_fields = ("=reservation",)


@admin.register(Meter)
class MeterAdmin(ReadOnly):
    list_display = ("instrument", "name", "unit", "is_monotone", "is_hours")
    search_fields = ("instrument__name", "name")


@admin.register(MeterReading)
class MeterReadingAdmin(Large):
    list_display = ("read_at", "meter", "value", "entered_by", "reset_reason")
    search_fields = ("=meter",)


@admin.register(MaintenanceCounter)
class MaintenanceCounterAdmin(ReadOnly):
    list_display = ("name", "meter", "limit", "warn_percent", "action", "is_active")
    search_fields = ("name", "meter__instrument__name")


@admin.register(CounterCycle)
class CounterCycleAdmin(ReadOnly):
    list_display = ("counter", "started_at", "warned_at", "reached_at", "ended_at", "ended_by")
    search_fields = ("counter__name",)
