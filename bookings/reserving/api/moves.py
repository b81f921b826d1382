"""Another time for a reservation: what it would come to, and taking it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import acts, tells
from accounts.api.shapes import Instant, Money, Query, Text
from bookings.catalogue.api.asking import period_of
from bookings.catalogue.api.refusals import Refusals
from bookings.record.api.shapes import PlainNumber
from bookings.reserving.api.reservations import OverrideBody, ReservationResource
from bookings.reserving.api.transitions import REFUSES, FeeShape
from bookings.reserving.selectors.moves import Move, load_move
from bookings.reserving.services.moves import reservation_move


class MoveBody(OverrideBody):
    """The new time."""

    start = Instant()
    end = Instant()


class MoveQuery(Query):
    start = Instant()
    end = Instant()
    override = Text(200, default="", help_text="Rules to leave out: codes with commas between.")


class MoveShape(serializers.Serializer[Any]):
    """What a change of time would come to."""

    kind = serializers.ChoiceField(["move", "extend", "shorten"])
    needs_approval = serializers.BooleanField(
        help_text="It would become a request again, until the host answers."
    )
    refusals = Refusals()
    overridable = serializers.ListField(
        child=serializers.CharField(),
        help_text="What a manager of the host could set aside, if that is all that refuses.",
    )
    old_total = Money(source="old.total")
    new_total = Money(allow_null=True, source="new.total", currency="new.currency")
    old_payable = Money(source="old.payable", help_text="After vouchers.")
    new_payable = Money(allow_null=True, source="new.payable", currency="new.currency")
    shortening = FeeShape(source="*", help_text="What shortening it so late costs.")
    cancelling_costs_at_least = PlainNumber(source="least_percent", help_text="Percent afterwards.")


class Moves(ReservationResource):
    needs_person = True

    @tells(
        _("Preview of another time"),
        MoveShape,
        below="move",
        named="_move_preview",
        query=MoveQuery,
    )
    def preview(self, pk: UUID, query: dict[str, Any]) -> Move:
        """Which rules refuse it, whether it would wait for the host's word again, and what it
        costs. Nothing is done."""
        codes = [code for code in query["override"].split(",") if code]
        reservation = self.visible(pk)
        return load_move(self.actor, reservation, period_of(query), self.now, override=codes)

    @acts(
        _("Move, extend or shorten"),
        MoveBody,
        refuses=REFUSES,
        sends={"start": "2026-03-06T13:00:00+08:00", "end": "2026-03-06T15:00:00+08:00"},
    )
    def move(self, pk: UUID, data: dict[str, Any]) -> None:
        """Another time on the same instrument, for the person, the payer's managers, and the
        host's, who owe a reason. All rules are asked; those of notice and horizon not where the
        start stays. The old slot is given back only as the new one is won. What needs the
        owner's word is a request again, but for shortening: GET says so first."""
        reservation_move(
            self.by,
            reservation_id=pk,
            period=period_of(data),
            override=data["override"],
            reason=data["reason"],
        )
