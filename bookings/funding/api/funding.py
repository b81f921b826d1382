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
from accounts.api.memberships import PersonShape
from accounts.api.resource import OnPage, Resource, acts, changes, creates, named, parts, reads, rendered
from accounts.api.schema import operation
from accounts.api.shapes import (
    Day,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    ReasonBody,
    Shape,
    Text,
    checked,
    replaced_by,
    shown_by,
)
from accounts.domain.errors import NotPermitted
from accounts.selectors.organisations import organisation_by_code, payer_for
from bookings.funding.domain import funding_sources
from bookings.funding.domain.funding import MOST_SHARES, Share
from bookings.funding.forms.funding import DefaultPeopleForm, SuspendForm
from bookings.funding.models import Earmark, FundingSource
from bookings.funding.selectors import funding_sources as funding_source_selectors
from bookings.funding.selectors.defaults import defaults_of
from bookings.funding.selectors.spending import load_spending
from bookings.funding.services.defaults import default_choose, defaults_give
from bookings.funding.services.funding import source_change, source_create, source_resume, source_suspend
from bookings.record.api.lists import listed
from bookings.record.api.shapes import PlainNumber
from instruments.reading.domain.clock import local_date

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


class FundingSourceShape(serializers.Serializer[Any]):
    """A project, account or cost centre of an organisation. `held` is reserved for bookings, `spent` was
    charged, `transferred` moved to the organisation this one was merged into; `left` is the budget less
    these, below zero if use exceeded it. The source pays for bookings that start on the local days of
    [`valid_from`, `valid_until`)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    code = serializers.CharField()
    name = serializers.CharField()
    owner = PersonShape()
    users = PersonShape(
        many=True, source="people", help_text="Members who may charge the source, besides its owner."
    )
    open = serializers.BooleanField(
        source="is_open", help_text="Whether every member of the organisation may charge it."
    )
    currency = serializers.CharField()
    budget = Money(allow_null=True, help_text="Null: no limit.")
    held = Money()
    spent = Money()
    transferred = Money()
    left = Money(allow_null=True)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(funding_sources.STATES)
    suspended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class FundedShape(serializers.Serializer[Any]):
    """A funding source that pays for a booking: how much of it, what is reserved now, and what was charged to
    it, in its own currency."""

    source = serializers.UUIDField(source="source_id")  # type: ignore[assignment]
    code = serializers.CharField(source="source.code")
    name = serializers.CharField(source="source.name")
    percent = PlainNumber()
    held = Money(currency="source.currency")
    spent = Money(source="redeemed", currency="source.currency")


class FundingEntryShape(serializers.Serializer[Any]):
    """An amount reserved in a source for one booking or one place in a course, now or in the past."""

    reservation = serializers.UUIDField(
        source="reservation_id", allow_null=True, help_text="Null for a place in a course."
    )
    instrument = serializers.UUIDField(source="reservation.instrument_id", allow_null=True)
    instrument_name = serializers.CharField(source="reservation.instrument.name", allow_null=True)
    enrolment = serializers.UUIDField(
        source="enrolment_id", allow_null=True, help_text="The place in a course; null for a booking."
    )
    course = serializers.UUIDField(source="enrolment.session.course_id", allow_null=True)
    course_name = serializers.CharField(source="enrolment.session.course.name", allow_null=True)
    user = PersonShape(source="subject.user")
    start = Instant(source="start_at")
    state = serializers.CharField(source="subject.state")
    percent = PlainNumber()
    held = Money(currency="source.currency")
    spent = Money(source="redeemed", currency="source.currency")
    created_at = Instant()


class SpentShape(serializers.Serializer[Any]):
    """Costs of your bookings that start in a month: reserved or quoted, and charged. `source` null: no
    funding source pays."""

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
    """The terms that finance may change; fields left out stay as they are."""

    name = Text(funding_sources.LONGEST_NAME)
    owner = Text(254, help_text="Id or e-mail address of a member, who may always charge the source.")
    users = ListOf(
        child=Text(254),
        max_length=funding_sources.MOST_USERS,
        required=False,
        help_text="Ids or e-mail addresses of members who may charge the source.",
    )
    open = Flag(required=False, help_text="Whether every member may charge the source.")
    currency = Text(3, help_text="Cannot be changed once something has been charged.")
    budget = Number(
        18,
        3,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="Null: no limit. Must not be less than what is already reserved and spent.",
    )
    valid_from = Day(required=False, help_text="Default: today.")
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day on which it is no longer valid."
    )


class DefaultPeopleBody(Shape):
    people = ListOf(
        child=Text(254),
        max_length=funding_sources.MOST_USERS,
        help_text="Ids or e-mail addresses of members who may charge the source; an empty list: nobody.",
    )


class SourceBody(SourceChangeBody):
    organisation = Text(40, help_text="Code of the organisation.")
    code = Text(
        funding_sources.LONGEST_CODE, help_text="The organisation's own code; it cannot be changed later."
    )


class FundingSources(Resource):
    at, key, tag = "funding-sources/", "source_id", TAG
    name, many = "funding_source", "funding_sources"
    shape, order = FundingSourceShape, ("code", "id")
    needs_person, page_at, page_name = True, "funding/", "money-funding"

    def visible(self, pk: UUID) -> FundingSource:
        return funding_source_selectors.source_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.state, row.people = (
                funding_source_selectors.state_of(row, self.now),
                sorted(row.users.all(), key=str),
            )
        return rows

    @listed(_("Funding sources"), funding_source_selectors.SOURCES)
    def rows(self, query: dict[str, Any]) -> QuerySet[FundingSource]:
        """Return the sources you may charge; for finance and managers those of their organisation, for
        auditors those of their regions. Ordered by code."""
        return funding_source_selectors.sources_for(self.actor)

    @creates(_("Create a funding source"), SourceBody, sends={"organisation": "wusong-tech", **EXAMPLE})
    def create(self, data: dict[str, Any]) -> UUID:
        """Create a funding source of the organisation; only its finance may do this. The owner and the users
        named may charge it, or with `open` every member; the cost of their bookings is reserved in it."""
        organisation = named("organisation", organisation_by_code, data["organisation"])
        today = local_date(ZoneInfo(organisation.region.time_zone), self.now)
        terms = funding_sources.SourceTerms(
            **{"valid_from": today, **funding_source_selectors.terms_given(data, organisation)}
        )
        row = source_create(self.by, organisation=organisation, code=data["code"], terms=terms)
        return row.pk

    @reads(_("A funding source"))
    def detail(self, pk: UUID) -> None:
        """Return a funding source, with what is reserved and spent."""

    @changes(
        _("Change a funding source"),
        SourceChangeBody,
        partial=True,
        sends={"budget": "100000.00", "open": True},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Change a funding source. Only the organisation's finance may do this. Existing bookings keep what
        is reserved for them."""
        changed = funding_source_selectors.terms_given(data, self.visible(pk).organisation)
        source_change(self.by, source_id=pk, changes=changed)

    @OnPage(
        "bookings:money-funding-source",
        done=_("Suspended: nothing new is charged to it until it is resumed."),
        form=SuspendForm,
    )
    @acts(_("Suspend a funding source"), ReasonBody, sends={"reason": "The project is under review."})
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """Suspend a funding source, with a reason. Only the organisation's finance may do this. Nothing new
        is charged to it, and no request that it would pay for is approved (422 `funding-blocked`); reserved
        money stays reserved, and it still pays for confirmed bookings."""
        source_suspend(self.by, source_id=pk, **data)

    @OnPage("bookings:money-funding-source", done=_("Saved."), form=DefaultPeopleForm, name="default_form")
    @acts(
        _("Set whose default a funding source is"),
        DefaultPeopleBody,
        sends={"people": ["lin.yue@example.org"]},
    )
    def default(self, pk: UUID, data: dict[str, Any]) -> None:
        """Make the source the default of exactly these members: it pays for their bookings when they name no
        other. A default that somebody chose themselves comes first. The organisation's finance and the
        source's owner may do this."""
        defaults_give(self.by, source_id=pk, people=data["people"])

    @OnPage("bookings:money-funding-source", done=_("It can be charged again."), form=SuspendForm)
    @acts(_("Resume a funding source"), ReasonBody)
    def resume(self, pk: UUID, data: dict[str, Any]) -> None:
        """Let a suspended source pay for bookings again. Only the organisation's finance may do this."""
        source_resume(self.by, source_id=pk, **data)

    @parts(_("What was charged to a funding source"), FundingEntryShape, order=("-created_at", "-id"))
    def entries(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Earmark]:
        """Return the amounts reserved for each booking, now or in the past, the latest first. The source's
        owner and those who look after the organisation's money also see other people's bookings."""
        return funding_source_selectors.entries_of(self.actor, self.visible(pk))


WhoSpent = shown_by(lambda row: {"id": str(row.user), "name": row.name}, PersonShape)


class SpentByShape(serializers.Serializer[Any]):
    """The amounts that a person's bookings that start in a month (in the zone of the source's organisation)
    have spent of the source."""

    month = serializers.DateField()
    person = WhoSpent(source="*")
    user = serializers.UUIDField(style=replaced_by("person"))
    name = serializers.CharField(style=replaced_by("person"))
    spent = Money()


class SourceSpentShape(serializers.Serializer[Any]):
    results = SpentByShape(many=True)


class SourceSpent(Endpoint):
    needs_person = True

    @operation(
        "funding_source_spent",
        _("What a funding source spent by month and person"),
        tag=TAG,
        gives=SourceSpentShape,
        refuses=[404],
    )
    def get(self, request: Request, source_id: UUID) -> Response:
        """Return what a funding source has spent by month and person, the latest month first. The source's
        owner and those who look after the organisation's money also see other people."""
        source = funding_source_selectors.source_by_id(self.actor, source_id)
        rows = funding_source_selectors.load_spent_by(self.actor, source)
        return Response(rendered(SourceSpentShape, {"results": rows}))


class Spending(Endpoint):
    needs_person = True

    @operation("spending", _("What my bookings cost"), tag=TAG, gives=SpendingShape)
    def get(self, request: Request) -> Response:
        """Return the cost of your own bookings and courses by month (in your time zone) and funding source,
        from a year ago on and for all that is upcoming."""
        spending = load_spending(self.actor.person, ZoneInfo(self.actor.time_zone), self.now)
        return Response(rendered(SpendingShape, {"results": spending}))


class DefaultShareBody(Shape):
    """The share of one's bookings that one funding source pays."""

    source = Text(40, help_text="Code of a funding source.")  # type: ignore[assignment]
    percent = Number(6, 3, help_text="Share in percent; all shares add up to 100.")


class OwnDefaultBody(Shape):
    organisation = Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    funding = DefaultShareBody(  # type: ignore[call-arg]
        many=True,
        max_length=MOST_SHARES,
        help_text="An empty list: the default that your organisation has set counts again.",
    )


class DefaultShape(serializers.Serializer[Any]):
    """A source that pays for your bookings unless you name another. `own`: you chose it yourself."""

    source = serializers.CharField(source="source.code")  # type: ignore[assignment]
    organisation = serializers.CharField(source="source.organisation.code")
    percent = PlainNumber()
    own = serializers.BooleanField(source="is_own")
    set_at = Instant()


class DefaultsShape(serializers.Serializer[Any]):
    results = DefaultShape(many=True)


class OwnDefaults(Endpoint):
    needs_person = True

    @operation("own_default_sources", _("What pays for my bookings by default"), tag=TAG, gives=DefaultsShape)
    def get(self, request: Request) -> Response:
        """Return the funding sources that pay for your own bookings unless you name others: those that you
        chose, which come first, and those that your organisations have set."""
        return self._shown()

    @operation(
        "own_default_sources_choose",
        _("Choose what pays for my bookings by default"),
        tag=TAG,
        takes=OwnDefaultBody,
        gives=DefaultsShape,
        sends={"organisation": "wusong-tech", "funding": [{"source": "NSFC-2026-17", "percent": "100"}]},
    )
    def post(self, request: Request) -> Response:
        """Choose the funding sources that pay for your own bookings and courses at the cost of one of your
        organisations unless you name others, in place of those that you chose before."""
        data = checked(OwnDefaultBody, request.data)
        payer = payer_for(self.actor, data.get("organisation"))
        if payer is None:
            raise NotPermitted("join-first")
        shares = [Share(each["source"], each["percent"]) for each in data["funding"]]
        default_choose(self.by, organisation=payer, shares=shares)
        return self._shown()

    def _shown(self) -> Response:
        return Response(rendered(DefaultsShape, {"results": list(defaults_of(self.actor.person))}))
