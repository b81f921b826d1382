"""Voucher grants, and what they were used for."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, named, parts, reads
from accounts.api.shapes import Day, Flag, Instant, Money, Number, ReasonBody, Shape, Text
from accounts.selectors.organisations import organisation_by_code
from bookings.funding.api.programmes import EXAMPLE as PROGRAMME
from bookings.funding.api.programmes import FiguresShape
from bookings.funding.models import Earmark
from bookings.funding.selectors.programmes import (
    figures_of,
    grant_by_id,
    grants_for,
    host_regions_of,
    own_grants,
    programme_by_id,
    state_of_grant,
    uses_of,
)
from bookings.funding.services.grants import (
    GrantChange,
    grant_change,
    grant_create,
    grant_resume,
    grant_suspend,
)
from bookings.pricing.models import VoucherGrant
from bookings.record.api.shapes import PlainNumber

STATES = ("open", "coming", "suspended", "used_up", "expired")
OF_PROGRAMME = [
    "id",
    "code",
    "name",
    "name_zh",
    "region",
    "percent",
    "cap_per_booking",
    "host_regions",
]
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
    """The terms on which a grant pays. `host_regions` empty: everywhere."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    region = serializers.CharField(source="region.code")
    percent = PlainNumber()
    cap_per_booking = Money(allow_null=True)
    host_regions = serializers.ListField(child=serializers.CharField(), source="hosts")


class GrantShape(FiguresShape):
    """One organisation's amount, for bookings that start on the local days from `valid_from`
    until before `valid_until`. It pays for these also after its last day."""

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
    """What is set aside of a grant for a booking, or was charged to it."""

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


class GrantBody(Shape):
    programme = serializers.UUIDField()
    organisation = Text(40, help_text="The code of one of the programme's region.")
    code = Text(40, required=False, help_text="One is made, unless named.")
    amount = Number(24, 6)
    valid_from = Day()
    valid_until = Day(help_text="The first day it no longer holds.")


class GrantChangeBody(Shape):
    amount = Number(24, 6, required=False)
    valid_from = Day(required=False)
    valid_until = Day(required=False)
    reason = Text(500, default="", allow_blank=True)


class GrantQuery(Pages):
    programme = serializers.UUIDField(required=False)
    organisation = Text(40, default="", help_text="Its code.")
    mine = Flag(default=False, help_text="Only those of your organisations.")


class Grants(Resource):
    at, key, name, many, tag = "grants/", "grant_id", "grant", "grants", "vouchers"
    shape, order = GrantShape, ("-granted_at", "-id")
    needs_person = True

    def visible(self, pk: UUID) -> VoucherGrant:
        return grant_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        hosts = host_regions_of({row.programme_id: row.programme for row in rows}.values())
        for row in rows:
            row.figures, row.currency = figures_of(row), row.programme.currency
            row.state = state_of_grant(row, self.now)
            row.programme.hosts = [region.code for region in hosts[row.programme_id]]
        return rows

    @lists(_("Voucher grants"), GrantQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[VoucherGrant]:
        """Those of one's organisations, and of the programmes that one coordinates or audits,
        the newest first."""
        rows = own_grants(self.actor) if query["mine"] else grants_for(self.actor)
        if "programme" in query:
            rows = rows.filter(programme_id=query["programme"])
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return rows

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
        """For the coordinator of the programme's region; all its grants come to its budget at
        most."""
        named("programme", programme_by_id, self.actor, data["programme"])
        organisation = named("organisation", organisation_by_code, data["organisation"])
        data |= {"organisation": organisation, "programme_id": data.pop("programme")}
        return grant_create(self.by, **{"code": "", **data}).pk

    @reads(_("One voucher grant"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """For people of the organisation, and coordinators and auditors of the region. The
        figures have no version."""

    @changes(
        _("Raise or lower a grant"),
        GrantChangeBody,
        sends={"amount": "60000.00", "reason": "Second half of the year"},
        answers=EXAMPLE,
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the coordinator: never below what is set aside and spent, nor above what the
        programme has left; or its days, for bookings to come."""
        self.visible(pk)
        reason = data.pop("reason")
        grant_change(self.by, grant_id=pk, change=GrantChange(**data), reason=reason)

    @acts(_("Suspend a grant"), ReasonBody)
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the coordinator. It covers no booking any more; what is set aside stays."""
        self.visible(pk)
        grant_suspend(self.by, grant_id=pk, **data)

    @acts(_("Resume a grant"))
    def resume(self, pk: UUID) -> None:
        """For the coordinator."""
        self.visible(pk)
        grant_resume(self.by, grant_id=pk)

    @parts(_("What a grant was used for"), UseShape, order=("-created_at", "-id"))
    def uses(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Earmark]:
        """The bookings behind `held` and `redeemed`, the newest first: all for the coordinator,
        else those that the person may see."""
        return uses_of(self.actor, self.visible(pk))
