"""Slots held for ten minutes while somebody completes a booking."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, creates, removes, tells
from accounts.api.schema import PeriodShape
from accounts.api.shapes import Choice, Instant, Shape, Text
from bookings.catalogue.api.asking import period_of
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.parties import Booking
from bookings.record.models import Reservation
from bookings.reserving.services.holds import hold_release, hold_take
from instruments.register.models import Instrument


class HoldBody(Shape):
    instrument = serializers.UUIDField()
    start = Instant()
    end = Instant()
    organisation = Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    service_mode = Choice(
        Instrument.ServiceMode.choices, required=False, help_text="Default: the first service mode offered."
    )
    on_behalf_of = Text(254, default="", allow_blank=True)


class HoldShape(PeriodShape):
    """A reservation in state `held`; the booking that it becomes has the same id."""

    start = Instant(source="start_at")
    end = Instant(source="end_at")
    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    organisation = serializers.CharField(source="organisation.code")
    service_mode = serializers.CharField()
    expires_at = Instant(source="deadline_at")
    version = serializers.IntegerField()


class HoldsShape(serializers.Serializer[Any]):
    results = HoldShape(many=True)


class Holds(Resource):
    at, key, name, many, shape = "holds/", "reservation_id", "hold", "holds", HoldShape
    tag, write_scope, needs_person = "reservations", "book", True

    def location(self, row: Reservation) -> str:
        return ""

    @tells(_("Your holds"), HoldsShape, below="*", named="holds", refuses=())
    def rows(self) -> dict[str, Any]:
        """Return your holds that have not run out: at most three, and offers from the waiting list."""
        holds = holds_of(self.actor.person, self.now)
        return {"results": list(holds.select_related("organisation"))}

    @creates(
        _("Hold a slot"),
        HoldBody,
        named="_take",
        refuses=[404, 409, 422],
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "start": "2026-03-06T10:00:00+08:00",
            "end": "2026-03-06T12:00:00+08:00",
            "organisation": "wusong-tech",
            "service_mode": "self",
        },
    )
    def take(self, data: dict[str, Any]) -> Reservation:
        """Hold a slot: nobody else gets it for ten minutes. All rules are checked now, and not again when
        `POST reservations/` completes it with `hold`. Asking for the same slot again returns the same hold.
        At most three at a time: 409 `too-many-holds`."""
        booking = Booking(
            instrument_id=data["instrument"],
            period=period_of(data),
            organisation=data.get("organisation"),
            service_mode=data.get("service_mode", ""),
            on_behalf_of=data["on_behalf_of"].strip(),
        )
        return hold_take(self.by, booking=booking)

    @removes(_("Release a hold"), named="_release", refuses=[404, 409])
    def release(self, pk: UUID) -> None:
        """Release a hold: the slot can be booked by anybody at once."""
        hold_release(self.by, reservation_id=pk)
