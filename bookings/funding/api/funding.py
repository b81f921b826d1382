"""Funding sources: what members of an organisation may charge, and what was charged to them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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
    Choice,
    Day,
    Flag,
    Instant,
    ListOf,
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
from accounts.models import User
from accounts.selectors.organisations import organisation_by_code
from bookings.funding.domain.funding_sources import (
    LONGEST_CODE,
    LONGEST_NAME,
    MOST_USERS,
    STATES,
    SourceTerms,
)
from bookings.funding.models import Earmark, FundingSource
from bookings.funding.selectors.funding_sources import (
    entries_of,
    in_state,
    source_by_id,
    sources_for,
    state_of,
    terms_given,
)
from bookings.funding.selectors.spending import Spent, load_spending
from bookings.funding.services.funding import (
    source_change,
    source_create,
    source_resume,
    source_suspend,
)
from bookings.record.domain.money import format_number
from instruments.domain.opening import local_date

TAG = "money"
EXAMPLE = {
    "code": "NSFC-2026-17",
    "name": "Cathodes without cobalt",
    "owner": "lin.yue@example.org",
    "users": ["xu.nan@example.org"],
    "open": False,
    "currency": "CNY",
    "budget": "80000.00",
    "valid_from": "2026-01-01",
    "valid_until": "2029-01-01",
}


# Answers


class SourcePersonShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class FundingSourceShape(serializers.Serializer[Any]):
    """A project, account or cost centre of an organisation. `held` is set aside for bookings,
    `spent` charged, `transferred` gone to the organisation that was merged into; `left` is the
    budget less these, below zero where use outran it. It pays for bookings that start on the local
    days of [`valid_from`, `valid_until`)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    owner = SourcePersonShape()
    users = SourcePersonShape(many=True, help_text="Who may charge it beside its owner.")
    open = serializers.BooleanField(help_text="Every member of the organisation may charge it.")
    currency = serializers.CharField()
    budget = Money(allow_null=True, help_text="Null: no limit.")
    held = Money()
    spent = Money()
    transferred = Money()
    left = Money(allow_null=True)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    suspended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class FundedShape(serializers.Serializer[Any]):
    """A funding source that pays for a booking: how much of it, what is set aside now, and what
    was charged to it, in its own currency."""

    source = serializers.UUIDField()  # type: ignore[assignment]
    code = serializers.CharField()
    name = serializers.CharField()
    percent = serializers.CharField()
    held = Money()
    spent = Money()


class FundingEntryShape(serializers.Serializer[Any]):
    """What is or was set aside in a source for one booking."""

    reservation = serializers.UUIDField()
    instrument = serializers.UUIDField()
    instrument_name = serializers.CharField()
    user = SourcePersonShape()
    start = Instant()
    state = serializers.CharField()
    percent = serializers.CharField()
    held = Money()
    spent = Money()
    created_at = Instant()


class SpentShape(serializers.Serializer[Any]):
    """Of one's bookings that start in a month: what is set aside or quoted, and what was
    charged. `source` null: what no funding source pays."""

    month = serializers.DateField()
    source = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]
    code = serializers.CharField()
    name = serializers.CharField()
    will_cost = Money()
    has_cost = Money()


class SpendingShape(serializers.Serializer[Any]):
    results = SpentShape(many=True)


def source_json(row: FundingSource, now: datetime) -> dict[str, Any]:
    left, currency = row.left, row.currency
    return {
        "id": str(row.pk),
        "organisation": row.organisation.code,
        "code": row.code,
        "name": row.name,
        "owner": _person(row.owner),
        "users": [_person(user) for user in sorted(row.users.all(), key=str)],
        "open": row.is_open,
        "currency": currency,
        "budget": None if row.budget is None else amount(row.budget, currency),
        "held": amount(row.held, currency),
        "spent": amount(row.spent, currency),
        "transferred": amount(row.transferred, currency),
        "left": None if left is None else amount(left, currency),
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "state": state_of(row, now),
        "suspended_at": rfc3339(row.suspended_at) if row.suspended_at else None,
        "version": row.version,
    }


def _person(user: User) -> dict[str, str]:
    return {"id": str(user.pk), "name": str(user)}


def funded_json(rows: Iterable[Earmark]) -> list[dict[str, Any]]:
    """Earmarks loaded with their sources."""
    return [
        {
            "source": str(source.pk),
            "code": source.code,
            "name": source.name,
            "percent": format_number(row.percent) if row.percent else "0",
            "held": amount(row.held, source.currency),
            "spent": amount(row.redeemed, source.currency),
        }
        for row in rows
        if (source := row.source) is not None
    ]


def entry_json(row: Earmark, currency: str) -> dict[str, Any]:
    reservation = row.reservation
    return {
        "reservation": str(reservation.pk),
        "instrument": str(reservation.instrument_id),
        "instrument_name": reservation.instrument.name,
        "user": _person(reservation.user),
        "start": rfc3339(reservation.start_at),
        "state": reservation.state,
        "percent": format_number(row.percent) if row.percent else "0",
        "held": amount(row.held, currency),
        "spent": amount(row.redeemed, currency),
        "created_at": rfc3339(row.created_at),
    }


def spent_json(spent: Spent) -> dict[str, Any]:
    return {
        "month": spent.month.isoformat(),
        "source": str(spent.source) if spent.source else None,
        "code": spent.code,
        "name": spent.name,
        "will_cost": amount(spent.will_cost, spent.currency),
        "has_cost": amount(spent.has_cost, spent.currency),
    }


# Requests


class SourceChangeBody(Shape):
    """Finance says these; those not named stay."""

    name = Text(LONGEST_NAME)
    owner = Text(254, help_text="A member, by id or mail address; may always charge it.")
    users = ListOf(
        child=Text(254),
        max_length=MOST_USERS,
        required=False,
        help_text="Members who may charge it, by id or mail address.",
    )
    open = Flag(required=False, help_text="Every member may charge it.")
    currency = Text(3, help_text="Cannot be changed once something has been charged.")
    budget = Number(
        18,
        3,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="Null: no limit. Never less than what is set aside and spent.",
    )
    valid_from = Day(required=False, help_text="Today, unless named.")
    valid_until = Day(required=False, allow_null=True, help_text="The first day it is not.")


class SourceBody(SourceChangeBody):
    organisation = Text(40, help_text="A code.")
    code = Text(LONGEST_CODE, help_text="The organisation's own; it stays.")


class SourceQuery(Pages):
    organisation = Text(40, default="", help_text="A code.")
    state = Choice([(state, state) for state in STATES], required=False)


class FundingEndpoint(Endpoint):
    """What the addresses of funding sources share."""

    needs_person = True

    def one(self, source_id: UUID, status: int = 200) -> Response:
        row = source_by_id(self.actor, source_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-funding-source", kwargs={"source_id": row.pk})
        return Response(source_json(row, self.now), status=status, headers=headers)


class FundingSources(FundingEndpoint):
    @operation(
        "funding_sources",
        _("Funding sources"),
        tag=TAG,
        query=SourceQuery,
        gives=page(FundingSourceShape),
    )
    def get(self, request: Request) -> Response:
        """Those one may charge; for finance and managers those of their organisation, for
        auditors those of their regions. By code."""
        query = asked(SourceQuery, request.query_params)
        rows = sources_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "state" in query:
            rows = in_state(rows, query["state"], self.now.date())
        return paginated(
            request,
            rows,
            query,
            ("code", "id"),
            lambda found: [source_json(row, self.now) for row in found],
        )

    @operation(
        "funding_source_create",
        _("Create a funding source"),
        tag=TAG,
        takes=SourceBody,
        gives=FundingSourceShape,
        status=201,
        once=True,
        sends={"organisation": "wusong-tech", **EXAMPLE},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the organisation's finance. Its owner and the users named may charge it, or with
        `open` every member; what their bookings cost is set aside in it."""
        data = checked(SourceBody, request.data)

        def create() -> Response:
            try:
                organisation = organisation_by_code(data["organisation"])
            except NotFound:
                raise invalid("organisation", "unknown-value") from None
            zone = ZoneInfo(organisation.region.time_zone)
            given: dict[str, Any] = {"valid_from": local_date(zone, self.now)}
            given |= terms_given(data, organisation)
            made = source_create(
                actor=self.actor,
                organisation=organisation,
                code=data["code"],
                terms=SourceTerms(**given),
                now=self.now,
            )
            return self.one(made.pk, status=201)

        return self.once(create)


class FundingSourceDetail(FundingEndpoint):
    @operation(
        "funding_source",
        _("One funding source"),
        tag=TAG,
        gives=FundingSourceShape,
        refuses=[404],
    )
    def get(self, request: Request, source_id: UUID) -> Response:
        """With what is set aside and spent."""
        return self.one(source_id)

    @operation(
        "funding_source_change",
        _("Change a funding source"),
        tag=TAG,
        takes=SourceChangeBody,
        gives=FundingSourceShape,
        refuses=[404],
        versioned=True,
        sends={"budget": "100000.00", "open": True},
    )
    def patch(self, request: Request, source_id: UUID) -> Response:
        """For its finance. Bookings keep what is set aside for them."""
        expected = expected_version(request)
        data = checked(SourceChangeBody, request.data, partial=True)
        row = source_by_id(self.actor, source_id)
        source_change(
            actor=self.actor,
            source_id=source_id,
            changes=terms_given(data, row.organisation),
            expected_version=expected,
            now=self.now,
        )
        return self.one(source_id)


class FundingSourceSuspend(FundingEndpoint):
    @operation(
        "funding_source_suspend",
        _("Suspend a funding source"),
        tag=TAG,
        takes=ReasonBody,
        gives=FundingSourceShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"reason": "The project is under review."},
    )
    def post(self, request: Request, source_id: UUID) -> HttpResponseBase:
        """For its finance, with a reason. Nothing new is charged to it, and no request that it
        is to pay for is approved (422 `funding-blocked`); what is set aside stays so, and
        confirmed bookings are paid from it."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def act() -> Response:
            source_suspend(
                actor=self.actor,
                source_id=source_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(source_id)

        return self.once(act)


class FundingSourceResume(FundingEndpoint):
    @operation(
        "funding_source_resume",
        _("Resume a funding source"),
        tag=TAG,
        takes=ReasonBody,
        gives=FundingSourceShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, source_id: UUID) -> HttpResponseBase:
        """For its finance: it pays again."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def act() -> Response:
            source_resume(
                actor=self.actor,
                source_id=source_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(source_id)

        return self.once(act)


class FundingSourceEntries(FundingEndpoint):
    @operation(
        "funding_source_entries",
        _("What was charged to a funding source"),
        tag=TAG,
        query=Pages,
        gives=page(FundingEntryShape),
        refuses=[404],
    )
    def get(self, request: Request, source_id: UUID) -> Response:
        """What is or was set aside for each booking, the latest first; of other people's
        bookings for its owner and those who look after the organisation's money."""
        query = asked(Pages, request.query_params)
        row = source_by_id(self.actor, source_id)
        return paginated(
            request,
            entries_of(self.actor, row),
            query,
            ("-created_at", "-id"),
            lambda found: [entry_json(each, row.currency) for each in found],
        )


class Spending(Endpoint):
    needs_person = True

    @operation("spending", _("What my bookings cost"), tag=TAG, gives=SpendingShape)
    def get(self, request: Request) -> Response:
        """What one's own bookings will cost and have cost, by month (of one's own zone) and
        funding source, for a year back and all that is to come."""
        found = load_spending(self.actor.person, ZoneInfo(self.actor.time_zone), self.now)
        return Response({"results": [spent_json(each) for each in found]})
