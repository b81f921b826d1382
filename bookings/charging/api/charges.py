"""Charges: what ended reservations and attended courses cost, disputes about them, and the answers."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import OnPage, Resource, acts, reads, rendered
from accounts.api.schema import operation
from accounts.api.shapes import (
    Choice,
    Instant,
    Money,
    Nothing,
    Text,
    TextOrNull,
    amount,
    query_values,
    replaced_by,
    shown_by,
)
from accounts.domain.roles import By
from bookings.catalogue.api.asking import FundingBody, shares_of
from bookings.charging.forms.charges import DisputeBody, DisputeForm
from bookings.charging.selectors.charges import CHARGES, GROUPS, load_sources, sums_by
from bookings.charging.services.checks import charge_check
from bookings.charging.services.disputes import dispute_open, dispute_withdraw
from bookings.charging.services.recoding import charge_recode
from bookings.pricing.api.charges import ChargeShape
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id, charges_for, first_charges_for, listed_charges
from bookings.record.api.lists import answered, listed, narrowing_of
from bookings.record.selectors.reservations import booked_by

TAG = "money"


class ListedChargeShape(ChargeShape):
    instrument = serializers.UUIDField(source="reservation.instrument_id", allow_null=True)
    instrument_name = serializers.CharField(source="reservation.instrument.name", allow_null=True)
    course = serializers.UUIDField(source="enrolment.session.course_id", allow_null=True)
    course_name = serializers.CharField(source="enrolment.session.course.name", allow_null=True)
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the paying organisation."
    )
    host = serializers.CharField(source="host.code")
    user = PersonShape(source="person", help_text="The person who booked or attended.")
    person = serializers.UUIDField(source="person.pk", style=replaced_by("user"))
    person_name = serializers.CharField(source="person.name", style=replaced_by("user"))
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )
    sources = TextOrNull(
        source="shown_sources",
        help_text="Codes of the payer's funding sources; null if none pays, or for who does not see them.",
    )
    reference = serializers.CharField(
        source="shown_reference",
        allow_null=True,
        help_text="The payer's own reference of the booking, empty for none. Null for a course, and if you "
        "may not see it: it is for the payer's side.",
    )


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


AsPerson = shown_by(dict, PersonShape)


class ChargeSumShape(serializers.Serializer[Any]):
    """Charges of one instrument or course, person or payer, added up in one currency and on one side. `side`
    is empty for charges of others that you may read, which `side=neither` lists."""

    instrument = serializers.UUIDField(allow_null=True)
    course = serializers.UUIDField(allow_null=True)
    user = AsPerson(allow_null=True)
    person = serializers.UUIDField(allow_null=True, style=replaced_by("user"))
    payer = serializers.UUIDField(allow_null=True, help_text="Id of the paying organisation.")
    name = serializers.CharField()
    name_zh = serializers.CharField()
    side = serializers.CharField()
    charges = serializers.IntegerField()
    payable = Money()


class ChargeSumsShape(serializers.Serializer[Any]):
    rows = ChargeSumShape(many=True)


class ChargeSumsQuery(narrowing_of(CHARGES)):  # type: ignore[misc]
    by = Choice(
        [(name, name) for name in GROUPS], default="instrument", help_text="By what charges are added up."
    )
    sort = updated_since = None


class ChargeSums(Endpoint):
    only_reads = True
    needs_person = True

    @operation("chargeSums", _("Sums of charges"), tag=TAG, query=ChargeSumsQuery, gives=ChargeSumsShape)
    def get(self, request: Request) -> Response:
        """Return the charges that you may see, filtered as the list is, added up by instrument or course,
        person or payer: each currency and side apart, the largest first, at most 200."""
        query = query_values(ChargeSumsQuery, request.query_params)
        rows, _seen, _order = answered(self, CHARGES, charges_for(self.actor), query, ())
        return Response(
            rendered(
                ChargeSumsShape,
                {
                    "rows": [
                        {name: group.named(name) for name in ("instrument", "course", "person", "payer")}
                        | {
                            "user": {"id": person, "name": group.name}
                            if (person := group.named("person"))
                            else None,
                            "name": group.name or "",
                            "name_zh": group.name_zh or "",
                            "side": group.side,
                            "charges": group.number,
                            "payable": amount(group.payable, group.currency),
                        }
                        for group in sums_by(rows, query["by"], self.actor)
                    ]
                },
            )
        )


def _may_check(by: By, row: Charge) -> bool:
    return row.host_id in by.actor.organisations_where("manage-charges")


class FullChargeShape(ListedChargeShape):
    """A charge with the inputs from which `result` can be recomputed, and with its disputes and
    corrections."""

    inputs = serializers.DictField()
    disputes = DisputeShape(many=True, source="all_disputes")
    corrections = CorrectionShape(many=True, source="all_corrections")
    reversed_by = serializers.ListField(child=serializers.UUIDField())
    checked_at = Instant(
        allow_null=True,
        source="shown_checked_at",
        help_text="When the host ticked it as checked; null if it did not, or for others than the host.",
    )


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
        row.shown_checked_at = row.checked_at if _may_check(self.by, row) else None
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        found = load_sources(charges_for(self.actor).filter(pk__in=[row.pk for row in rows]), self.by)
        for row in rows:
            row.shown_sources = found.get(row.pk, "")
            booking = row.reservation
            is_theirs = booking is not None and booked_by(self.actor, booking)
            row.shown_reference = booking.reference if is_theirs else None
        return rows

    @listed(_("Charges"), CHARGES, gives=ListedChargeShape)
    def rows(self, query: dict[str, Any]) -> tuple[QuerySet[Charge], list[Q]]:
        """List the charges of reservations and courses that you may see, newest first."""
        return listed_charges().select_related("reservation__user", "enrolment__user"), first_charges_for(
            self.actor
        )

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
        """Dispute a charge while it is open, as the person who booked or attended or the payer's manager or
        finance. The charge does not become final before the host has answered."""
        dispute_open(self.by, charge_id=pk, **data)

    @OnPage("bookings:money-charges-one", done=_("The dispute is withdrawn."))
    @acts(_("Withdraw a dispute"), Nothing)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> None:
        """Withdraw a dispute, as the person who booked or attended or the payer's manager or finance. It
        is then open for the rest of its seven days or, if they are over, final."""
        dispute_withdraw(self.by, charge_id=pk)


class RecodeBody(FundingBody):
    """The sources that pay from now on, with shares that add up to 100 percent, and why."""

    reason = Text(500)


class ChargeFunding(Charges):
    write_scope = "manage"

    @acts(
        _("Charge other funding sources"),
        RecodeBody,
        sends={
            "funding": [{"source": "NSFC-2026-17", "percent": "100"}],
            "reason": "It was measured for the other project.",
        },
    )
    def recode(self, pk: UUID, data: dict[str, Any]) -> None:
        """Charge other funding sources of the payer than those that the booking was made with, as the payer's
        finance, until the charge is final. What the earlier sources have spent is put back; amounts stay. 422
        if a source is suspended, not valid on the day of the booking, or has not enough left."""
        charge_recode(self.by, charge_id=pk, shares=shares_of(data), reason=data["reason"])


class ChargeChecks(Charges):
    write_scope = "manage"

    @OnPage(
        "bookings:money-charges-one",
        _("Tick as checked"),
        _("Ticked as checked."),
        offered=lambda by, row: _may_check(by, row) and row.checked_at is None,
    )
    @acts(_("Tick as checked"), Nothing)
    def check(self, pk: UUID, data: dict[str, Any]) -> None:
        """Tick a charge as checked, as the host's manager or finance: for the host's own work, which only its
        people see."""
        charge_check(self.by, charge_id=pk, checked=True)

    @OnPage(
        "bookings:money-charges-one",
        _("Take the tick back"),
        _("The tick is taken back."),
        offered=lambda by, row: _may_check(by, row) and row.checked_at is not None,
    )
    @acts(_("Take the tick of a charge back"), Nothing)
    def uncheck(self, pk: UUID, data: dict[str, Any]) -> None:
        """Take back the tick of a charge that was checked, as the host's manager or finance."""
        charge_check(self.by, charge_id=pk, checked=False)
