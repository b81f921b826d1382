"""Voucher grants, and the bookings they paid for."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, named, parts, reads
from accounts.api.shapes import Instant, Money, ReasonBody
from accounts.selectors.organisations import organisation_by_code
from bookings.funding.api.programmes import EXAMPLE as PROGRAMME
from bookings.funding.api.programmes import FiguresShape
from bookings.funding.forms.programmes import GrantBody, GrantChangeBody
from bookings.funding.models import Earmark
from bookings.funding.selectors import programmes
from bookings.funding.services import grants
from bookings.pricing.models import VoucherGrant
from bookings.record.api.lists import listed
from bookings.record.api.shapes import PlainNumber

STATES = ("open", "coming", "suspended", "used_up", "expired")
OF_PROGRAMME = ["id", "code", "name", "name_zh", "region", "percent", "cap_per_booking", "host_regions"]
EXAMPLE = {
    "id": "0197a1de-0000-7000-8000-000000000041",
    "code": "sh-vouchers-wusong-tech-2026",
    "organisation": "wusong-tech",
    "programme": {name: PROGRAMME[name] for name in OF_PROGRAMME},
    "granted": {"amount": "50000.00", "currency": "CNY"},
    "held": {"amount": "1200.00", "currency": "CNY"},
    "redeemed": {"amount": "8000.00", "currency": "CNY"},
    "transferred": {"amount": "0.00", "currency": "CNY"},
    "left": {"amount": "40800.00", "currency": "CNY"},
    "valid_from": "2026-01-01",
    "valid_until": "2027-01-01",
    "state": "open",
    "suspended_at": None,
    "granted_at": "2026-01-05T02:00:00Z",
    "version": 1,
}


class GrantProgrammeShape(serializers.Serializer[Any]):
    """The terms on which a grant pays. Empty `host_regions` means every region."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    region = serializers.CharField(source="region.code")
    percent = PlainNumber()
    cap_per_booking = Money(allow_null=True)
    host_regions = serializers.ListField(child=serializers.CharField(), source="hosts")


class GrantShape(FiguresShape):
    """The amount granted to one organisation, for bookings that start on the local days [`valid_from`,
    `valid_until`). It pays for these also after its last day."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    organisation = serializers.CharField(source="organisation.code")
    programme = GrantProgrammeShape()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    state = serializers.ChoiceField(STATES)
    suspended_at = Instant(allow_null=True)
    granted_at = Instant()
    version = serializers.IntegerField()


class ChargesShape(serializers.ListField):
    child = serializers.UUIDField()

    def get_attribute(self, use: Any) -> list[UUID]:
        charges = use.reservation.charges.all()
        return [charge.pk for charge in charges if charge.grant_id == use.grant_id]


class UseShape(serializers.Serializer[Any]):
    """An amount of a grant that is reserved for a booking, or was charged."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    instrument_name = serializers.CharField(source="reservation.instrument.name")
    organisation = serializers.CharField(source="reservation.organisation.code")
    host = serializers.CharField(source="reservation.host.code")
    start = Instant(source="reservation.start_at")
    end = Instant(source="reservation.end_at")
    held = Money(currency="grant.programme.currency")
    redeemed = Money(currency="grant.programme.currency")
    charges = ChargesShape()
    created_at = Instant()


class Grants(Resource):
    at, key, name, many, tag = "grants/", "grant_id", "grant", "grants", "vouchers"
    shape, order = GrantShape, ("-granted_at", "-id")
    needs_person, page_at, page_name = True, "vouchers/", "money-vouchers-grant"

    def visible(self, pk: UUID) -> VoucherGrant:
        return programmes.grant_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        hosts = programmes.host_regions_of({row.programme_id: row.programme for row in rows}.values())
        for row in rows:
            row.figures, row.currency = programmes.figures_of(row), row.programme.currency
            row.state = programmes.state_of_grant(row, self.now)
            row.programme.hosts = [region.code for region in hosts[row.programme_id]]
        return rows

    @listed(_("Voucher grants"), programmes.GRANTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[VoucherGrant]:
        """Return grants of your organisations, and of programmes you coordinate or audit, the newest
        first."""
        return programmes.grants_for(self.actor)

    @creates(
        _("Grant an amount"),
        GrantBody,
        sends={
            "programme": "0197a1de-0000-7000-8000-000000000031",
            "organisation": "wusong-tech",
            "amount": "50000.00",
            "valid_from": "2026-01-01",
            "valid_until": "2027-01-01",
        },
        answers=EXAMPLE,
    )
    def create(self, data: dict[str, Any]) -> UUID:
        """Grant an organisation an amount; only the coordinator of the programme's region may do this. All
        grants of a programme together do not exceed its budget."""
        named("programme", programmes.programme_by_id, self.actor, data["programme"])
        organisation = named("organisation", organisation_by_code, data["organisation"])
        data |= {"organisation": organisation, "programme_id": data.pop("programme")}
        return grants.grant_create(self.by, **{"code": "", **data}).pk

    @reads(_("A voucher grant"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """Return a grant. People of the organisation, and coordinators and auditors of the region, may read
        it. The `version` does not cover the figures."""

    @changes(
        _("Raise or lower a grant"),
        GrantChangeBody,
        sends={"amount": "60000.00", "reason": "Second half of the year"},
        answers=EXAMPLE,
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Change a grant: its amount, never below what is reserved and spent nor above what the programme has
        left, or its days, for bookings to come. Only the coordinator may do this."""
        reason = data.pop("reason")
        grants.grant_change(self.by, grant_id=pk, change=grants.GrantChange(**data), reason=reason)

    @OnPage("bookings:money-vouchers-grant", done=_("Suspended."))
    @acts(_("Suspend a grant"), ReasonBody)
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """Suspend a grant; only the coordinator may do this. It covers no more bookings; reserved money stays
        reserved."""
        grants.grant_suspend(self.by, grant_id=pk, **data)

    @OnPage("bookings:money-vouchers-grant", done=_("Resumed."))
    @acts(_("Resume a grant"))
    def resume(self, pk: UUID) -> None:
        """Let a suspended grant cover bookings again; only the coordinator may do this."""
        grants.grant_resume(self.by, grant_id=pk)

    @parts(_("What a grant was used for"), UseShape, order=("-created_at", "-id"))
    def uses(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Earmark]:
        """Return the bookings behind `held` and `redeemed`, the newest first: all of them for the
        coordinator, for others those that they may see."""
        return programmes.uses_of(self.actor, self.visible(pk))
