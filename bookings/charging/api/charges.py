"""Charges: what ended reservations cost, disputes about them, and the answers."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, reads
from accounts.api.shapes import Instant, Money, Nothing, TextOrNull
from bookings.charging.forms.charges import DisputeBody, DisputeForm
from bookings.charging.selectors.charges import CHARGES
from bookings.charging.services.disputes import dispute_open, dispute_withdraw
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id, first_charges_for, listed_charges
from bookings.record.api.lists import listed

TAG = "money"


class ListedChargeShape(ChargeShape):
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    instrument_name = serializers.CharField(source="reservation.instrument.name")
    organisation = serializers.CharField(
        source="reservation.organisation.code", help_text="Code of the paying organisation."
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
    """A proposed correction. `kind` and `result` are those of the corrected charge, null if nothing is owed
    any more; `replacement` is that charge, once the correction is agreed to."""

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
    """A charge with the inputs from which `result` can be recomputed, and with its disputes and
    corrections."""

    inputs = serializers.DictField()
    disputes = DisputeShape(many=True, source="all_disputes")
    corrections = CorrectionShape(many=True, source="all_corrections")
    reversed_by = serializers.ListField(child=serializers.UUIDField())


class Charges(Resource):
    at, key, tag = "charges/", "charge_id", TAG
    name, many = "charge", "charges"
    shape = FullChargeShape
    needs_person = True
    write_scope, page_name = "book", "money-charges"

    def visible(self, pk: UUID) -> Any:
        row: Any = charge_by_id(self.actor, pk)
        row.all_disputes = sorted(row.disputes.all(), key=attrgetter("opened_at"))
        row.all_corrections = sorted(row.corrections.all(), key=attrgetter("proposed_at"))
        row.reversed_by = sorted(each.pk for each in row.reversals.all())
        return row

    @listed(_("Charges"), CHARGES, gives=ListedChargeShape)
    def rows(self, query: dict[str, Any]) -> tuple[QuerySet[Charge], list[Q]]:
        """List the charges of reservations that you may see, newest first."""
        return listed_charges(), first_charges_for(self.actor)

    @reads(_("A charge"))
    def detail(self, pk: UUID) -> None:
        """Return a charge with its inputs, disputes and corrections."""

    @OnPage(
        "bookings:money-charges-one",
        done=_("Disputed. The owner of the instrument is notified and has to answer."),
        form=DisputeForm,
        name="dispute_form",
    )
    @acts(_("Dispute"), DisputeBody, sends={"reason": "The laser was off for an hour; I told the operator."})
    def dispute(self, pk: UUID, data: dict[str, Any]) -> None:
        """Dispute a charge while it is open, as the person of the reservation or the payer's manager or
        finance. The charge does not become final before the host has answered."""
        dispute_open(self.by, charge_id=pk, **data)

    @OnPage("bookings:money-charges-one", done=_("The dispute is withdrawn."))
    @acts(_("Withdraw a dispute"), Nothing)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> None:
        """Withdraw a dispute, as the person of the reservation or the payer's manager or finance. The charge
        is then open for the rest of its seven days or, if they are over, final."""
        dispute_withdraw(self.by, charge_id=pk)
