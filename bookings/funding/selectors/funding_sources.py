"""Funding sources, as far as each person may see them, and what was charged to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.users import members_named
from accounts.selectors.zones import DayIn
from bookings.funding.domain.funding_sources import state_on
from bookings.funding.models import Earmark, FundingSource
from bookings.funding.selectors.funding import may_charge
from bookings.funding.selectors.programmes import grants_for
from bookings.pricing.models import VoucherGrant
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing, amount_of
from bookings.record.selectors.reservations import WITH
from instruments.reading.domain.clock import local_date


def sources_for(actor: Actor) -> QuerySet[FundingSource]:
    """Return the sources that the actor may charge or looks after: their own, those that name them, those
    open to members of their organisation; for finance and managers all of the organisation's; for auditors
    those of their regions. Ordered by organisation and code."""
    through = FundingSource.users.through
    named = through.objects.filter(fundingsource_id=OuterRef("pk"), user_id=actor.person)
    seen = Q(owner_id=actor.person) | Q(Exists(named))
    seen |= Q(is_open=True, organisation_id__in=actor.organisations)
    seen |= Q(organisation_id__in=actor.organisations_where("read-money"))
    regions = list(actor.regions_where("read-money"))
    if regions:
        seen |= Q(organisation__region__lineage__overlap=regions)
    return (
        FundingSource.objects.filter(seen)
        .select_related("organisation__region", "owner")
        .prefetch_related("users")
        .order_by("organisation__code", "code", "id")
    )


def source_by_id(actor: Actor, source_id: UUID) -> FundingSource:
    """Return a source; `NotFound` if there is none, or the actor may not see it."""
    return visible(sources_for(actor), pk=source_id)


def chargeable(
    payer: Organisation, people: Sequence[UUID | None], day: date, *, all_of_it: bool = False
) -> list[FundingSource]:
    """Return the payer's sources that pay for a booking which starts on a local day: those that any of the
    people may charge, or with `all_of_it` every one, for an actor who books for others. One statement."""
    rows = FundingSource.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=day),
        organisation=payer,
        suspended_at=None,
        valid_from__lte=day,
    )
    return list((rows if all_of_it else rows.filter(may_charge(people))).order_by("code"))


def oversees(actor: Actor, source: FundingSource) -> bool:
    """Say whether the actor may see everything charged to a source: its owner, and those who look after the
    organisation's money."""
    return actor.user_id == source.owner_id or actor.may("read-money", place_of(source.organisation))


def entries_of(actor: Actor, source: FundingSource) -> QuerySet[Earmark]:
    """Return the amounts reserved in a source, now or in the past, the latest first; those of other people's
    bookings and places in courses only for somebody who oversees it. What finance has charged to other
    sources since is left out."""
    places = ("session__course", "session__facility", "user")
    rows = source.earmarks.filter(percent__gt=0).select_related(
        *(f"reservation__{name}" for name in WITH), *(f"enrolment__{name}" for name in places)
    )
    if not oversees(actor, source):
        mine = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
        rows = rows.filter(mine | Q(enrolment__user_id=actor.person) | Q(enrolment__asked_by_id=actor.person))
    return rows.order_by("-created_at", "-id")


# The start of the booking or of the course session for which money is reserved.
STARTS = Coalesce("reservation__start_at", "enrolment__session__start_at")


@dataclass(frozen=True)
class SpentBy:
    """The amount that a person's bookings and courses of a month (identified by its first day) spent of a
    source."""

    month: date
    user: UUID
    name: str
    spent: Decimal
    currency: str


def load_spent_by(actor: Actor, source: FundingSource) -> list[SpentBy]:
    """Return what a source has spent by month of the booking or course (in the zone of its organisation), the
    latest first, and person; of other people only for somebody who oversees it. One statement."""
    zone = ZoneInfo(source.organisation.region.time_zone)
    rows = (
        entries_of(actor, source)
        .select_related(None)
        .order_by()
        .annotate(
            starts_in=TruncMonth(STARTS, tzinfo=zone),
            person=Coalesce("reservation__user_id", "enrolment__user_id"),
            person_name=Coalesce("reservation__user__name", "enrolment__user__name"),
        )
        .values_list("starts_in", "person", "person_name")
        .annotate(spent=Sum("redeemed"))
        .exclude(spent=0)
        .order_by("-starts_in", "person_name", "person")
    )
    return [SpentBy(month.date(), user, name, spent, source.currency) for month, user, name, spent in rows]


def state_of(source: FundingSource, now: datetime) -> str:
    """Return a source's state today, in its organisation's zone."""
    today = local_date(ZoneInfo(source.organisation.region.time_zone), now)
    return state_on(
        today, source.valid_from, source.valid_until, is_suspended=source.suspended_at is not None
    )


def is_used(source: FundingSource) -> bool:
    """Say whether anything was ever reserved in a source. One statement."""
    return Earmark.objects.filter(source=source).exists()


def in_state(rows: QuerySet[FundingSource], state: str, now: datetime) -> QuerySet[FundingSource]:
    """Narrow sources to those in a state, as `state_of` determines it."""
    today = DayIn(now, "organisation__region__time_zone")
    if state == "suspended":
        return rows.exclude(suspended_at=None)
    rows = rows.filter(suspended_at=None)
    ended = Q(valid_until__lte=today)
    if state == "coming":
        return rows.filter(valid_from__gt=today)
    return (
        rows.filter(ended, valid_from__lte=today)
        if state == "ended"
        else rows.filter(Q(valid_until=None) | Q(valid_until__gt=today), valid_from__lte=today)
    )


def terms_given(data: Mapping[str, Any], organisation: Organisation) -> dict[str, Any]:
    """Return the `SourceTerms` fields in `data`, with people named by id or mail address looked up; raise
    `Invalid` for those who are not members of the organisation."""
    named = [data["owner"]] if "owner" in data else []
    people = members_named([*named, *data.get("users", ())], organisation.pk)
    for field, names in (("owner", named), ("users", data.get("users", ()))):
        if any(name not in people for name in names):
            raise invalid(field, "not-one-of-theirs", organisation=organisation.code)
    given: dict[str, Any] = {
        name: data[name]
        for name in ("name", "currency", "budget", "valid_from", "valid_until")
        if name in data
    }
    if "owner" in data:
        given["owner"] = people[data["owner"]]
    if "users" in data:
        given["users"] = frozenset(people[name] for name in data["users"])
    if "open" in data:
        given["is_open"] = data["open"]
    return given


# From this share of its budget on a source is nearly used up.
NEARLY = Decimal("0.9")


def grants_nearly_used(actor: Actor, now: datetime) -> QuerySet[VoucherGrant]:
    """Return the usable grants of which little is left, for the organisation's finance and the coordinators;
    auditors get none."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    above = list(actor.regions_where("coordinate"))
    if above:
        ours |= Q(programme__region__lineage__overlap=above)
    return grants_for(actor).filter(
        ours,
        amount__gt=0,
        suspended_at=None,
        programme__suspended_at=None,
        valid_until__gt=DayIn(now, "programme__region__time_zone"),
        held__gte=F("amount") * NEARLY - F("redeemed"),
    )


def sources_nearly_used(actor: Actor, now: datetime) -> QuerySet[FundingSource]:
    """Return the chargeable sources of which little is left, for their owners and the organisation's finance;
    auditors get none."""
    ours = Q(organisation__in=actor.organisations_where("account")) | Q(owner_id=actor.person)
    return sources_for(actor).filter(
        ours,
        Q(valid_until=None) | Q(valid_until__gt=DayIn(now, "organisation__region__time_zone")),
        budget__gt=0,
        suspended_at=None,
        held__gte=F("budget") * NEARLY - F("spent"),
    )


SOURCES = Listing(
    "funding",
    sources_for,
    (
        Column("code", "code", _("Source"), "code"),
        Column("name", "name"),
        Column("organisation", "organisation.code"),
        Column("owner", "owner", _("Owner"), "owner__name"),
        Column("currency", "currency"),
        Column("budget", amount_of("budget"), _("Budget"), "budget", kind="end"),
        Column("earmarked", amount_of("held"), _("Earmarked"), "held", kind="end"),
        Column("spent", amount_of("spent"), _("Spent"), "spent", kind="end"),
        Column("left", amount_of("left"), _("Left"), kind="end"),
        Column("state", lambda row, by: state_of(row, by.now)),
    ),
    waits={"sources": sources_nearly_used},
    waits_help="Only sources of which little is left.",
    words=("code", "name", "owner__name", "organisation__name", "organisation__name_zh"),
    q_help="Part of the source's code or name, or of the name of its owner or organisation.",
    filters=(
        Filter("organisation", "organisation__code", help="Code of the organisation."),
        Filter(
            "state",
            lambda rows, state, by: in_state(rows, state, by.now),
            CHOICE,
            _("State"),
            choices=[
                ("valid", _("valid")),
                ("coming", _("not valid yet")),
                ("ended", _("ended")),
                ("suspended", _("suspended")),
            ],
        ),
    ),
)
