"""The API for opening hours."""

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
from instruments.opening.domain import opening
from instruments.opening.services.opening import opening_hours_set
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id

# These serializers only describe; `parse_hours` checks.


class WeeklyRule(serializers.Serializer[Any]):
    """A weekly window in the wall-clock time of the facility's zone. `closes` may be `24:00`; if it is not
    after `opens`, it is on the next day. The dates are local and inclusive."""

    weekday = serializers.IntegerField(min_value=1, max_value=7, help_text="From 1 (Monday) to 7 (Sunday).")
    opens = serializers.RegexField(r"^([01]\d|2[0-3]):[0-5]\d$")
    closes = serializers.RegexField(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True)


class OpenSpan(serializers.Serializer[Any]):
    """A window of opening hours that opens on one date."""

    opens = serializers.RegexField(r"^([01]\d|2[0-3]):[0-5]\d$")
    closes = serializers.RegexField(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")


class DatedOverride(serializers.Serializer[Any]):
    """The windows that replace all others on one date, or on each day from `date` to `until`; an empty list
    closes the days."""

    date = serializers.DateField()
    until = serializers.DateField(required=False, allow_null=True, help_text="The last day, inclusive.")
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=opening.LONGEST_REASON, help_text="Why, for people."
    )
    windows = serializers.ListField(child=OpenSpan(), max_length=opening.MAX_RULES)


class OpeningHoursShape(serializers.Serializer[Any]):
    """Opening hours of an instrument."""

    weekly = serializers.ListField(child=WeeklyRule(), max_length=opening.MAX_RULES, required=False)
    overrides = serializers.ListField(child=DatedOverride(), max_length=opening.MAX_OVERRIDES, required=False)
    observes_holidays = serializers.BooleanField(
        default=False, help_text="Whether the instrument stays closed on the region's public holidays."
    )


class InstrumentOpeningHours(Endpoint):
    @operation("opening_hours", _("Opening hours"), tag="instruments", gives=OpeningHoursShape, refuses=[404])
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Returns the opening hours in the same form in which they are set."""
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
            "overrides": [
                {"date": "2026-12-21", "until": "2027-01-03", "windows": [], "reason": "Winter break"}
            ],
            "observes_holidays": True,
        },
    )
    def put(self, request: Request, instrument_id: UUID) -> Response:
        """Sets the opening hours of an instrument. Only the host's managers may do this. Existing
        reservations stay as they are. `If-Match` is the version of the instrument."""
        expected = expected_version(request)
        hours = opening.parse_hours(request.data)
        return _answer(
            opening_hours_set(By(self.actor, self.now, expected), instrument_id=instrument_id, hours=hours)
        )


def _answer(instrument: Instrument) -> Response:
    schedule = instrument.schedule
    hours = schedule.hours if schedule else opening.hours_to_json(opening.OpeningHours())
    return Response(hours, headers=etag(instrument.version))
