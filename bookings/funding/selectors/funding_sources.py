"""Funding sources, as far as each person may see them, and what was charged to them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.users import members_named
from bookings.funding.domain.funding_sources import state_on
from bookings.funding.models import Earmark, FundingSource
from bookings.funding.selectors.funding import may_charge
from bookings.funding.selectors.programmes import grants_for
from bookings.pricing.models import VoucherGrant
from bookings.record.selectors.reservations import WITH
from instruments.domain.opening import local_date


def sources_for(actor: Actor) -> QuerySet[FundingSource]:
    """Return the sources one may charge or looks after: one's own, those one is named for, those
    open to the members of one's organisation; all of it for its finance and managers; those of an
    auditor's regions. By organisation and code."""
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
    """`NotFound` if there is none, or it is not the actor's to see."""
    return visible(sources_for(actor), pk=source_id)


def chargeable(
    payer: Organisation, people: Sequence[UUID | None], day: date, *, all_of_it: bool = False
) -> list[FundingSource]:
    """The payer's sources that pay for a booking which starts on a local day: those one of the
    people may charge, or all for whoever books for others. One statement."""
    rows = FundingSource.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=day),
        organisation=payer,
        suspended_at=None,
        valid_from__lte=day,
    )
    return list((rows if all_of_it else rows.filter(may_charge(people))).order_by("code"))


def oversees(actor: Actor, source: FundingSource) -> bool:
    """Whether everything that was charged to it is the actor's to see: its owner, and those who
    look after the organisation's money."""
    return actor.user_id == source.owner_id or actor.may(
        "read-money", place_of(source.organisation)
    )


def entries_of(actor: Actor, source: FundingSource) -> QuerySet[Earmark]:
    """What is or was set aside in a source, the latest first; of other people's bookings only
    for those who oversee it."""
    rows = source.earmarks.select_related(*(f"reservation__{name}" for name in WITH))
    if not oversees(actor, source):
        mine = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
        rows = rows.filter(mine)
    return rows.order_by("-created_at", "-id")


def state_of(source: FundingSource, now: datetime) -> str:
    """What it is today, in its organisation's zone."""
    today = local_date(ZoneInfo(source.organisation.region.time_zone), now)
    return state_on(
        today, source.valid_from, source.valid_until, is_suspended=source.suspended_at is not None
    )


def is_used(source: FundingSource) -> bool:
    """Whether anything was ever set aside in it. One statement."""
    return Earmark.objects.filter(source=source).exists()


def in_state(rows: QuerySet[FundingSource], state: str, today: date) -> QuerySet[FundingSource]:
    """Narrow sources to a state on a day."""
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
    """The fields of `SourceTerms` that somebody names, people by id or mail address; `Invalid`
    for those who are no members of the organisation."""
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


# From this part of a budget on it is nearly used up.
NEARLY = Decimal("0.9")


def grants_nearly_used(actor: Actor, now: datetime) -> QuerySet[VoucherGrant]:
    """Return the usable grants of which little is left; not auditors'."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    above = list(actor.regions_where("coordinate"))
    if above:
        ours |= Q(programme__region__lineage__overlap=above)
    return grants_for(actor).filter(
        ours,
        amount__gt=0,
        suspended_at=None,
        programme__suspended_at=None,
        valid_until__gt=now.date(),
        held__gte=F("amount") * NEARLY - F("redeemed"),
    )


def sources_nearly_used(actor: Actor, now: datetime) -> QuerySet[FundingSource]:
    """Return the chargeable sources of which little is left; not auditors'."""
    ours = Q(organisation__in=actor.organisations_where("account")) | Q(owner_id=actor.person)
    return sources_for(actor).filter(
        ours,
        Q(valid_until=None) | Q(valid_until__gt=now.date()),
        budget__gt=0,
        suspended_at=None,
        held__gte=F("budget") * NEARLY - F("spent"),
    )
