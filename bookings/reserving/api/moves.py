"""Another time for a reservation: what it would come to, and taking it."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.schema import RefusalShape, operation
from accounts.api.shapes import Instant, Money, Query, Text, amount, asked
from bookings.catalogue.api.asking import period_of
from bookings.catalogue.api.refusals import refusal_json
from bookings.record.domain.money import format_number
from bookings.reserving.api.reservations import TAG, OverrideBody, load_one
from bookings.reserving.api.transitions import FeeShape, Transition, described, fee_json
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
    refusals = RefusalShape(many=True)
    overridable = serializers.ListField(
        child=serializers.CharField(),
        help_text="What a manager of the host could set aside, if that is all that refuses.",
    )
    old_total = Money()
    new_total = Money(allow_null=True)
    old_payable = Money(help_text="After vouchers.")
    new_payable = Money(allow_null=True)
    shortening = FeeShape(help_text="What shortening it so late costs.")
    cancelling_costs_at_least = serializers.CharField(help_text="Percent afterwards.")


def move_json(move: Move) -> dict[str, Any]:
    currency, old, new = move.currency, move.old, move.new
    return {
        "kind": move.kind,
        "needs_approval": move.needs_approval,
        "refusals": [refusal_json(refusal) for refusal in move.refusals],
        "overridable": list(move.overridable),
        "old_total": amount(old.total, currency),
        "new_total": amount(new.total, new.currency) if new else None,
        "old_payable": amount(old.payable, currency),
        "new_payable": amount(new.payable, new.currency) if new else None,
        "shortening": fee_json(move.fee, currency),
        "cancelling_costs_at_least": format_number(move.least_percent),
    }


class MoveReservation(Transition):
    body = MoveBody
    needs_person = True

    @operation(
        "reservation_move_preview",
        _("Preview of another time"),
        tag=TAG,
        query=MoveQuery,
        gives=MoveShape,
        refuses=[404],
    )
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """Which rules refuse it, whether it would wait for the host's word again, and what it
        costs. Nothing is done."""
        query = asked(MoveQuery, request.query_params)
        found = load_one(self.actor, reservation_id)
        codes = [code for code in query["override"].split(",") if code]
        return Response(
            move_json(load_move(self.actor, found, period_of(query), self.now, override=codes))
        )

    @described(
        "reservation_move",
        _("Move, extend or shorten"),
        takes=MoveBody,
        sends={"start": "2026-03-06T13:00:00+08:00", "end": "2026-03-06T15:00:00+08:00"},
    )
    def post(self, request: Request, reservation_id: UUID) -> HttpResponseBase:
        """Another time on the same instrument, for the person, the payer's managers, and the
        host's, who owe a reason. All rules are asked; those of notice and horizon not where the
        start stays. The old slot is given back only as the new one is won. What needs the
        owner's word is a request again, but for shortening: GET says so first."""
        return super().post(request, reservation_id)

    def step(self, reservation_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        reservation_move(
            actor=self.actor,
            reservation_id=reservation_id,
            period=period_of(data),
            override=data["override"],
            reason=data["reason"],
            expected_version=expected,
            now=self.now,
        )
