"""Meters of instruments, readings, and maintenance counters."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, parts, removes, tells
from accounts.api.shapes import Choice, Flag, Instant, Number, Shape, Text, Whole
from bookings.questions.domain.meters import STANDINGS
from bookings.questions.models import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.questions.selectors.meters import (
    counter_to_manage,
    load_due,
    meter_to_manage,
    meters_of,
    open_cycles,
    reading_to_manage,
    readings_of,
)
from bookings.questions.services.meters import (
    counter_add,
    counter_done,
    counter_retire,
    meter_add,
    meter_read,
    reading_correct,
)
from instruments.api.registry import InstrumentResource
from instruments.selectors.managing import instrument_to_manage


class MeterShape(serializers.Serializer[Any]):
    """`is_hours`: the hours of use, counted from the sessions and never read."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    is_monotone = serializers.BooleanField(help_text="It only goes up.")
    is_hours = serializers.BooleanField()


class ReadingShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    value = serializers.CharField()
    read_at = Instant()
    reset_reason = serializers.CharField(help_text="Why it counts from this value on.")
    correction_reason = serializers.CharField(help_text="Why the host has put it right.")


class CounterShape(serializers.Serializer[Any]):
    """A maintenance counter in its present cycle: `used` of its limit, in the unit of its meter."""

    id = serializers.UUIDField(source="cycle.counter.id")
    meter = serializers.UUIDField(source="cycle.counter.meter_id")
    name = serializers.CharField(source="cycle.counter.name")
    name_zh = serializers.CharField(source="cycle.counter.name_zh")
    limit = serializers.CharField(source="cycle.counter.limit")
    warn_percent = serializers.IntegerField(source="cycle.counter.warn_percent")
    action = serializers.CharField(source="cycle.counter.action")
    since = Instant(source="cycle.started_at")
    used = serializers.CharField()
    standing = serializers.ChoiceField(STANDINGS)
    warned_at = Instant(source="cycle.warned_at", allow_null=True)
    reached_at = Instant(source="cycle.reached_at", allow_null=True)
    closure = serializers.UUIDField(source="cycle.closure_id", allow_null=True)
    version = serializers.IntegerField(source="cycle.counter.version")


class MetersShape(serializers.Serializer[Any]):
    meters = MeterShape(many=True)
    counters = CounterShape(many=True)


class MeterBody(Shape):
    name = Text(120)
    name_zh = Text(120, default="", allow_blank=True)
    unit = Text(20, default="", allow_blank=True)
    is_monotone = Flag(default=True, help_text="It only goes up.")


class ReadingBody(Shape):
    value = Number(16, 4)
    reset_reason = Text(
        500, default="", allow_blank=True, help_text="It was replaced or set back: why."
    )


class ReadingCorrectionBody(Shape):
    value = Number(16, 4)
    reason = Text(500)


class CounterBody(Shape):
    meter = serializers.UUIDField(
        required=False, allow_null=True, help_text="Unless named: the hours of use."
    )
    name = Text(120)
    name_zh = Text(120, default="", allow_blank=True)
    limit = Number(16, 4)
    warn_percent = Whole(default=90, min_value=1, max_value=100)
    action = Choice(MaintenanceCounter.Action.choices, default="warn")
    since = Instant(required=False, allow_null=True, help_text="When it was last done.")


class DoneBody(Shape):
    note = Text(500, default="", allow_blank=True)


class CycleShape(serializers.Serializer[Any]):
    """From one maintenance to the next."""

    started_at = Instant()
    warned_at = Instant(allow_null=True)
    reached_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    note = serializers.CharField()


class InstrumentMeters(InstrumentResource):
    @tells(
        _("Meters and maintenance counters"), MetersShape, below="meters", address="api-meters",
        named="meters", refuses=[403, 404],
    )  # fmt: skip
    def meters(self, pk: UUID) -> dict[str, Any]:
        """For the host's managers."""
        instrument = instrument_to_manage(self.actor, pk)
        return {
            "meters": meters_of(instrument), "counters": load_due(list(open_cycles([pk])))
        }  # fmt: skip

    @acts(
        _("Add a meter"), MeterBody, below="meters", gives=MeterShape, named="meter_add",
        status=201, versioned=False, refuses=[403, 404],
        sends={"name": "Filament hours", "name_zh": "灯丝时间", "unit": "h"},
    )  # fmt: skip
    def add_meter(self, pk: UUID, data: dict[str, Any]) -> Meter:
        """For the host's managers."""
        instrument_to_manage(self.actor, pk)
        return meter_add(self.by, instrument_id=pk, **data)

    @acts(
        _("Add a maintenance counter"), CounterBody, below="counters", gives=CounterShape,
        address="api-counters", named="counter_add", status=201, versioned=False,
        refuses=[403, 404], sends={"name": "Tip", "name_zh": "针尖", "limit": "500"},
    )  # fmt: skip
    def add_counter(self, pk: UUID, data: dict[str, Any]) -> Any:
        """For the host's managers: they are told at `warn_percent` of the limit and at the limit,
        when the instrument is closed if `action` is `close`."""
        instrument_to_manage(self.actor, pk)
        counter = counter_add(self.by, instrument_id=pk, **{"meter": None, **data})
        return load_due(list(open_cycles([pk]).filter(counter=counter)))[0]


class Meters(Resource):
    at, key, tag = "meters/", "meter_id", "instruments"
    name, many, shape = "meter", "meters", MeterShape

    def visible(self, pk: UUID) -> Meter:
        return meter_to_manage(self.actor, pk)

    @parts(_("Readings of a meter"), ReadingShape, refuses=[403, 404], order=("-read_at", "-id"))
    def readings(self, pk: UUID, query: Pages) -> QuerySet[MeterReading]:
        """For the host's managers, the latest first."""
        return readings_of(self.visible(pk))

    @acts(
        _("Enter a reading"), ReadingBody, below="readings", gives=ReadingShape,
        named="_reading_add", status=201, versioned=False, refuses=[403, 404, 409],
        sends={"value": "1204.5"},
    )  # fmt: skip
    def read(self, pk: UUID, data: dict[str, Any]) -> MeterReading:
        """For the host's managers. Below the last reading of a meter that only goes up, and beyond
        what it can show by now, it needs `reset_reason`."""
        self.visible(pk)
        return meter_read(self.by, meter_id=pk, **data)


class Readings(Resource):
    at, key, tag = "meter-readings/", "reading_id", "instruments"
    name, many, shape = "meter_reading", "meter_readings", ReadingShape

    def visible(self, pk: UUID) -> MeterReading:
        return reading_to_manage(self.actor, pk)

    @acts(
        _("Correct a reading"), ReadingCorrectionBody, gives=ReadingShape, versioned=False,
        refuses=[403, 404], sends={"value": "1204.5", "reason": "A point was left out."},
    )  # fmt: skip
    def correct(self, pk: UUID, data: dict[str, Any]) -> MeterReading:
        """For the host's managers. Counters count anew; a closure that it caused stays until
        somebody ends it."""
        self.visible(pk)
        return reading_correct(self.by, reading_id=pk, **data)


class Counters(Resource):
    at, key, tag = "counters/", "counter_id", "instruments"
    name, many, shape = "counter", "counters", CycleShape

    def visible(self, pk: UUID) -> MaintenanceCounter:
        return counter_to_manage(self.actor, pk)

    @acts(
        _("Maintenance done"), DoneBody, gives=CycleShape, refuses=[403, 404, 409],
        sends={"note": "New tip, calibrated."},
    )  # fmt: skip
    def done(self, pk: UUID, data: dict[str, Any]) -> CounterCycle:
        """It counts anew from now on. For the host's managers."""
        self.visible(pk)
        return counter_done(self.by, counter_id=pk, **data)

    @removes(_("Count no longer"), refuses=[403, 404, 409])
    def retire(self, pk: UUID) -> None:
        """What was counted stays on record. For the host's managers."""
        self.visible(pk)
        counter_retire(self.by, counter_id=pk)
