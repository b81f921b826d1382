"""Hours as a person reads them: what they may, grouped, with small groups hidden."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from bookings.hours.domain.hours import StateMinutes
from bookings.hours.domain.norms import USUAL_SCHEME
from bookings.hours.selectors.hours import HoursRow, hours
from bookings.hours.selectors.norms import load_norms
from bookings.hours.selectors.scope import (
    PUBLIC_BY,
    HoursScope,
    hidden_for,
    scope_for,
    whole_months,
)
from bookings.hours.selectors.sums import groups_of

MOST_ROWS = 20_000
# How many days the periods have at least, the finest first, and the groups there are most of.
PERIODS = {"day": 1, "week": 7, "month": 28, "year": 365}
FINE = {"facility", "instrument"}


@dataclass(frozen=True)
class Figures:
    """The rows of each group, and of all together; None where there are no days, or where it is
    hidden."""

    rows: list[HoursRow]
    total: HoursRow | None
    scope: HoursScope


def figures_for(
    actor: Actor,
    *,
    narrowed: Mapping[str, Any],
    since: date,
    until: date,
    by: Sequence[str],
    scheme: str = USUAL_SCHEME,
    most: int = MOST_ROWS,
) -> Figures:
    """The hours of the local days [since, until) that the person may read. Five statements at
    most, three where nothing is grouped; of public figures two more, and one more where there
    may be many rows. `Invalid` (too-many-figures) for more rows than `most`, before any hours are
    read.

    Public figures are those of whole months, by what `PUBLIC_BY` names: `NotPermitted`,
    `Invalid`.
    """
    scope = scope_for(actor, narrowed)
    if scope.is_public:
        if not PUBLIC_BY.issuperset(by):
            raise NotPermitted
        whole_months(since, until)
    _require_few(scope, since, until, by, most)
    options: dict[str, Any] = {
        "instruments": scope.instruments,
        "facilities": scope.facilities,
        "since": since,
        "until": until,
        "norms": load_norms(scheme),
    }
    rows = hours(by=by, **options) if by else []
    totals = hours(by=[], **options)
    if not by:
        rows = totals
    if hidden_for(scope, []):
        return Figures([_hidden(row) for row in rows], None, scope)
    hidden = hidden_for(scope, by) if by else set()
    return Figures(
        [_hidden(row) if row.groups in hidden else row for row in rows],
        totals[0] if totals else None,
        scope,
    )


def _require_few(scope: HoursScope, since: date, until: date, by: Sequence[str], most: int) -> None:
    days = (until - since).days
    periods = next((days // PERIODS[name] + 2 for name in PERIODS if name in by), 1)
    groups = 1
    if FINE & set(by) or (periods > 1 and not set(by) <= set(PERIODS)):
        groups = groups_of(scope.instruments, by)
    if (rows := min(periods, days) * groups) > most:
        raise invalid("by", "too-many-figures", rows=rows, most=most)


def use_by_region(actor: Actor, *, since: date, until: date) -> list[HoursRow]:
    """The hours of the local days [since, until) of each region that the person reads hours of,
    without their sum. Five statements at most."""
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
    """Operational utilisation of some rows together; None where nothing was open."""
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
