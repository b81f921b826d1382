"""Meters of instruments, readings, and maintenance counters."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, parts, removes, tells
from accounts.api.shapes import Instant, Number, Shape, Text
from bookings.questions.domain.meters import STANDINGS
from bookings.questions.forms.meters import CorrectionForm, CounterBody, MeterBody, MeterForm, ReadingForm
from bookings.questions.models import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.questions.selectors import meters as meter_selectors
from bookings.questions.services import meters as meter_services
from instruments.managing.api.registry import InstrumentResource
from instruments.register.selectors.registry import instrument_to_manage


class MeterShape(serializers.Serializer[Any]):
    """A meter. `is_hours`: its hours of use are computed from the sessions and never read."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    is_monotone = serializers.BooleanField(help_text="Whether readings can only increase.")
    is_hours = serializers.BooleanField()


class ReadingShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    value = serializers.CharField()
    read_at = Instant()
    reset_reason = serializers.CharField(help_text="Why the meter starts again from this value.")
    correction_reason = serializers.CharField(help_text="Why the host corrected the reading.")


class CounterShape(serializers.Serializer[Any]):
    """A maintenance counter in its present cycle: how much of its limit is `used`, in the unit of its
    meter."""

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


class ReadingBody(Shape):
    value = Number(16, 4)
    reset_reason = Text(
        500,
        default="",
        allow_blank=True,
        help_text="Why the reading is lower, if the meter was replaced or reset.",
    )


class ReadingCorrectionBody(Shape):
    value = Number(16, 4)
    reason = Text(500)


class DoneBody(Shape):
    note = Text(500, default="", allow_blank=True)


class CycleShape(serializers.Serializer[Any]):
    """A cycle from one maintenance to the next."""

    started_at = Instant()
    warned_at = Instant(allow_null=True)
    reached_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    note = serializers.CharField()


class InstrumentMeters(InstrumentResource):
    page_at = "manage/instruments/"

    @tells(
        _("Meters and maintenance counters"), MetersShape, below="meters", address="api-meters",
        named="meters", refuses=[403, 404],
    )  # fmt: skip
    def meters(self, pk: UUID) -> dict[str, Any]:
        """Return the meters and counters of an instrument. Only the host's managers may read them."""
        instrument = instrument_to_manage(self.actor, pk)
        return {
            "meters": meter_selectors.meters_of(instrument),
            "counters": meter_selectors.load_due(list(meter_selectors.open_cycles([pk]))),
        }

    @OnPage("bookings:meters", done=_("Added."), form=MeterForm, name="meter_form", below="new-meter")
    @acts(
        _("Add a meter"), MeterBody, below="meters", gives=MeterShape, named="meter_add",
        status=201, versioned=False, refuses=[403, 404],
        sends={"name": "Filament hours", "name_zh": "灯丝时间", "unit": "h"},
    )  # fmt: skip
    def add_meter(self, pk: UUID, data: dict[str, Any]) -> Meter:
        """Add a meter. Only the host's managers may do this."""
        return meter_services.meter_add(self.by, instrument_id=pk, **data)

    @acts(
        _("Add a maintenance counter"), CounterBody, below="counters", gives=CounterShape,
        address="api-counters", named="counter_add", status=201, versioned=False,
        refuses=[403, 404], sends={"name": "Tip", "name_zh": "针尖", "limit": "500"},
    )  # fmt: skip
    def add_counter(self, pk: UUID, data: dict[str, Any]) -> Any:
        """Add a maintenance counter. Only the host's managers may do this. They are told at `warn_percent` of
        the limit and again at the limit, when the instrument is also closed if `action` is `close`."""
        counter = meter_services.counter_add(self.by, instrument_id=pk, **{"meter": None, **data})
        return meter_selectors.load_due(list(meter_selectors.open_cycles([pk]).filter(counter=counter)))[0]


class Meters(Resource):
    at, page_at, key, tag = "meters/", "manage/meters/", "meter_id", "instruments"
    name, many, shape = "meter", "meters", MeterShape

    def visible(self, pk: UUID) -> Meter:
        return meter_selectors.meter_to_manage(self.actor, pk)

    @parts(_("Readings of a meter"), ReadingShape, refuses=[403, 404], order=("-read_at", "-id"))
    def readings(self, pk: UUID, query: Pages) -> QuerySet[MeterReading]:
        """Return the readings of a meter, the latest first. Only the host's managers may read them."""
        return meter_selectors.readings_of(self.visible(pk))

    @OnPage("bookings:meter", done=_("Saved."), form=ReadingForm, below="read")
    @acts(
        _("Enter a reading"), ReadingBody, below="readings", gives=ReadingShape,
        named="_reading_add", status=201, versioned=False, refuses=[403, 404, 409],
        sends={"value": "1204.5"},
    )  # fmt: skip
    def read(self, pk: UUID, data: dict[str, Any]) -> MeterReading:
        """Enter what a meter shows now. Only the host's managers may do this. A reading below the last one of
        a meter that only goes up, or above what it can show by now, needs a `reset_reason`."""
        return meter_services.meter_read(self.by, meter_id=pk, **data)


def _meter_of(reading: MeterReading) -> str:
    return reverse("bookings:meter", args=[reading.meter_id])


class Readings(Resource):
    at, page_at, key, tag = "meter-readings/", "manage/readings/", "reading_id", "instruments"
    name, many, page_name, shape = "meter_reading", "meter_readings", "reading", ReadingShape

    def visible(self, pk: UUID) -> MeterReading:
        return meter_selectors.reading_to_manage(self.actor, pk)

    @OnPage(
        "bookings:reading",
        done=_("Corrected. A closure that it caused stays until you end it."),
        to=_meter_of,
        form=CorrectionForm,
    )
    @acts(
        _("Correct a reading"), ReadingCorrectionBody, gives=ReadingShape, versioned=False,
        refuses=[403, 404], sends={"value": "1204.5", "reason": "A point was left out."},
    )  # fmt: skip
    def correct(self, pk: UUID, data: dict[str, Any]) -> MeterReading:
        """Correct a reading. Only the host's managers may do this. Counters are computed again; a closure
        that the reading caused stays until somebody ends it."""
        return meter_services.reading_correct(self.by, reading_id=pk, **data)


class Counters(Resource):
    at, page_at, key, tag = "counters/", "manage/counters/", "counter_id", "instruments"
    name, many, shape = "counter", "counters", CycleShape

    def visible(self, pk: UUID) -> MaintenanceCounter:
        return meter_selectors.counter_to_manage(self.actor, pk)

    @OnPage("bookings:meters", done=_("Done. Counting starts again from now."), of="meter.instrument_id")
    @acts(
        _("Maintenance done"), DoneBody, gives=CycleShape, refuses=[403, 404, 409],
        sends={"note": "New tip, calibrated."},
    )  # fmt: skip
    def done(self, pk: UUID, data: dict[str, Any]) -> CounterCycle:
        """Record that the maintenance was done, so that counting starts again from now. Only the host's
        managers may do this."""
        return meter_services.counter_done(self.by, counter_id=pk, **data)

    @OnPage("bookings:meters", _("Remove"), _("Removed."), of="meter.instrument_id")
    @removes(_("Stop counting"), refuses=[403, 404, 409])
    def retire(self, pk: UUID) -> None:
        """Stop a counter for good. Only the host's managers may do this. Its past cycles stay on record."""
        meter_services.counter_retire(self.by, counter_id=pk)
