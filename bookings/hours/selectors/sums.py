"""Hours summed up in the database, from the sums that the roll-up keeps and from days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from psycopg.sql import SQL, Composable

from accounts.domain.errors import invalid
from accounts.statements import statements
from bookings.hours.domain.norms import Offered
from instruments.register.models import Facility, Instrument

_SQL = statements(__file__)


@dataclass(frozen=True)
class Group:
    """A way to group figures. `value` is the id of the group that an instrument belongs to, `table` the
    group's table, and `key` the column whose value people and programs use for it."""

    value: str
    table: str
    key: str


_NONE = "'00000000-0000-0000-0000-000000000000'::uuid"  # NULL would not join
GROUPS = {
    "region": Group("i.region_id", "accounts_region", "code"),
    "organisation": Group("i.organisation_id", "accounts_organisation", "code"),
    "facility": Group("i.facility_id", "instruments_facility", "id"),
    "instrument": Group("i.id", "instruments_instrument", "id"),
    "technique": Group(f"coalesce(t.technique_id, {_NONE})", "instruments_technique", "code"),
}
# The values of groups where rows are of facilities instead of instruments.
_OF_FACILITIES = {"region": "o.region_id", "facility": "i.id"}
# The finest of the named periods determines the others.
PERIODS = {
    "day": "{date}",
    "week": "date_trunc('week', {date}::timestamp)::date",
    "month": "date_trunc('month', {date}::timestamp)::date",
    "year": "date_trunc('year', {date}::timestamp)::date",
}
ALWAYS = "DATE '0001-01-01'"
_NOTHING = SQL("")
# The most days of instruments that are read one by one, without kept sums: a year of 4,000 instruments.
MOST_DAYS = 1_500_000
BY = (*PERIODS, *GROUPS)


@dataclass(frozen=True)
class Kept:
    """The state of the roll-up for days [since, until): whether its sums are complete (not yet after an
    upgrade), whether some instrument changed its host after `since`, whether nothing is rolled up in the
    months from `until` on, and whether no day from `until` on is."""

    is_filled: bool
    has_moves: bool
    is_last: bool
    is_newest: bool


def load_kept(since: date, until: date) -> Kept:
    """Load the state of the roll-up for these days. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["kept"].as_string(), [since, until, until])
        is_filled, has_moves, is_last, is_newest = cursor.fetchone()
    return Kept(is_filled, has_moves, is_last and until.day == 1, is_newest)


def instrument_sums(
    instruments: QuerySet[Instrument],
    since: date,
    until: date,
    by: Sequence[str],
    kept: Kept,
    *,
    only: Sequence[UUID] | None = None,
    is_moved: bool = False,
) -> list[Any]:
    """Return a row for each group: its period, then key and names of what it is grouped by, then total, open,
    productive, unscheduled, scheduled, engineering, missed, lost, breakdowns, other organisations, other
    regions, sessions. `only` restricts the first of `by` to groups with these ids. `is_moved`: only
    facilities that `facility_sums` leaves out. One statement."""
    first, last = whole_months(since, until, by) if kept.is_filled else (until, until)
    years = (last, last) if "month" in by else _years(first, last, kept)
    whole = _filled("is_whole", first=first, last=last) if kept.has_moves else SQL("TRUE")
    has_days = first > since or last < until or kept.has_moves or not first < last
    parts = [_grouped("day_parts", by, since=since, until=until)] if has_days else []
    if first < last and (first < years[0] or years[1] < last or kept.has_moves):
        within = SQL("AND d.month >= c.months_since AND d.month < c.months_until")
        months = _filled(
            "of_instrument_months",
            first=first,
            last=last,
            years_since=years[0],
            years_until=years[1],
            whole=whole,
            within=within if kept.has_moves else _NOTHING,
        )
        parts.append(_grouped("sum_part", by, date="d.month", join=months))
    if years[0] < years[1]:
        join = _filled("of_instrument_years", first=years[0].year, last=years[1].year, whole=whole)
        parts.append(_grouped("sum_part", by, date="make_date(d.year, 1, 1)", join=join))
    statement = SQL("\n").join(
        [
            _chosen(
                by,
                kept.has_moves,
                first,
                last,
                only=_only(by, only, "WHERE"),
                which=_moved("WHERE i.facility_id", since) if is_moved else _NOTHING,
            ),
            *([_grouped("days", by, since=since, until=until)] if has_days else []),
            _grouped("result", by, parts=SQL(" UNION ALL ").join(parts)),
        ]
    )
    return fetch(statement, instruments, columns=PLACES)


def facility_sums(
    facilities: QuerySet[Facility],
    since: date,
    until: date,
    by: Sequence[str],
    kept: Kept,
    *,
    only: Sequence[UUID] | None = None,
) -> list[Any]:
    """Sum up all instruments of facilities, grouped by facility or by what it belongs to, except facilities
    with an instrument that changed its host. One statement."""
    first, last = whole_months(since, until, by)
    parts = [
        _grouped(
            "sum_part",
            by,
            date=column,
            join=_filled("of_facilities", table=SQL(table), column=SQL(column), first=began, last=ended),
        )
        for table, column, began, ended in (
            ("bookings_facilityday", "d.date", since, first),
            ("bookings_facilitymonth", "d.month", first, last),
            ("bookings_facilityday", "d.date", last, until),
        )
        if began < ended
    ]
    statement = SQL("\n").join(
        [
            _grouped(
                "facilities",
                by,
                of_facilities=True,
                only=_only(by, only, "AND", of_facilities=True),
                which=_moved("AND NOT i.id", since) if kept.has_moves else _NOTHING,
            ),
            _grouped("result", by, parts=SQL(" UNION ALL ").join(parts)),
        ]
    )
    return fetch(statement, facilities)


FINE_PERIODS = ("day", "week")


def whole_months(since: date, until: date, by: Sequence[str]) -> tuple[date, date]:
    """Return the whole months of [since, until) as the days [first, last); (until, until) if there are none,
    or if months cannot be added up to the requested groups."""
    first = since if since.day == 1 else next_month(since)
    last = until.replace(day=1)
    is_fine = not set(FINE_PERIODS).isdisjoint(by)
    return (until, until) if is_fine or first >= last else (first, last)


def next_month(day: date) -> date:
    """Return the first day of the month after that of a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _years(first: date, last: date, kept: Kept) -> tuple[date, date]:
    """Return the whole years of the months [first, last), as far as anything is rolled up; (last, last) for
    none."""
    began = first if first.month == 1 else date(first.year + 1, 1, 1)
    ended = date(last.year + (kept.is_last and last.month > 1), 1, 1)
    return (began, ended) if first < last and began < ended else (last, last)


def _only(
    by: Sequence[str], ids: Sequence[UUID] | None, word: str, of_facilities: bool = False
) -> Composable:
    if ids is None:
        return _NOTHING
    return SQL("{} {} = ANY ({})").format(SQL(word), SQL(_value(by[0], of_facilities)), list(ids))


def _moved(which: str, since: date) -> Composable:
    return _filled("moved", which=SQL(which), since=since)


def _chosen(by: Sequence[str], has_moves: bool, first: date, last: date, **more: Any) -> Composable:
    name = "chosen" if has_moves else "chosen_unmoved"
    return _grouped(name, by, first=first, last=last, **more)


def load_offered(
    instruments: QuerySet[Instrument],
    since: date,
    until: date,
    by: Sequence[str] = (),
    *,
    only: Sequence[UUID] | None = None,
    has_moves: bool = False,
) -> dict[tuple[Any, ...], list[Offered]]:
    """Return what was on offer on the local days [since, until) that are rolled up, by the ids of the groups
    (in the order of `GROUPS`). `only`: as for `instrument_sums`; `has_moves`: some instrument changed its
    host after `since`, so each day counts for its host on that day. One statement, which reads no hours."""
    statement = SQL("\n").join(
        [
            _chosen(by, has_moves, since, until, which=_NOTHING, only=_only(by, only, "WHERE")),
            _grouped("offered", by, since=since, until=until),
        ]
    )
    offered: dict[tuple[Any, ...], list[Offered]] = {}
    for _, *group, norm, units, first, last in fetch(statement, instruments, columns=PLACES):
        offered.setdefault(tuple(group), []).append(Offered(norm, int(units), first, last))
    return offered


def require_few_days(instruments: QuerySet[Instrument], days: int) -> None:
    """Raise `Invalid` (too-many-days) if the instruments have more days without kept sums than can be added
    up at once. One statement."""
    if (number := instruments.count() * days) > MOST_DAYS:
        raise invalid("until", "too-many-days", days=number, most=MOST_DAYS)


def hosts_by(
    instruments: QuerySet[Instrument], facilities: QuerySet[Facility] | None, by: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Count the organisations of the instruments by the ids of the groups. One statement."""
    if facilities is not None and "technique" not in by:
        rows = fetch(_grouped("facility_hosts", by, of_facilities=True), facilities)
    else:
        rows = fetch(_grouped("hosts", by), instruments, columns=PLACES)
    return {tuple(group): number for _, *group, number in rows}


def groups_of(instruments: QuerySet[Instrument], by: Sequence[str]) -> tuple[int, int]:
    """Return how many groups the instruments fall into, and how many instruments there are. One statement,
    which reads no hours."""
    ((groups, number),) = fetch(_grouped("groups", by), instruments, columns=PLACES) or [(0, 0)]
    return int(groups), int(number)


def groups_page(
    instruments: QuerySet[Instrument], by: str, since: date, until: date, *, most: int, skipped: int = 0
) -> tuple[list[UUID], int]:
    """Return the ids of a page of the groups that have hours on the days, ordered as by `hours`, and the
    number of groups in all. One statement, which reads no hours."""
    statement = _grouped(
        "page",
        [by],
        key=SQL(GROUPS[by].value),
        table=SQL(GROUPS[by].table),
        since=since,
        until=until,
        most=most,
        skipped=skipped,
    )
    rows = fetch(statement, instruments, columns=PLACES)
    return [key for key, _ in rows], int(rows[0][1]) if rows else 0


PLACES = ("pk", "facility_id", "organisation_id", "region_id")


def fetch(
    statement: str | Composable,
    chosen: QuerySet[Any],
    after: Sequence[Any] = (),
    *,
    before: Sequence[Any] = (),
    columns: Sequence[str] = ("pk",),
) -> list[Any]:
    """Return the rows of a statement in which the `columns` of `chosen` replace `{scope}`; empty if nothing
    can be chosen. `before` and `after` are the parameters before and after those of `chosen`. One
    statement."""
    try:
        rows = chosen.order_by().values_list(*columns)
        scope, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    if isinstance(statement, Composable):
        statement = statement.as_string()
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{scope}", scope), [*before, *parameters, *after])
        return list(cursor.fetchall())


def _filled(name: str, **values: Any) -> Composable:
    """Return the SQL fragment with a name, filled in with other fragments as SQL, and with days and numbers
    as values."""
    return _SQL[name].format(scope=SQL("{scope}"), **values)


def _grouped(
    name: str, by: Sequence[str], *, date: str = "d.date", of_facilities: bool = False, **more: Any
) -> Composable:
    """Return a fragment filled in to group by `by`. `date`: the column that gives the period;
    `of_facilities`: the groups are of facilities, not of instruments."""
    return _filled(name, **_columns(tuple(by), date, of_facilities), **more)


@cache
def _columns(by: tuple[str, ...], date: str, of_facilities: bool) -> dict[str, SQL]:
    groups = [name for name in GROUPS if name in by]
    values = {name: _value(name, of_facilities) for name in groups}
    period = next((PERIODS[name] for name in PERIODS if name in by), ALWAYS)
    techniques = "LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = i.id"
    columns = {
        "keys": ", ".join(["k_all", *(f"k_{name}" for name in groups)]),
        "values": "".join(f", {values[name]} AS k_{name}" for name in groups),
        "techniques": techniques if "technique" in groups else "",
        "period": period.format(date=date),
        "names": "".join(f"k_{n}, n_{n}.{GROUPS[n].key}, n_{n}.name, n_{n}.name_zh, " for n in groups),
        "tables": " ".join(f"LEFT JOIN {GROUPS[n].table} n_{n} ON n_{n}.id = k_{n}" for n in groups),
    }
    return {name: SQL(column) for name, column in columns.items()}


def _value(group: str, of_facilities: bool) -> str:
    value = GROUPS[group].value
    return _OF_FACILITIES.get(group, value) if of_facilities else value
