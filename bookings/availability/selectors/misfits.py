"""Find upcoming bookings that new opening hours or a new policy would refuse, and guaranteed hours that
these, or a closure, would cut."""

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from bookings.availability.domain.availability import Asker, Calendar, Wish
from bookings.availability.domain.kept_hours import Promises
from bookings.availability.models import KeptHours
from bookings.availability.selectors.availability import load_promises
from bookings.record.domain.periods import Period, subtract
from bookings.record.models import Reservation
from instruments.managing.selectors.misfits import Misfit
from instruments.opening.domain.opening import OpeningHours, merged, parse_hours, windows
from instruments.opening.selectors.opening import load_holidays
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.training.selectors.qualifications import load_qualified

COMING = ("held", "requested", "confirmed")
DAY = timedelta(days=1)
KEPT = "kept"  # the state that hours kept for a holder have here
# The rules that matter for an existing booking; notice, horizon and quotas matter only when it is made.
LASTING = frozenset(
    {
        "off-grid",
        "too-short",
        "too-long",
        "outside-opening-hours",
        "qualification-missing",
        "qualification-expires",
    }
)


def find_misfits(
    instrument: Instrument, hours: OpeningHours | None, policy: Policy | None, now: datetime
) -> list[Misfit]:
    """Return the upcoming bookings, by start, that the present rules allow and the new ones would not. It
    takes two statements, and one more per person if another certificate would be needed."""
    coming = list(
        Reservation.objects.filter(
            Q(deadline_at=None) | Q(deadline_at__gt=now),
            instrument=instrument,
            state__in=COMING,
            start_at__gt=now,
        )
        .select_related("user", "organisation")
        .order_by("start_at", "id")
    )
    if not coming:
        return []
    present = parse_hours(instrument.schedule.hours) if instrument.schedule else OpeningHours()
    rules = load_policy(instrument.policy) if hasattr(instrument, "policy") else Policy()
    until = max(row.end_at for row in coming)
    before = _calendar(instrument, present, rules, now, until)
    after = _calendar(instrument, hours or present, policy or rules, now, until)
    held: Mapping[UUID, tuple[Period, ...]] = {}
    if policy is not None and policy.qualification not in ("", rules.qualification):
        held = _certificates(instrument, policy, coming)
    misfits = []
    for row in coming:
        period = Period(row.start_at, row.end_at)
        qualified = held.get(row.user_id) if row.service_mode == "self" else None
        codes = _codes(after, period, now, qualified) - _codes(before, period, now, None)
        if codes:
            misfits.append(
                Misfit(
                    reservation=row.pk,
                    start=row.start_at,
                    end=row.end_at,
                    person="" if row.held_for else str(row.user),
                    organisation="" if row.held_for else row.organisation.code,
                    state=row.state,
                    codes=tuple(sorted(codes)),
                    user=None if row.held_for else row.user,
                )
            )
    return misfits


def find_unkept(
    instrument: Instrument, hours: OpeningHours | None, policy: Policy | None, now: datetime
) -> list[Misfit]:
    """Return the guaranteed hours of which less could be booked by the new rules than by the present ones
    (`state` is kept). It takes three statements, none if no hours are guaranteed."""
    present = load_promises([instrument], now).get(instrument.pk)
    if present is None:
        return []
    opened = present.opened
    if hours is not None:
        zone = ZoneInfo(instrument.facility.time_zone)
        first = local_date(zone, now) - DAY
        last = local_date(zone, max(kept.window.end for kept in present.kept)) + DAY
        new = windows(hours, zone, load_holidays(instrument, first, last), first, last)
        opened = [Period(w.opens_at, w.closes_at) for w in merged(new)]
    changed = Promises(present.kept, opened=opened, taken=present.taken(), policy=policy or present.policy)
    return [
        Misfit(
            reservation=row.pk,
            start=row.start_at,
            end=row.end_at,
            person=str(row.organisation),
            organisation=row.organisation.code,
            state=KEPT,
            codes=("kept-for-holder",),
        )
        for row in _rows(less_kept(present, changed, now))
    ]


def find_unkept_when_closed(
    instrument: Instrument, span: Period, units: Collection[int], now: datetime
) -> list[KeptHours]:
    """Return the guaranteed hours of which less could be booked if a time were closed, on the units named or
    on all. It takes three statements, none if no hours are guaranteed."""
    present = load_promises([instrument], now).get(instrument.pk)
    if present is None:
        return []
    closed = set(units) or set(range(1, present.policy.units + 1))
    taken = [
        (unit, left)
        for unit, period in present.taken()
        for left in (subtract([period], [span]) if unit in closed else [period])
    ]
    taken += [(unit, span) for unit in closed]
    changed = Promises(present.kept, opened=present.opened, taken=taken, policy=present.policy)
    return _rows(less_kept(present, changed, now))


def less_kept(present: Promises, changed: Promises, now: datetime) -> list[UUID]:
    """Return the ids of guaranteed hours of which less can be booked than before."""
    before: dict[Any, timedelta] = {kept.id: missing for kept, missing in present.unmet(now)}
    return [
        cast(UUID, kept.id)
        for kept, missing in changed.unmet(now)
        if missing > before.get(kept.id, timedelta())
    ]


def load_unkept(instrument: Instrument, now: datetime) -> dict[UUID, int]:
    """Return, by id, the minutes of an instrument's guaranteed hours that can no longer be booked; hours that
    can be booked completely are left out. It takes two statements, none if no hours are guaranteed."""
    promises = load_promises([instrument], now).get(instrument.pk)
    unmet = promises.unmet(now) if promises else ()
    return {cast(UUID, kept.id): missing // timedelta(minutes=1) for kept, missing in unmet}


def _rows(ids: Collection[UUID]) -> list[KeptHours]:
    rows = KeptHours.objects.select_related("organisation")
    return list(rows.filter(pk__in=ids).order_by("start_at", "pk")) if ids else []


def _calendar(
    instrument: Instrument, hours: OpeningHours, policy: Policy, now: datetime, until: datetime
) -> Calendar:
    """Build a calendar in which nothing is taken and no quota counts, because only permanent reasons for a
    refusal matter here."""
    policy = replace(policy, quotas=(), cross_region_share=None)
    zone = ZoneInfo(instrument.facility.time_zone)
    first, last = local_date(zone, now) - DAY, local_date(zone, until) + DAY
    holidays = load_holidays(instrument, first, last)
    return Calendar(windows=windows(hours, zone, holidays, first, last), policy=policy, blocks=[])


def _codes(
    calendar: Calendar, period: Period, now: datetime, qualified: tuple[Period, ...] | None
) -> set[str]:
    refusals = calendar.refusing(Wish(period, Asker(qualified=qualified)), now)
    return {refusal.code for refusal in refusals} & LASTING


def _certificates(
    instrument: Instrument, policy: Policy, coming: list[Reservation]
) -> dict[UUID, tuple[Period, ...]]:
    """Return the periods in which each person who would work alone holds the certificate of the new
    policy."""
    changed = copy(instrument)
    changed.policy = copy(instrument.policy)
    changed.policy.qualification = policy.qualification
    people = {row.user_id for row in coming if row.service_mode == "self"}
    return {
        person: tuple(Period(*span) for span in load_qualified(person, [changed])[changed.pk])
        for person in people
    }
