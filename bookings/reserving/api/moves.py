"""Changing the time of a reservation, and previewing what that would mean."""

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
    """The new time of a booking."""

    start = Instant()
    end = Instant()


class MoveQuery(Query):
    start = Instant()
    end = Instant()
    override = Text(200, default="", help_text="Codes of rules to override, separated by commas.")


class MoveShape(serializers.Serializer[Any]):
    """The result of changing the time of a reservation."""

    kind = serializers.ChoiceField(["move", "extend", "shorten"])
    needs_approval = serializers.BooleanField(
        help_text="Whether the booking would become a request again until the host answers."
    )
    refusals = Refusals()
    overridable = serializers.ListField(
        child=serializers.CharField(),
        help_text="Rules that a manager of the host could override; empty if another rule refuses the "
        "change as well.",
    )
    old_total = Money(source="old.total")
    new_total = Money(allow_null=True, source="new.total", currency="new.currency")
    old_payable = Money(source="old.payable", help_text="After vouchers.")
    new_payable = Money(allow_null=True, source="new.payable", currency="new.currency")
    shortening = FeeShape(source="*", help_text="What shortening the booking at such short notice costs.")
    cancelling_costs_at_least = PlainNumber(
        source="least_percent",
        help_text="Least percentage that a later cancellation would cost. A booking moved to a later "
        "start at short notice keeps its late tier, unless the host proposed the move or the "
        "booking was made within the last ten minutes.",
    )
    sticks = serializers.BooleanField(help_text="Whether this change raises that percentage.")
    less_than_minutes = serializers.IntegerField(
        allow_null=True,
        source="fee.under_minutes",
        help_text="The notice, in minutes, that falls short of the next cheaper tier.",
    )


class Moves(ReservationResource):
    needs_person = True

    @tells(_("Preview of a new time"), MoveShape, below="move", named="_move_preview", query=MoveQuery)
    def preview(self, pk: UUID, query: dict[str, Any]) -> Move:
        """Preview a move: which rules refuse it, whether it would need the host's approval again, and what it
        costs. Nothing changes."""
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
        """Move a booking to another time on the same instrument, as its person, a manager of the payer, or a
        manager of the host, who must give a reason. All rules apply, except notice and horizon if the start
        stays. The old slot is released only when the new one is secured. A move that needs the host's
        approval turns the booking into a request again, unless it only becomes shorter; GET tells
        beforehand."""
        reservation_move(
            self.by,
            reservation_id=pk,
            period=period_of(data),
            override=data["override"],
            reason=data["reason"],
        )
