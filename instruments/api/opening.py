"""Opening hours."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.versions import etag, expected_version
from accounts.domain.roles import By
from instruments.domain.opening import (
    MAX_OVERRIDES,
    MAX_RULES,
    OpeningHours,
    hours_to_json,
    parse_hours,
)
from instruments.models import Instrument
from instruments.selectors.registry import instrument_by_id
from instruments.services.opening import opening_hours_set

# These describe; `parse_hours` checks.


class WeeklyRule(serializers.Serializer[Any]):
    """Wall clock of the facility's zone. `closes` up to `24:00`; not after `opens`: the next
    day. The dates are local and inclusive."""

    weekday = serializers.IntegerField(min_value=1, max_value=7, help_text="1 is Monday.")
    opens = serializers.RegexField(r"^([01]\d|2[0-3]):[0-5]\d$")
    closes = serializers.RegexField(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True)


class OpenSpan(serializers.Serializer[Any]):
    """A window of one date."""

    opens = serializers.RegexField(r"^([01]\d|2[0-3]):[0-5]\d$")
    closes = serializers.RegexField(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")


class DatedOverride(serializers.Serializer[Any]):
    """Replaces all windows that open on the date; an empty list closes the day."""

    date = serializers.DateField()
    windows = serializers.ListField(child=OpenSpan())


class OpeningHoursShape(serializers.Serializer[Any]):
    """When an instrument opens."""

    weekly = serializers.ListField(child=WeeklyRule(), max_length=MAX_RULES, required=False)
    overrides = serializers.ListField(
        child=DatedOverride(), max_length=MAX_OVERRIDES, required=False
    )
    observes_holidays = serializers.BooleanField(
        default=False, help_text="Windows that open on a public holiday of the region are left out."
    )


class InstrumentOpeningHours(Endpoint):
    @operation(
        "opening_hours",
        _("Opening hours"),
        tag="instruments",
        gives=OpeningHoursShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """In the form in which they are set."""
        return _answer(instrument_by_id(self.actor, instrument_id))

    @operation(
        "opening_hours_set",
        _("Set the opening hours"),
        tag="instruments",
        takes=OpeningHoursShape,
        gives=OpeningHoursShape,
        refuses=[404],
        versioned=True,
        sends={
            "weekly": [{"weekday": 1, "opens": "08:00", "closes": "20:00"}],
            "overrides": [{"date": "2026-05-04", "windows": []}],
            "observes_holidays": True,
        },
    )
    def put(self, request: Request, instrument_id: UUID) -> Response:
        """For the host's managers. Reservations there are stay as they are. `If-Match` is the
        version of the instrument."""
        expected = expected_version(request)
        hours = parse_hours(request.data)
        instrument_by_id(self.actor, instrument_id)
        return _answer(
            opening_hours_set(
                By(self.actor, self.now, expected), instrument_id=instrument_id, hours=hours
            )
        )


def _answer(instrument: Instrument) -> Response:
    schedule = instrument.schedule
    hours = schedule.hours if schedule else hours_to_json(OpeningHours())
    return Response(hours, headers=etag(instrument.version))
