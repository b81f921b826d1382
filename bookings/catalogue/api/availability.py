"""Tell the person who asks when an instrument is open, taken and free."""

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
from accounts.selectors.organisations import payer_read_for
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.api.asking import PayerCode, code_of
from bookings.catalogue.selectors.busy import load_busy
from bookings.catalogue.selectors.starts import load_starts
from bookings.record.domain.periods import Period
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book

LONGEST_SPAN = timedelta(days=62)
USUAL_SPAN = timedelta(days=7)


class BusyShape(PeriodShape):
    """A period in which no unit is free, including buffers."""

    kind = serializers.ChoiceField(["reservation", "closure"])


class AvailabilityShape(serializers.Serializer[Any]):
    """The open, taken and free times within the span that was given."""

    open = PeriodShape(many=True, help_text="Opening hours.")
    busy = BusyShape(many=True)
    free = PeriodShape(many=True, help_text="Opening hours without busy times.")
    starts = serializers.ListField(
        child=Instant(), help_text="Times at which a booking of `minutes` may begin under all rules."
    )
    minutes = serializers.IntegerField()
    organisation = PayerCode()
    own_busy = PeriodShape(many=True, help_text="Busy times in your own calendar; they block nothing.")


class AvailabilityQuery(Query):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, help_text="Default: now."),
            "until": Instant(required=False, help_text="Default: a week after `from`."),
            **super().get_fields(),
        }

    minutes = Whole(
        min_value=1,
        max_value=44640,
        required=False,
        help_text="Length of the booking in minutes; default: the instrument's usual length.",
    )
    organisation = Text(40, required=False, help_text="Code of the organisation that would pay.")
    service_mode = Choice(
        Instrument.ServiceMode.choices,
        required=False,
        help_text="Default: any service mode that is offered. Operating alone may require a certificate.",
    )


def span_of(data: dict[str, Any], now: datetime) -> Period:
    """Return the period from `from` to `until`; raise `Invalid` if it is empty or too long."""
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
        """Return the opening hours, what is taken, and every start at which a booking of `minutes` by the
        person who asks would be accepted."""
        query = query_values(AvailabilityQuery, request.query_params)
        span = span_of(query, self.now)
        instrument = instrument_to_book(self.actor, instrument_id)
        payer = payer_read_for(self.actor, query.get("organisation"))
        calendar = load_calendar(instrument, span, self.now)
        own = [period_json(p) for p in load_busy(self.actor.user_id, span)]
        if calendar is None:
            none = {"open": [], "busy": [], "free": [], "starts": [], "minutes": 0}
            return Response({**none, "organisation": code_of(payer), "own_busy": own})
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
                "organisation": code_of(payer),
                "own_busy": own,
            }
        )
