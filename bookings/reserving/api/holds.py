"""Slots kept for ten minutes while somebody completes a booking."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import PeriodShape, operation
from accounts.api.shapes import Choice, Instant, Shape, Text, checked, rfc3339
from accounts.api.versions import etag, expected_version
from bookings.catalogue.api.asking import period_of
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.parties import Booking
from bookings.record.models import Reservation
from bookings.reserving.services.holds import hold_release, hold_take
from instruments.models import Instrument

TAG = "reservations"


class HoldBody(Shape):
    instrument = serializers.UUIDField()
    start = Instant()
    end = Instant()
    organisation = Text(
        40, required=False, help_text="Who pays: a code. Your only one, unless named."
    )
    service_mode = Choice(
        Instrument.ServiceMode.choices, required=False, help_text="The first offered, unless named."
    )
    on_behalf_of = Text(254, default="", allow_blank=True)


class HoldShape(PeriodShape):
    """A reservation in state `held`: its id is that of the booking it becomes."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField()
    organisation = serializers.CharField()
    service_mode = serializers.CharField()
    expires_at = Instant()
    version = serializers.IntegerField()


class HoldsShape(serializers.Serializer[Any]):
    results = HoldShape(many=True)


def hold_json(hold: Reservation) -> dict[str, Any]:
    return {
        "id": str(hold.pk),
        "instrument": str(hold.instrument_id),
        "start": rfc3339(hold.start_at),
        "end": rfc3339(hold.end_at),
        "organisation": hold.organisation.code,
        "service_mode": hold.service_mode,
        "expires_at": rfc3339(hold.deadline_at) if hold.deadline_at else None,
        "version": hold.version,
    }


class Holds(Endpoint):
    write_scope = "book"
    needs_person = True

    @operation("holds", _("Your holds"), tag=TAG, gives=HoldsShape)
    def get(self, request: Request) -> Response:
        """Those that have not run out; at most three, and what the waiting list offers."""
        rows = holds_of(self.actor.person, self.now).select_related("organisation")
        return Response({"results": [hold_json(row) for row in rows]})

    @operation(
        "hold_take",
        _("Hold a slot"),
        tag=TAG,
        takes=HoldBody,
        gives=HoldShape,
        status=201,
        refuses=[404, 409, 422],
        once=True,
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "start": "2026-03-06T10:00:00+08:00",
            "end": "2026-03-06T12:00:00+08:00",
            "organisation": "wusong-tech",
            "service_mode": "self",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For ten minutes nobody else gets it. All rules are asked now and not again when it is
        completed by `POST reservations/` with `hold`. Asking for the same slot again gives the
        same hold. At most three at a time: 409 `too-many-holds`."""
        data = checked(HoldBody, request.data)
        booking = Booking(
            instrument_id=data["instrument"],
            period=period_of(data),
            organisation=data.get("organisation"),
            service_mode=data.get("service_mode", ""),
            on_behalf_of=data["on_behalf_of"].strip(),
        )

        def take() -> Response:
            made = hold_take(actor=self.actor, booking=booking, now=self.now)
            return Response(hold_json(made), status=201, headers=etag(made.version))

        return self.once(take)


class HoldDetail(Endpoint):
    write_scope = "book"

    @operation(
        "hold_release",
        _("Release a hold"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, reservation_id: UUID) -> Response:
        """At once anybody may have it."""
        hold_release(
            actor=self.actor,
            reservation_id=reservation_id,
            expected_version=expected_version(request),
            now=self.now,
        )
        return Response(status=204)
