"""Voucher grants, and what they were used for."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Day,
    Flag,
    Instant,
    Money,
    Number,
    ReasonBody,
    Shape,
    Text,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.selectors.organisations import organisation_by_code
from bookings.funding.api.programmes import FiguresShape, figures_json, money_or_none
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
from bookings.record.domain.money import format_number

STATES = ("open", "coming", "suspended", "used_up", "expired")
EXAMPLE = {
    "id": "0197a1de-0000-7000-8000-000000000041",
    "code": "sh-vouchers-wusong-tech-2026",
    "organisation": "wusong-tech",
    "programme": {
        "id": "0197a1de-0000-7000-8000-000000000031",
        "code": "sh-vouchers",
        "name": "Shanghai innovation vouchers",
        "name_zh": "上海科技创新券",
        "region": "CN-SH",
        "percent": "50",
        "cap_per_booking": {"amount": "20000.00", "currency": "CNY"},
        "host_regions": ["CN-AH", "CN-JS"],
    },
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
    region = serializers.CharField()
    percent = serializers.CharField()
    cap_per_booking = Money(allow_null=True)
    host_regions = serializers.ListField(child=serializers.CharField())


class GrantShape(FiguresShape):
    """One organisation's amount, for bookings that start on the local days from `valid_from`
    until before `valid_until`. It pays for these also after its last day."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    organisation = serializers.CharField()
    programme = GrantProgrammeShape()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    state = serializers.ChoiceField(STATES)
    suspended_at = Instant(allow_null=True)
    granted_at = Instant()
    version = serializers.IntegerField()


class UseShape(serializers.Serializer[Any]):
    """What is set aside of a grant for a booking, or was charged to it."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField()
    instrument = serializers.UUIDField()
    instrument_name = serializers.CharField()
    organisation = serializers.CharField()
    host = serializers.CharField()
    start = Instant()
    end = Instant()
    held = Money()
    redeemed = Money()
    charges = serializers.ListField(child=serializers.UUIDField())
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


class GrantEndpoint(Endpoint):
    """What the addresses of grants share."""

    needs_person = True

    def shown(self, rows: list[VoucherGrant]) -> list[dict[str, Any]]:
        hosts = host_regions_of({row.programme_id: row.programme for row in rows}.values())
        return [
            {
                "id": str(row.pk),
                "code": row.code,
                "organisation": row.organisation.code,
                "programme": {
                    "id": str(row.programme_id),
                    "code": row.programme.code,
                    "name": row.programme.name,
                    "name_zh": row.programme.name_zh,
                    "region": row.programme.region.code,
                    "percent": format_number(row.programme.percent),
                    "cap_per_booking": money_or_none(
                        row.programme.cap_per_booking, row.programme.currency
                    ),
                    "host_regions": [region.code for region in hosts[row.programme_id]],
                },
                **figures_json(figures_of(row), row.programme.currency),
                "valid_from": row.valid_from.isoformat(),
                "valid_until": row.valid_until.isoformat(),
                "state": state_of_grant(row, self.now),
                "suspended_at": rfc3339(row.suspended_at) if row.suspended_at else None,
                "granted_at": rfc3339(row.granted_at),
                "version": row.version,
            }
            for row in rows
        ]

    def one(self, grant_id: UUID, status: int = 200) -> Response:
        row = grant_by_id(self.actor, grant_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-grant", kwargs={"grant_id": row.pk})
        return Response(self.shown([row])[0], status=status, headers=headers)


class Grants(GrantEndpoint):
    @operation(
        "grants",
        _("Voucher grants"),
        tag="vouchers",
        query=GrantQuery,
        gives=page(GrantShape),
    )
    def get(self, request: Request) -> Response:
        """Those of one's organisations, and of the programmes that one coordinates or audits,
        the newest first."""
        query = asked(GrantQuery, request.query_params)
        rows = own_grants(self.actor) if query["mine"] else grants_for(self.actor)
        if "programme" in query:
            rows = rows.filter(programme_id=query["programme"])
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return paginated(request, rows, query, ("-granted_at", "-id"), self.shown)

    @operation(
        "grant_create",
        _("Grant an amount"),
        tag="vouchers",
        takes=GrantBody,
        gives=GrantShape,
        status=201,
        once=True,
        sends={
            "programme": EXAMPLE["programme"]["id"],  # type: ignore[index]
            "organisation": "wusong-tech",
            "amount": "50000.00",
            "valid_from": "2026-01-01",
            "valid_until": "2027-01-01",
        },
        answers=EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the coordinator of the programme's region; all its grants come to its budget at
        most."""
        data = checked(GrantBody, request.data)

        def create() -> Response:
            try:
                programme = programme_by_id(self.actor, data["programme"])
            except NotFound:
                raise invalid("programme", "unknown-value") from None
            try:
                organisation = organisation_by_code(data["organisation"])
            except NotFound:
                raise invalid("organisation", "unknown-value") from None
            made = grant_create(
                actor=self.actor,
                programme_id=programme.pk,
                organisation=organisation,
                code=data.get("code", ""),
                amount=data["amount"],
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                now=self.now,
            )
            return self.one(made.pk, status=201)

        return self.once(create)


class GrantDetail(GrantEndpoint):
    @operation(
        "grant",
        _("One voucher grant"),
        tag="vouchers",
        gives=GrantShape,
        refuses=[404],
        answers=EXAMPLE,
    )
    def get(self, request: Request, grant_id: UUID) -> Response:
        """For people of the organisation, and coordinators and auditors of the region. The
        figures have no version."""
        return self.one(grant_id)

    @operation(
        "grant_change",
        _("Raise or lower a grant"),
        tag="vouchers",
        takes=GrantChangeBody,
        gives=GrantShape,
        refuses=[404],
        versioned=True,
        sends={"amount": "60000.00", "reason": "Second half of the year"},
        answers=EXAMPLE,
    )
    def patch(self, request: Request, grant_id: UUID) -> Response:
        """For the coordinator: never below what is set aside and spent, nor above what the
        programme has left; or its days, for bookings to come."""
        expected = expected_version(request)
        data = checked(GrantChangeBody, request.data)
        grant_by_id(self.actor, grant_id)
        reason = data.pop("reason")
        grant_change(
            actor=self.actor,
            grant_id=grant_id,
            change=GrantChange(**data),
            reason=reason,
            expected_version=expected,
            now=self.now,
        )
        return self.one(grant_id)


class GrantSuspend(GrantEndpoint):
    @operation(
        "grant_suspend",
        _("Suspend a grant"),
        tag="vouchers",
        takes=ReasonBody,
        gives=GrantShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, grant_id: UUID) -> HttpResponseBase:
        """For the coordinator. It covers no booking any more; what is set aside stays."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def suspend() -> Response:
            grant_by_id(self.actor, grant_id)
            grant_suspend(
                actor=self.actor,
                grant_id=grant_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(grant_id)

        return self.once(suspend)


class GrantResume(GrantEndpoint):
    @operation(
        "grant_resume",
        _("Resume a grant"),
        tag="vouchers",
        gives=GrantShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, grant_id: UUID) -> HttpResponseBase:
        """For the coordinator."""
        expected = expected_version(request)

        def resume() -> Response:
            grant_by_id(self.actor, grant_id)
            grant_resume(
                actor=self.actor, grant_id=grant_id, expected_version=expected, now=self.now
            )
            return self.one(grant_id)

        return self.once(resume)


class GrantUses(GrantEndpoint):
    @operation(
        "grant_uses",
        _("What a grant was used for"),
        tag="vouchers",
        query=Pages,
        gives=page(UseShape),
        refuses=[404],
    )
    def get(self, request: Request, grant_id: UUID) -> Response:
        """The bookings behind `held` and `redeemed`, the newest first: all for the coordinator,
        else those that the person may see."""
        query = asked(Pages, request.query_params)
        row = grant_by_id(self.actor, grant_id)
        return paginated(
            request,
            uses_of(self.actor, row),
            query,
            ("-created_at", "-id"),
            lambda found: [use_json(use, row.programme.currency) for use in found],
        )


def use_json(use: Earmark, currency: str) -> dict[str, Any]:
    reservation = use.reservation
    return {
        "id": str(use.pk),
        "reservation": str(reservation.pk),
        "instrument": str(reservation.instrument_id),
        "instrument_name": reservation.instrument.name,
        "organisation": reservation.organisation.code,
        "host": reservation.host.code,
        "start": rfc3339(reservation.start_at),
        "end": rfc3339(reservation.end_at),
        "held": amount(use.held, currency),
        "redeemed": amount(use.redeemed, currency),
        "charges": [
            str(charge.pk)
            for charge in reservation.charges.all()
            if charge.grant_id == use.grant_id
        ],
        "created_at": rfc3339(use.created_at),
    }
