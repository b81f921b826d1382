"""Alarms of instruments that lie idle, late or unshared, and the thresholds of the rule."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Choice, Day, Instant, Shape, Text, Whole
from accounts.models import Region
from accounts.selectors.rows import visible
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.board.selectors.alarms import alarm_by_id, alarms_for, entered_thresholds
from bookings.board.services.alarms import alarm_answer, threshold_add


class AlarmFiguresShape(serializers.Serializer[Any]):
    """What was known when the job last looked. Minutes are of the months from `since` to `until`,
    that day not included."""

    accepted_on = serializers.CharField(allow_null=True)
    used_on = serializers.CharField(allow_null=True, help_text="The last session.")
    productive_minutes = serializers.IntegerField()
    external_minutes = serializers.IntegerField(help_text="Of them by other organisations.")
    norm_minutes = serializers.IntegerField()
    open_days = serializers.IntegerField(help_text="Without a session, up to the threshold.")
    asked = serializers.IntegerField(help_text="Requests in vain within reach.")
    since = serializers.CharField()
    until = serializers.CharField()


class AlarmShape(serializers.Serializer[Any]):
    """An instrument gives cause for an alarm, which its owner answers."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    instrument_name = serializers.CharField(source="instrument.name")
    host = serializers.CharField(source="instrument.organisation.code")
    region = serializers.CharField(source="instrument.region.code")
    kind = serializers.ChoiceField(IdleAlarm.Kind.choices)
    state = serializers.ChoiceField(IdleAlarm.State.choices)
    figures = AlarmFiguresShape()
    raised_at = Instant()
    asked_at = Instant(help_text="Since when an answer is awaited.")
    reason = serializers.CharField()
    note = serializers.CharField()
    due_date = serializers.DateField(allow_null=True)
    is_contradicted = serializers.BooleanField(help_text="The hours contradict the reason.")
    answered_at = Instant(allow_null=True)
    risen_at = Instant(allow_null=True)
    cleared_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class AlarmAnswerBody(Shape):
    reason = Choice(IdleAlarm.Reason.choices)
    due_date = Day(help_text="Until when it is put right: within a year.")
    note = Text(1000, default="", allow_blank=True, help_text="Needed with `other`.")


class AlarmQuery(Pages):
    kind = Choice(IdleAlarm.Kind.choices, required=False)
    state = Choice(IdleAlarm.State.choices, required=False)


class Alarms(Resource):
    at, key, name, many, tag = "alarms/", "alarm_id", "alarm", "alarms", "statistics"
    shape, needs_person, order = AlarmShape, True, ("asked_at", "id")
    write_scope = "manage"

    def visible(self, pk: UUID) -> IdleAlarm:
        return alarm_by_id(self.actor, pk)

    @lists(_("Alarms"), AlarmQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[IdleAlarm]:
        """Of instruments you manage, and of regions that you coordinate or audit, the longest
        awaited first."""
        names = {name: query[name] for name in ("kind", "state") if name in query}
        return alarms_for(self.actor).filter(**names)

    @reads(_("One alarm"))
    def detail(self, pk: UUID) -> None:
        """For the owner's managers, and the region's coordinators and auditors."""

    @acts(
        _("Answer an alarm"),
        AlarmAnswerBody,
        refuses=[403, 404, 409],
        sends={"reason": "repair", "due_date": "2026-05-01"},
    )
    def answer(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """By the owner's managers; another answer replaces it."""
        return alarm_answer(self.by, alarm_id=pk, **data).pk


class ThresholdShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    region = serializers.CharField(source="region.code", allow_null=True, help_text="Null: all.")
    parameter = serializers.ChoiceField(AlarmThreshold.Parameter.choices)
    value = serializers.IntegerField()
    valid_from = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    entered_at = Instant()


class ThresholdBody(Shape):
    region = Text(40, required=False, allow_null=True, help_text="A code; null: all regions.")
    parameter = Choice(AlarmThreshold.Parameter.choices)
    value = Whole(min_value=0, max_value=10_000)
    valid_from = Day(help_text="Today or later.")
    source = Text(500, help_text="Where it is laid down.")  # type: ignore[assignment]


class AlarmThresholds(Resource):
    at, key, name, many = (
        "alarms/thresholds/",
        "threshold_id",
        "alarm_threshold",
        "alarm_thresholds",
    )
    tag, shape, order = "statistics", ThresholdShape, ("-valid_from", "-entered_at", "id")
    needs_person, write_scope = True, "manage"

    def visible(self, pk: UUID) -> AlarmThreshold:
        return visible(entered_thresholds(), pk=pk)

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Thresholds of alarms"))
    def rows(self, query: dict[str, Any]) -> QuerySet[AlarmThreshold]:
        """Those that were entered, the newest first; docs/alarms.md says what holds before."""
        return entered_thresholds()

    @creates(
        _("Enter a threshold of alarms"),
        ThresholdBody,
        refuses=[403],
        sends={
            "region": "CN-AH",
            "parameter": "idle_percent",
            "value": 15,
            "valid_from": "2027-01-01",
            "source": "Circular 12",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """What holds from a day on: by the region's coordinator, for all by an administrator."""
        code = data.pop("region", None)
        find = lambda: visible(Region.objects.filter(shares=True), code=code)  # noqa: E731
        region = named("region", find) if code else None
        return threshold_add(self.by, region=region, **data).pk
