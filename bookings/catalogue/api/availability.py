"""When an instrument is open, taken and free, for the person who asks."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import PeriodShape, operation
from accounts.api.shapes import Choice, Instant, Query, Text, Whole, query_values, rfc3339
from accounts.domain.errors import invalid
from accounts.selectors.organisations import payer_for
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.busy import load_busy
from bookings.catalogue.selectors.starts import load_starts
from bookings.record.domain.periods import Period
from instruments.models import Instrument
from instruments.selectors.registry import instrument_to_book

LONGEST_SPAN = timedelta(days=62)
USUAL_SPAN = timedelta(days=7)


class BusyShape(PeriodShape):
    """Where no unit is free, buffers included."""

    kind = serializers.ChoiceField(["reservation", "closure"])


class AvailabilityShape(serializers.Serializer[Any]):
    """Within the span that was asked for."""

    open = PeriodShape(many=True, help_text="Opening hours.")
    busy = BusyShape(many=True)
    free = PeriodShape(many=True, help_text="Open less busy.")
    starts = serializers.ListField(
        child=Instant(), help_text="Where a booking of `minutes` may begin, by every rule."
    )
    minutes = serializers.IntegerField()
    own_busy = PeriodShape(
        many=True, help_text="Busy times of the caller's own calendar; they block nothing."
    )


class AvailabilityQuery(Query):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, help_text="Now, unless named."),
            "until": Instant(required=False, help_text="Default: a week later."),
            **super().get_fields(),
        }

    minutes = Whole(
        min_value=1,
        max_value=44640,
        required=False,
        help_text="The length of a booking; the usual one of the instrument, unless named.",
    )
    organisation = Text(40, required=False, help_text="Code of the organisation it is for.")
    service_mode = Choice(
        Instrument.ServiceMode.choices,
        required=False,
        help_text="Working alone may need a certificate; unless named, any way that is offered.",
    )


def span_of(data: dict[str, Any], now: datetime) -> Period:
    """`from` and `until` as a period; `Invalid` where it is none or is too long."""
    start = data.get("from", now)
    end = data.get("until", start + USUAL_SPAN)
    if end <= start:
        raise invalid("until", "not-after-start")
    if end - start > LONGEST_SPAN:
        raise invalid("until", "span-too-long", days=LONGEST_SPAN.days)
    return Period(start, end)


def period_json(period: Period) -> dict[str, str]:
    return {"start": rfc3339(period.start), "end": rfc3339(period.end)}


class Availability(Endpoint):
    @operation(
        "availability",
        _("Availability"),
        tag="instruments",
        query=AvailabilityQuery,
        gives=AvailabilityShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Opening hours, what is taken, and every start at which a booking of `minutes` would
        be accepted from the asking person."""
        query = query_values(AvailabilityQuery, request.query_params)
        span = span_of(query, self.now)
        instrument = instrument_to_book(self.actor, instrument_id)
        payer = payer_for(self.actor, query.get("organisation"))
        calendar = load_calendar(instrument, span, self.now)
        own = [period_json(p) for p in load_busy(self.actor.user_id, span)]
        if calendar is None:
            none = {"open": [], "busy": [], "free": [], "starts": [], "minutes": 0}
            return Response({**none, "own_busy": own})
        minutes = query.get("minutes") or calendar.policy.usual_minutes
        starts = load_starts(
            instrument,
            payer,
            calendar,
            span,
            self.now,
            minutes=minutes,
            user_id=self.actor.user_id,
            mode=query.get("service_mode"),
        )
        return Response(
            {
                "open": [period_json(p) for p in calendar.opened(span)],
                "busy": [{**period_json(p), "kind": kind} for p, kind in calendar.busy(span)],
                "free": [period_json(p) for p in calendar.free(span)],
                "starts": [rfc3339(start) for start in starts],
                "minutes": minutes,
                "own_busy": own,
            }
        )
