"""Alarms about instruments that are idle, late or unshared, and the thresholds of the rule."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Instant
from accounts.models import Region
from accounts.selectors.rows import visible
from bookings.board.forms.alarms import AlarmAnswerBody, AlarmAnswerForm, ThresholdBody
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.board.selectors.alarms import ALARMS, alarm_by_id, entered_thresholds
from bookings.board.services.alarms import alarm_answer, threshold_add
from bookings.record.api.lists import listed


class AlarmFiguresShape(serializers.Serializer[Any]):
    """The figures when the job last looked. Minutes cover the months from `since` to before `until`."""

    accepted_on = serializers.CharField(allow_null=True)
    used_on = serializers.CharField(allow_null=True, help_text="Day of the last session.")
    productive_minutes = serializers.IntegerField()
    external_minutes = serializers.IntegerField(
        help_text="The part of `productive_minutes` used by other organisations."
    )
    norm_minutes = serializers.IntegerField()
    open_days = serializers.IntegerField(
        help_text="Days with opening hours but no session, counted up to the threshold."
    )
    asked = serializers.IntegerField(help_text="Requests from organisations within reach that found no time.")
    since = serializers.CharField()
    until = serializers.CharField()


class AlarmShape(serializers.Serializer[Any]):
    """An alarm about an instrument, which its owner answers."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    instrument_name = serializers.CharField(source="instrument.name")
    host = serializers.CharField(source="instrument.organisation.code")
    region = serializers.CharField(source="instrument.region.code")
    kind = serializers.ChoiceField(IdleAlarm.Kind.choices)
    state = serializers.ChoiceField(IdleAlarm.State.choices)
    figures = AlarmFiguresShape()
    raised_at = Instant()
    asked_at = Instant(help_text="When the owner was last asked for an answer.")
    reason = serializers.CharField()
    note = serializers.CharField()
    due_date = serializers.DateField(allow_null=True)
    is_contradicted = serializers.BooleanField(help_text="Whether the hours contradict the owner's reason.")
    answered_at = Instant(allow_null=True)
    risen_at = Instant(allow_null=True)
    cleared_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class Alarms(Resource):
    at, key, name, many, tag = "alarms/", "alarm_id", "alarm", "alarms", "statistics"
    shape, needs_person, order = AlarmShape, True, ("asked_at", "id")
    write_scope = "manage"

    def visible(self, pk: UUID) -> IdleAlarm:
        return alarm_by_id(self.actor, pk)

    @listed(_("Alarms"), ALARMS)
    def rows(self, query: dict[str, Any]) -> QuerySet[IdleAlarm]:
        """List the alarms about instruments you manage, and in regions that you coordinate or audit, the
        longest unanswered first."""
        return ALARMS.rows(self.actor)

    @reads(_("An alarm"))
    def detail(self, pk: UUID) -> None:
        """Return an alarm. The owner's managers, and the region's coordinators and auditors, may read it."""

    @OnPage("bookings:alarm", done=_("Answered."), form=AlarmAnswerForm)
    @acts(
        _("Answer an alarm"),
        AlarmAnswerBody,
        refuses=[403, 404, 409],
        sends={"reason": "repair", "due_date": "2026-05-01"},
    )
    def answer(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Answer an alarm. Only the owner's managers may do this. A new answer replaces the previous one."""
        return alarm_answer(self.by, alarm_id=pk, **data).pk


class ThresholdShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    region = serializers.CharField(
        source="region.code", allow_null=True, help_text="Code of the region. Null: all regions."
    )
    parameter = serializers.ChoiceField(AlarmThreshold.Parameter.choices)
    value = serializers.IntegerField()
    valid_from = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    entered_at = Instant()


class AlarmThresholds(Resource):
    at, key, name, many = ("alarms/thresholds/", "threshold_id", "alarm_threshold", "alarm_thresholds")
    tag, shape, order = "statistics", ThresholdShape, ("-valid_from", "-entered_at", "id")
    needs_person, write_scope = True, "manage"

    def visible(self, pk: UUID) -> AlarmThreshold:
        return visible(entered_thresholds(), pk=pk)

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Alarm thresholds"))
    def rows(self, query: dict[str, Any]) -> QuerySet[AlarmThreshold]:
        """List the thresholds that were entered, newest first. docs/alarms.md gives the defaults."""
        return entered_thresholds()

    @creates(
        _("Enter an alarm threshold"),
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
        """Enter a threshold that holds from a given day on: coordinators for their region, administrators
        also for all regions."""
        code = data.pop("region", None)
        find = lambda: visible(Region.objects.filter(shares=True), code=code)  # noqa: E731
        region = named("region", find) if code else None
        return threshold_add(self.by, region=region, **data).pk
