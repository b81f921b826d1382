"""Funding sources: what members of an organisation may charge, and what was charged to them."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages
from accounts.api.resource import (
    Resource,
    acts,
    changes,
    creates,
    lists,
    named,
    parts,
    reads,
    rendered,
)
from accounts.api.schema import operation
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
)
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
from bookings.funding.selectors.spending import load_spending
from bookings.funding.services.funding import (
    source_change,
    source_create,
    source_resume,
    source_suspend,
)
from bookings.record.api.shapes import PlainNumber
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
    name = serializers.CharField(source="*")


class FundingSourceShape(serializers.Serializer[Any]):
    """A project, account or cost centre of an organisation. `held` is set aside for bookings,
    `spent` charged, `transferred` gone to the organisation that was merged into; `left` is the
    budget less these, below zero where use outran it. It pays for bookings that start on the local
    days of [`valid_from`, `valid_until`)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    code = serializers.CharField()
    name = serializers.CharField()
    owner = SourcePersonShape()
    users = SourcePersonShape(
        many=True, source="people", help_text="Who may charge it beside its owner."
    )
    open = serializers.BooleanField(
        source="is_open", help_text="Every member of the organisation may charge it."
    )
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

    source = serializers.UUIDField(source="source_id")  # type: ignore[assignment]
    code = serializers.CharField(source="source.code")
    name = serializers.CharField(source="source.name")
    percent = PlainNumber()
    held = Money(currency="source.currency")
    spent = Money(source="redeemed", currency="source.currency")


class FundingEntryShape(serializers.Serializer[Any]):
    """What is or was set aside in a source for one booking."""

    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.UUIDField(source="reservation.instrument_id")
    instrument_name = serializers.CharField(source="reservation.instrument.name")
    user = SourcePersonShape(source="reservation.user")
    start = Instant(source="reservation.start_at")
    state = serializers.CharField(source="reservation.state")
    percent = PlainNumber()
    held = Money(currency="source.currency")
    spent = Money(source="redeemed", currency="source.currency")
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


class FundingSources(Resource):
    at, key, tag = "funding-sources/", "source_id", TAG
    name, many = "funding_source", "funding_sources"
    shape, order = FundingSourceShape, ("code", "id")
    needs_person = True

    def visible(self, pk: UUID) -> FundingSource:
        return source_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.state, row.people = state_of(row, self.now), sorted(row.users.all(), key=str)
        return rows

    @lists(_("Funding sources"), SourceQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[FundingSource]:
        """Those one may charge; for finance and managers those of their organisation, for
        auditors those of their regions. By code."""
        rows = sources_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return in_state(rows, query["state"], self.now.date()) if "state" in query else rows

    @creates(
        _("Create a funding source"), SourceBody, sends={"organisation": "wusong-tech", **EXAMPLE}
    )
    def create(self, data: dict[str, Any]) -> UUID:
        """For the organisation's finance. Its owner and the users named may charge it, or with
        `open` every member; what their bookings cost is set aside in it."""
        organisation = named("organisation", organisation_by_code, data["organisation"])
        today = local_date(ZoneInfo(organisation.region.time_zone), self.now)
        terms = SourceTerms(**{"valid_from": today, **terms_given(data, organisation)})
        row = source_create(self.by, organisation=organisation, code=data["code"], terms=terms)
        return row.pk

    @reads(_("One funding source"))
    def detail(self, pk: UUID) -> None:
        """With what is set aside and spent."""

    @changes(
        _("Change a funding source"),
        SourceChangeBody,
        partial=True,
        sends={"budget": "100000.00", "open": True},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its finance. Bookings keep what is set aside for them."""
        changed = terms_given(data, self.visible(pk).organisation)
        source_change(self.by, source_id=pk, changes=changed)

    @acts(
        _("Suspend a funding source"), ReasonBody, sends={"reason": "The project is under review."}
    )
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its finance, with a reason. Nothing new is charged to it, and no request that it
        is to pay for is approved (422 `funding-blocked`); what is set aside stays so, and
        confirmed bookings are paid from it."""
        source_suspend(self.by, source_id=pk, **data)

    @acts(_("Resume a funding source"), ReasonBody)
    def resume(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its finance: it pays again."""
        source_resume(self.by, source_id=pk, **data)

    @parts(
        _("What was charged to a funding source"), FundingEntryShape, order=("-created_at", "-id")
    )
    def entries(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Earmark]:
        """What is or was set aside for each booking, the latest first; of other people's
        bookings for its owner and those who look after the organisation's money."""
        return entries_of(self.actor, self.visible(pk))


class Spending(Endpoint):
    needs_person = True

    @operation("spending", _("What my bookings cost"), tag=TAG, gives=SpendingShape)
    def get(self, request: Request) -> Response:
        """What one's own bookings will cost and have cost, by month (of one's own zone) and
        funding source, for a year back and all that is to come."""
        spending = load_spending(self.actor.person, ZoneInfo(self.actor.time_zone), self.now)
        return Response(rendered(SpendingShape, {"results": spending}))
