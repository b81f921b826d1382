"""Charges: what ended reservations cost, disputing one and answering that."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, lists, reads
from accounts.api.shapes import Choice, Instant, Money, Nothing, Shape, Text, TextOrNull
from bookings.charging.services.disputes import dispute_open, dispute_withdraw
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id, first_charges_for, listed_charges
from bookings.record.api.shapes import month_named

TAG = "money"


class ListedChargeShape(ChargeShape):
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    instrument_name = serializers.CharField(source="reservation.instrument.name")
    organisation = serializers.CharField(
        source="reservation.organisation.code", help_text="The payer."
    )
    host = serializers.CharField(source="reservation.host.code")


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
    charge = serializers.UUIDField(source="charge_id")
    state = serializers.ChoiceField(Correction.State.choices)
    reason = serializers.CharField()
    kind = TextOrNull()
    total = Money(currency="charge.currency")
    payable = Money(currency="charge.currency")
    result = serializers.DictField(allow_null=True)
    proposed_by = serializers.CharField()
    proposed_at = Instant()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = Instant(allow_null=True)
    replacement = serializers.UUIDField(source="replacement_id", allow_null=True)
    version = serializers.IntegerField()


class FullChargeShape(ListedChargeShape):
    """With its inputs, from which `result` can be computed again, and all that was said of it."""

    inputs = serializers.DictField()
    disputes = DisputeShape(many=True, source="all_disputes")
    corrections = CorrectionShape(many=True, source="all_corrections")
    reversed_by = serializers.ListField(child=serializers.UUIDField())


class ChargeQuery(Pages):
    organisation = Text(40, default="", help_text="The payer's code.")
    host = Text(40, default="", help_text="The host's code.")
    reservation = serializers.UUIDField(required=False)
    state = Choice(Charge.State.choices, required=False)
    month = Text(7, default="", help_text="Of final charges, such as `2026-03`.")


class DisputeBody(Shape):
    reason = Text(1000)


class Charges(Resource):
    at, key, tag = "charges/", "charge_id", TAG
    name, many = "charge", "charges"
    shape = FullChargeShape
    needs_person = True
    write_scope = "book"

    def visible(self, pk: UUID) -> Any:
        row: Any = charge_by_id(self.actor, pk)
        row.all_disputes = sorted(row.disputes.all(), key=attrgetter("opened_at"))
        row.all_corrections = sorted(row.corrections.all(), key=attrgetter("proposed_at"))
        row.reversed_by = sorted(each.pk for each in row.reversals.all())
        return row

    @lists(_("Charges"), ChargeQuery, gives=ListedChargeShape)
    def rows(self, query: dict[str, Any]) -> tuple[QuerySet[Charge], list[Q]]:
        """Those of the reservations the person may see, the newest first."""
        rows = listed_charges()
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if query["host"]:
            rows = rows.filter(host__code=query["host"])
        if "reservation" in query:
            rows = rows.filter(reservation_id=query["reservation"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if query["month"]:
            rows = rows.filter(month=month_named(query["month"]))
        return rows, first_charges_for(self.actor)

    @reads(_("One charge"))
    def detail(self, pk: UUID) -> None:
        """With its inputs, its disputes and corrections."""

    @acts(
        _("Dispute"),
        DisputeBody,
        sends={"reason": "The laser was off for an hour; I told the operator."},
    )
    def dispute(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the person of the reservation, and the payer's managers and finance, while the
        charge is open. It does not become final before the host has answered."""
        dispute_open(self.by, charge_id=pk, **data)

    @acts(_("Withdraw a dispute"), Nothing)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the payer's side. The charge is open for what is left of its seven days, or final."""
        dispute_withdraw(self.by, charge_id=pk)
