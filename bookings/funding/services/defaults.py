"""Choose funding sources beforehand: for other people, and for oneself."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.users import members_among, members_named
from bookings.funding.domain.funding import HUNDRED, Share, require_known, require_shares
from bookings.funding.domain.funding_sources import ENDED, MOST_USERS, SUSPENDED
from bookings.funding.locks import lock_defaults
from bookings.funding.models import DefaultSource, FundingSource
from bookings.funding.selectors.funding import load_purses
from bookings.funding.selectors.funding_sources import chargeable, sources_for, state_of
from instruments.reading.domain.clock import local_date


@transaction.atomic
def defaults_give(by: By, *, source_id: UUID, people: Sequence[str]) -> FundingSource:
    """Make a source the default of exactly these members, named by id or mail address: those who are new get
    it for all of their bookings, in place of another that was given to them; it is taken from the others.
    What people chose themselves stays.

    For the organisation's finance and the source's owner (`NotPermitted` for others). Raises `Invalid` for
    people who are not members or may not charge the source, `WrongState` if it has ended or is suspended.
    """
    rows = sources_for(by.actor).select_for_update(of=("self",), no_key=True)
    source = visible(rows, pk=source_id)
    if by.actor.user_id != source.owner_id:
        require(by.actor, "account", place_of(source.organisation))
    if len(people) > MOST_USERS:
        raise invalid("people", "too-many", most=MOST_USERS)
    lock_defaults(source.organisation_id)
    given = DefaultSource.objects.filter(is_own=False, source__organisation_id=source.organisation_id)
    before = dict(given.filter(source=source).values_list("user_id", "user__email"))
    known = {name.lower(): pk for pk, name in before.items()} | {str(pk): pk for pk in before}
    found = members_named(
        [name for name in people if name.strip().lower() not in known], source.organisation_id
    )
    if any(name.strip().lower() not in known and name not in found for name in people):
        raise invalid("people", "not-one-of-theirs", organisation=source.organisation.code)
    after = {known.get(name.strip().lower()) or found[name] for name in people}
    new = sorted(after - before.keys())
    if new:
        if (state := state_of(source, by.now)) in (ENDED, SUSPENDED):
            raise WrongState(state=state, wanted="default")
        _require_charging(source, new, by)
    given.filter(source=source, user_id__in=before.keys() - after).delete()
    given.filter(user_id__in=new).delete()
    DefaultSource.objects.bulk_create(
        DefaultSource(user_id=pk, source=source, set_by_id=by.actor.person, set_at=by.now) for pk in new
    )
    if after != set(before):
        trail.record(
            by,
            "source.default",
            source,
            before={"default_of": sorted(before)},
            after={"default_of": sorted(after)},
        )
    return source


def _require_charging(source: FundingSource, people: Sequence[UUID], by: By) -> None:
    """Require that each of the people may charge the source."""
    if source.is_open:
        return
    may = {source.owner_id, *source.users.values_list("pk", flat=True)}
    if not set(people) <= may:
        raise invalid("people", "may-not-charge")


@transaction.atomic
def default_choose(by: By, *, organisation: Organisation, shares: Sequence[Share]) -> None:
    """Choose what pays for one's own bookings at the cost of an organisation unless one says otherwise: one
    source, or several by percent; without any, the default that finance has given counts again. Raises
    `NotPermitted` for who is not a member, `Invalid` (`funding`) for shares that do not add up and sources
    that the person may not charge today."""
    person = by.actor.person
    if not members_among([person], organisation.pk):
        raise NotPermitted("join-first")
    lock_defaults(organisation.pk)
    own = DefaultSource.objects.filter(user_id=person, source__organisation=organisation, is_own=True)
    before = {row.source: row.percent for row in own.select_related("source")}
    purses = {}
    if shares:
        require_shares(shares)
        purses = load_purses(organisation.pk, {share.source for share in shares}, [person])
        require_known(shares, purses)
        today = local_date(ZoneInfo(organisation.region.time_zone), by.now)
        usable = {source.code for source in chargeable(organisation, [person], today)}
        if any(share.source not in usable for share in shares):
            raise invalid("funding", "unknown-source")
    own.delete()
    DefaultSource.objects.bulk_create(
        DefaultSource(
            user_id=person,
            source_id=purses[share.source].id,
            percent=share.percent,
            is_own=True,
            set_by_id=person,
            set_at=by.now,
        )
        for share in shares
    )
    sources = FundingSource.objects.select_related("organisation__region")
    after = {
        row: _percent(shares, row.code) for row in sources.filter(pk__in=[p.id for p in purses.values()])
    }
    for row in sorted({*before, *after}, key=lambda row: row.code):
        if before.get(row) != after.get(row):
            trail.record(
                by,
                "source.default-own",
                row,
                before={"percent": before.get(row)},
                after={"percent": after.get(row)},
            )


def _percent(shares: Sequence[Share], code: str) -> Decimal:
    return next((share.percent for share in shares if share.source == code), HUNDRED)
