"""Hours as a person may read them: only what their roles allow, grouped, with small groups hidden."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from itertools import batched
from typing import Any
from uuid import uuid4

from django.core.cache import cache

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from accounts.replica import has_acts_of, is_there
from bookings.hours.domain.hours import StateMinutes
from bookings.hours.domain.norms import USUAL_SCHEME
from bookings.hours.selectors.hours import HoursRow, hours
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.scope import PUBLIC_BY, HoursScope, hidden_for, scope_for, whole_months
from bookings.hours.selectors.sums import MOST_DAYS, Kept, groups_of, groups_page, load_kept
from bookings.hours.selectors.sums import whole_months as months_within
from instruments.register.models import Instrument

MOST_ROWS = 20_000
MOST_WRITTEN = 200_000  # rows of a file, which are written one by one
INSTRUMENTS = 1000  # instruments read at once for a file
# The least number of days in each period, the finest first; and the groups of which there are most.
PERIODS = {"day": 1, "week": 7, "month": 28, "year": 365}
FINE = {"facility", "instrument"}


@dataclass(frozen=True)
class Figures:
    """The rows of each group, and the row of all together, which is None if there are no days or it is
    hidden. `number`: how many groups there are, where `rows` are only a page of them."""

    rows: list[HoursRow]
    total: HoursRow | None
    scope: HoursScope
    kept: Kept
    number: int = 0


@dataclass(frozen=True)
class Page:
    """A page of the first kind of groups: its size, and how many groups come before it."""

    most: int
    skipped: int = 0


def figures_for(
    actor: Actor,
    *,
    narrowed: Mapping[str, Any],
    since: date,
    until: date,
    by: Sequence[str],
    scheme: str = USUAL_SCHEME,
    most: int = MOST_ROWS,
    page: Page | None = None,
    kept: Kept | None = None,
    needs_total: bool = True,
) -> Figures:
    """Return the hours of the local days [since, until) that the person may read, for all groups or one
    `page` of them. At most six statements, four without groups; two more for public figures, and one more if
    there may be many rows, or for a page. Raises `Invalid` (too-many-figures, too-many-days) for more rows
    than `most` or more days to add up than `MOST_DAYS`, before any hours are read.

    Public figures cover whole months, grouped as `PUBLIC_BY` allows; anything else raises `NotPermitted` or
    `Invalid`.
    """
    scope = scope_for(actor, narrowed)
    if scope.is_public:
        if not PUBLIC_BY.issuperset(by):
            raise NotPermitted
        whole_months(since, until)
    kept = kept or load_kept(since, until)
    only, number = None, 0
    # If something belonged to another host on these days, there may be other groups than today's.
    if page and (by[0] in _LASTING or not kept.has_moves):
        groups = partial(groups_page, scope.instruments, by[0], since, until, most=page.most)
        only, number = groups(skipped=page.skipped)
        if not only and page.skipped:  # behind the last page: show the last page
            _, number = groups()
            only, _ = groups(skipped=(number - 1) // page.most * page.most if number else 0)
    _require_few(scope, since, until, by, most, None if only is None else len(only))
    options: dict[str, Any] = {
        "instruments": scope.instruments,
        "facilities": scope.facilities,
        "since": since,
        "until": until,
        "norms": load_norms(scheme),
        "kept": kept,
    }
    asked = (sorted(narrowed.items()), since, until, scheme)
    rows = _rows(scope, asked, by=by, only=only, **options) if by else []
    if page and only is None:
        keys = list(dict.fromkeys(row.keys[by[0]] for row in rows))
        number = len(keys)
        these = set(keys[page.skipped :][: page.most])
        rows = [row for row in rows if row.keys[by[0]] in these]
    totals = _rows(scope, asked, by=[], **options) if needs_total or not by else []
    if not by:
        rows = totals
    if hidden_for(scope, []):
        return Figures([_hidden(row) for row in rows], None, scope, kept)
    hidden = hidden_for(scope, by) if by else set()
    return Figures(
        [_hidden(row) if row.groups in hidden else row for row in rows],
        totals[0] if totals else None,
        scope,
        kept,
        number,
    )


ROLLED_UP = "hours-rolled-up"  # cache key of a mark that changes with each roll-up
KEPT_SECONDS = 600


def _rows(scope: HoursScope, asked: Any, **options: Any) -> list[HoursRow]:
    """Return the hours of a scope, grouped as asked; public figures are cached for some minutes, until the
    next roll-up."""
    if not scope.is_public:
        return hours(**options)
    named = repr((asked, options["by"], options.get("only")))
    mark = cache.get_or_set(ROLLED_UP, lambda: uuid4().hex, None)
    if is_there() and not has_acts_of(ROLLED_UP):  # the replica may be behind the mark
        return hours(**options)
    key = f"public-hours:{mark}:{sha256(named.encode()).hexdigest()}"
    return cache.get_or_set(key, lambda: hours(**options), KEPT_SECONDS) or []


def pages_for(
    actor: Actor,
    *,
    narrowed: Mapping[str, Any],
    since: date,
    until: date,
    by: Sequence[str],
    scheme: str = USUAL_SCHEME,
    most: int = MOST_WRITTEN,
) -> Iterator[HoursRow]:
    """Yield the rows of `figures_for` by instrument and further groups, some instruments at a time, for
    people who read hours that are not public (else `NotPermitted`). Raises `Invalid` at once for more rows
    than `most`."""
    scope = scope_for(actor, narrowed)
    if scope.is_public:
        raise NotPermitted
    kept, norms = load_kept(since, until), load_norms(scheme)
    ids, number = groups_page(scope.instruments, by[0], since, until, most=most + 1)
    _require_few(scope, since, until, by, most, number)
    return (
        row
        for some in batched(ids, INSTRUMENTS)
        for row in hours(
            by=by,
            instruments=Instrument.objects.filter(pk__in=some),
            since=since,
            until=until,
            norms=norms,
            kept=kept,
        )
    )


# Groups that stay the same whichever host an instrument belonged to.
_LASTING = {"facility", "instrument", "technique"}


def _require_few(
    scope: HoursScope, since: date, until: date, by: Sequence[str], most: int, number: int | None
) -> None:
    days = (until - since).days
    periods = next((days // PERIODS[name] + 2 for name in PERIODS if name in by), 1)
    first, last = months_within(since, until, by)
    is_summed = scope.facilities is not None and not {"technique", "instrument"} & set(by)
    single = 0 if is_summed else days - (last - first).days
    groups, instruments = number or 1, 0
    if single or (number is None and (FINE & set(by) or (periods > 1 and not set(by) <= set(PERIODS)))):
        counted, instruments = groups_of(scope.instruments, by)
        groups = counted if number is None else number
        if number is not None and counted:
            instruments = instruments * min(number, counted) // counted
    if (rows := min(periods, days) * groups) > most:
        raise invalid("by", "too-many-figures", rows=rows, most=most)
    if instruments * single > MOST_DAYS:
        raise invalid("until", "too-many-days", days=instruments * single, most=MOST_DAYS)


def use_by_region(actor: Actor, *, since: date, until: date) -> list[HoursRow]:
    """Return the hours of the local days [since, until) of each region whose hours the person reads, without
    their sum. At most five statements."""
    scope = scope_for(actor, {})
    return hours(
        by=["region"],
        instruments=scope.instruments,
        facilities=scope.facilities,
        since=since,
        until=until,
        norms=load_norms(USUAL_SCHEME),
    )


def used_of_open(rows: Sequence[HoursRow]) -> Decimal | None:
    """Return the operational utilisation of some rows together; None where nothing was open."""
    opened = sum(row.minutes.operations for row in rows)
    used = sum(row.minutes.productive for row in rows)
    return Decimal(used) / opened if opened else None


def _hidden(row: HoursRow) -> HoursRow:
    return replace(
        row,
        minutes=StateMinutes(),
        other_organisations=0,
        other_regions=0,
        sessions=0,
        breakdowns=0,
        norm=None,
        is_hidden=True,
    )
