"""Charges: what ended reservations cost, disputing one and answering that."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Instant,
    Money,
    Nothing,
    Shape,
    Text,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from bookings.charging.services.disputes import dispute_open, dispute_withdraw
from bookings.pricing.api.charges import ChargeShape, charge_json, moment_json
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id, charges_for

TAG = "money"


class ListedChargeShape(ChargeShape):
    instrument = serializers.UUIDField()
    instrument_name = serializers.CharField()
    organisation = serializers.CharField(help_text="The payer.")
    host = serializers.CharField()


class DisputeShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Dispute.State.choices)
    reason = serializers.CharField()
    opened_by = serializers.CharField()
    opened_at = Instant()
    answer = serializers.CharField()
    settled_by = serializers.CharField(allow_null=True)
    settled_at = Instant(allow_null=True)


class CorrectionShape(serializers.Serializer[Any]):
    """`kind` and `result` are those of the charge to come, null where nothing is owed any more;
    `replacement` is that charge, once agreed."""

    id = serializers.UUIDField()
    charge = serializers.UUIDField()
    state = serializers.ChoiceField(Correction.State.choices)
    reason = serializers.CharField()
    kind = serializers.CharField(allow_null=True)
    total = Money()
    payable = Money()
    result = serializers.DictField(allow_null=True)
    proposed_by = serializers.CharField()
    proposed_at = Instant()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = Instant(allow_null=True)
    replacement = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField()


class FullChargeShape(ListedChargeShape):
    """With its inputs, from which `result` can be computed again, and all that was said of it."""

    inputs = serializers.DictField()
    disputes = DisputeShape(many=True)
    corrections = CorrectionShape(many=True)
    reversed_by = serializers.ListField(child=serializers.UUIDField())


class ChargeQuery(Pages):
    organisation = Text(40, default="", help_text="The payer's code.")
    host = Text(40, default="", help_text="The host's code.")
    reservation = serializers.UUIDField(required=False)
    state = Choice(Charge.State.choices, required=False)
    month = Text(7, default="", help_text="Of final charges, such as `2026-03`.")


class DisputeBody(Shape):
    reason = Text(1000)


def listed_json(charge: Charge) -> dict[str, Any]:
    reservation = charge.reservation
    return {
        **charge_json(charge),
        "instrument": str(reservation.instrument_id),
        "instrument_name": reservation.instrument.name,
        "organisation": reservation.organisation.code,
        "host": reservation.host.code,
    }


def full_json(charge: Charge) -> dict[str, Any]:
    """Of one loaded by `charge_by_id`."""
    return {
        **listed_json(charge),
        "inputs": charge.inputs,
        "disputes": [dispute_json(each) for each in _sorted(charge.disputes.all(), "opened_at")],
        "corrections": [
            correction_json(each, charge)
            for each in _sorted(charge.corrections.all(), "proposed_at")
        ],
        "reversed_by": sorted(str(each.pk) for each in charge.reversals.all()),
    }


def _sorted(rows: Any, name: str) -> list[Any]:
    return sorted(rows, key=lambda row: getattr(row, name))


def dispute_json(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": str(dispute.pk),
        "state": dispute.state,
        "reason": dispute.reason,
        "opened_by": str(dispute.opened_by),
        "opened_at": rfc3339(dispute.opened_at),
        "answer": dispute.answer,
        "settled_by": str(dispute.settled_by) if dispute.settled_by else None,
        "settled_at": moment_json(dispute.settled_at),
    }


def correction_json(correction: Correction, charge: Charge) -> dict[str, Any]:
    return {
        "id": str(correction.pk),
        "charge": str(charge.pk),
        "state": correction.state,
        "reason": correction.reason,
        "kind": correction.kind or None,
        "total": amount(correction.total, charge.currency),
        "payable": amount(correction.payable, charge.currency),
        "result": correction.result,
        "proposed_by": str(correction.proposed_by),
        "proposed_at": rfc3339(correction.proposed_at),
        "decided_by": str(correction.decided_by) if correction.decided_by else None,
        "decided_at": moment_json(correction.decided_at),
        "replacement": str(correction.replacement_id) if correction.replacement_id else None,
        "version": correction.version,
    }


def one(actor: Actor, charge_id: UUID, status: int = 200) -> Response:
    """The answer of a single charge."""
    found = charge_by_id(actor, charge_id)
    return Response(full_json(found), status=status, headers=etag(found.version))


def month_given(text: str) -> date:
    """`Invalid` unless it is such as `2026-03`."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise invalid("month", "not-a-month") from None


class Charges(Endpoint):
    needs_person = True

    @operation("charges", _("Charges"), tag=TAG, query=ChargeQuery, gives=page(ListedChargeShape))
    def get(self, request: Request) -> Response:
        """Those of the reservations the person may see, the newest first."""
        query = asked(ChargeQuery, request.query_params)
        rows = charges_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["host"]:
            rows = rows.filter(host__code=query["host"])
        if "reservation" in query:
            rows = rows.filter(reservation_id=query["reservation"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if query["month"]:
            rows = rows.filter(month=month_given(query["month"]))
        return paginated(
            request,
            rows,
            query,
            ("-created_at", "-id"),
            lambda found: [listed_json(charge) for charge in found],
        )


class ChargeDetail(Endpoint):
    needs_person = True

    @operation("charge", _("One charge"), tag=TAG, gives=FullChargeShape, refuses=[404])
    def get(self, request: Request, charge_id: UUID) -> Response:
        """With its inputs, its disputes and corrections."""
        return one(self.actor, charge_id)


class ChargeStep(Endpoint):
    """What somebody does about a charge; the answer is the charge."""

    write_scope = "book"
    body: type[Shape] = Nothing

    def step(self, charge_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        raise NotImplementedError

    def post(self, request: Request, charge_id: UUID) -> HttpResponseBase:
        expected, data = expected_version(request), checked(self.body, request.data)

        def act() -> Response:
            self.step(charge_id, data, expected)
            return one(self.actor, charge_id)

        return self.once(act)


def described(
    name: str, summary: Any, takes: type[Shape], sends: Any = None
) -> Callable[[Any], Any]:
    """The description of such a step."""
    return operation(
        name,
        summary,
        tag=TAG,
        takes=takes,
        gives=FullChargeShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends=sends,
    )


class ChargeDispute(ChargeStep):
    body = DisputeBody

    @described(
        "charge_dispute",
        _("Dispute"),
        DisputeBody,
        {"reason": "The laser was off for an hour; I told the operator."},
    )
    def post(self, request: Request, charge_id: UUID) -> HttpResponseBase:
        """For the person of the reservation, and the payer's managers and finance, while the
        charge is open. It does not become final before the host has answered."""
        return super().post(request, charge_id)

    def step(self, charge_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        dispute_open(
            actor=self.actor,
            charge_id=charge_id,
            reason=data["reason"],
            expected_version=expected,
            now=self.now,
        )


class ChargeWithdraw(ChargeStep):
    @described("charge_withdraw", _("Withdraw a dispute"), Nothing)
    def post(self, request: Request, charge_id: UUID) -> HttpResponseBase:
        """For the payer's side. The charge is open for what is left of its seven days, or final."""
        return super().post(request, charge_id)

    def step(self, charge_id: UUID, data: dict[str, Any], expected: int | None) -> None:
        dispute_withdraw(
            actor=self.actor, charge_id=charge_id, expected_version=expected, now=self.now
        )
