"""Hours summed up in the database: from the sums that the roll-up keeps, and from days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from accounts.domain.errors import invalid
from instruments.models import Facility, Instrument


@dataclass(frozen=True)
class Group:
    """What figures are grouped by: `value` is the id of the group an instrument belongs to,
    `table` names it, `key` is its column that people and programs know it by."""

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
# The finest of those named tells the others.
PERIODS = {
    "day": "d.date",
    "week": "date_trunc('week', d.date::timestamp)::date",
    "month": "date_trunc('month', d.date::timestamp)::date",
    "year": "date_trunc('year', d.date::timestamp)::date",
}
ALWAYS = "DATE '0001-01-01'"
# Of instruments, where no sums that are kept can be read: as many of 4,000 in a year.
MOST_DAYS = 1_500_000
BY = (*PERIODS, *GROUPS)

# Braces are filled in by `_sql` with columns and tables from the constants above, and with days.
_CHOSEN = """
WITH scope AS MATERIALIZED (
    SELECT * FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {which}
),
hosts AS (
    -- Hours count for the host and the region that the instrument had on the day.
    SELECT s.*, coalesce(p.last, '-infinity') AS host_since, 'infinity'::date AS host_until
    FROM scope s
    LEFT JOIN (
        SELECT instrument_id, max(until_date) AS last FROM instruments_pasthost GROUP BY 1
    ) p ON p.instrument_id = s.id
    UNION ALL
    SELECT s.id, s.facility_id, p.organisation_id, p.region_id,
        coalesce(p.from_date, '-infinity'), p.until_date
    FROM scope s JOIN instruments_pasthost p ON p.instrument_id = s.id
),
chosen AS MATERIALIZED (
    -- Whole months of one host are read from their sums, the days around them one by one.
    SELECT i.id, i.organisation_id, i.region_id, i.host_since, i.host_until,
        CASE WHEN i.host_since <= {first} THEN {first} ELSE
            (date_trunc('month', (i.host_since - 1)::timestamp) + interval '1 month')::date
        END AS months_since,
        CASE WHEN i.host_until >= {last} THEN {last}
            ELSE date_trunc('month', i.host_until::timestamp)::date
        END AS months_until,
        0 AS k_all {values}
    FROM hosts i {techniques}
    {only}
),
"""
# The same where no instrument changed its host behind the first day.
_CHOSEN_UNMOVED = """
WITH chosen AS (
    SELECT i.id, i.organisation_id, i.region_id, '-infinity'::date AS host_since,
        'infinity'::date AS host_until, {first} AS months_since, {last} AS months_until,
        0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
    {only}
),
"""
_DAYS = """
ranges AS MATERIALIZED (
    SELECT * FROM (
        SELECT c.*, greatest(c.host_since, {since}) AS begins,
            least(
                c.host_until, {until},
                CASE WHEN c.months_since < c.months_until THEN c.months_since END
            ) AS ends
        FROM chosen c
        UNION ALL
        SELECT c.*, greatest(c.host_since, c.months_until), least(c.host_until, {until})
        FROM chosen c WHERE c.months_since < c.months_until
    ) r
    WHERE r.begins < r.ends
),
spans AS MATERIALIZED (
    -- Groups of instruments with the same hours in force from and until the same days.
    SELECT {keys}, a.schedule_id, greatest(a.from_date, c.begins) AS since,
        least(a.until_date, r.until_date, c.ends) AS until, sum(a.units) AS units
    FROM ranges c
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, c.begins) < least(a.until_date, r.until_date, c.ends)
    GROUP BY {keys}, a.schedule_id, since, until
),
calendar AS MATERIALIZED (
    SELECT s.schedule_id, s.since, s.until, {period} AS period,
        sum(d.total_minutes) AS total, sum(d.open_minutes) AS open
    FROM (SELECT DISTINCT schedule_id, since, until FROM spans) s
    JOIN instruments_scheduleday d
        ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
    GROUP BY s.schedule_id, s.since, s.until, {period}
),
"""
# Added up rather than joined: the planner cannot know how many groups there are.
_DAY_PARTS = """
    SELECT {keys}, period, sum(s.units * d.total) AS total, sum(s.units * d.open) AS open,
        0 AS productive, 0 AS unscheduled, 0 AS scheduled, 0 AS engineering, 0 AS missed,
        0 AS lost, 0 AS breakdowns, 0 AS organisations, 0 AS regions, 0 AS sessions
    FROM spans s
    JOIN calendar d USING (schedule_id, since, until)
    GROUP BY {keys}, period
    UNION ALL
    SELECT {keys}, {period}, NULL, NULL, sum(d.productive_minutes),
        sum(d.unscheduled_down_minutes), sum(d.scheduled_down_minutes),
        sum(d.engineering_minutes), sum(d.no_show_minutes),
        sum(d.open_minutes - d.standby_minutes), sum(d.breakdowns), 0, 0, 0
    FROM ranges c
    JOIN bookings_instrumentday d ON d.instrument_id = c.id
        AND d.date >= c.begins AND d.date < c.ends
    WHERE d.date >= {since} AND d.date < {until}
    GROUP BY {keys}, {period}
    UNION ALL
    SELECT {keys}, {period}, NULL, NULL, 0, 0, 0, 0, 0, 0, 0,
        coalesce(sum(d.minutes) FILTER (WHERE d.organisation_id <> c.organisation_id), 0),
        coalesce(sum(d.minutes) FILTER (WHERE d.payer_region_id <> c.region_id), 0),
        sum(d.sessions)
    FROM ranges c
    JOIN bookings_instrumentdayuse d ON d.instrument_id = c.id
        AND d.date >= c.begins AND d.date < c.ends
    WHERE d.date >= {since} AND d.date < {until}
    GROUP BY {keys}, {period}
"""
# Sums that the roll-up keeps (`FacilityDay` and the like), of those that `join` says.
_SUM_PART = """
    SELECT {keys}, {period} AS period, sum(d.total_minutes) AS total,
        sum(d.open_minutes) AS open, sum(d.productive_minutes) AS productive,
        sum(d.unscheduled_down_minutes) AS unscheduled,
        sum(d.scheduled_down_minutes) AS scheduled, sum(d.engineering_minutes) AS engineering,
        sum(d.no_show_minutes) AS missed, sum(d.open_minutes - d.standby_minutes) AS lost,
        sum(d.breakdowns) AS breakdowns, sum(d.other_organisations_minutes) AS organisations,
        sum(d.other_regions_minutes) AS regions, sum(d.sessions) AS sessions
    FROM chosen c
    JOIN {join}
    GROUP BY {keys}, {period}
"""
_RESULT = """
parts AS ({parts}),
sums AS (
    SELECT {keys}, period, sum(total) AS total, sum(open) AS open,
        sum(productive) AS productive, sum(unscheduled) AS unscheduled,
        sum(scheduled) AS scheduled, sum(engineering) AS engineering, sum(missed) AS missed,
        sum(lost) AS lost, sum(breakdowns) AS breakdowns,
        sum(organisations) AS organisations,
        sum(regions) AS regions, sum(sessions) AS sessions
    FROM parts
    GROUP BY {keys}, period
)
SELECT period, {names} total, open, productive, unscheduled, scheduled, engineering, missed,
    lost, breakdowns, organisations, regions, sessions
FROM sums
{tables}
WHERE total IS NOT NULL
"""
# All instruments of the facilities, but for those that one belongs to which changed its host
# since the first day: of those only the instruments' own sums tell.
_FACILITIES = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope}) {which} {only}
),
"""
_MOVED = """{which} IN (
    SELECT m.facility_id FROM instruments_pasthost p
    JOIN instruments_instrument m ON m.id = p.instrument_id WHERE p.until_date > {since}
)"""
_KEPT = """
SELECT NOT EXISTS (SELECT FROM bookings_rollup WHERE NOT is_summed),
    EXISTS (SELECT FROM instruments_pasthost WHERE until_date > %s),
    NOT EXISTS (SELECT FROM bookings_facilitymonth WHERE month >= %s),
    NOT EXISTS (SELECT FROM bookings_rollup WHERE until_date > %s)
"""

# Units offered in each year, by what decides their norm, of the same groups.
_YEARS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, coalesce(i.norm_hours::text, i.kind) AS norm, 0 AS k_all {values}
    FROM instruments_instrument i {techniques}
    WHERE i.id IN ({scope})
)
SELECT {keys}, year, norm, sum(units)
FROM (
    SELECT {keys}, c.id, y.year, c.norm, max(a.units) AS units
    FROM chosen c
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    CROSS JOIN generate_series(%s::int, %s::int) AS y (year)
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, make_date(y.year, 1, 1))
            < least(a.until_date, r.until_date, make_date(y.year + 1, 1, 1))
    GROUP BY {keys}, c.id, y.year, c.norm
) units
GROUP BY {keys}, year, norm
"""
_INSTRUMENT_YEARS = """
WITH chosen AS (
    SELECT i.id, 0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
)
SELECT {keys}, y.year, y.norm, sum(y.units)
FROM chosen c
JOIN bookings_instrumentyear y ON y.instrument_id = c.id
WHERE y.year BETWEEN %s AND %s
GROUP BY {keys}, y.year, y.norm
"""
_FACILITY_YEARS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope})
)
SELECT {keys}, y.year, y.norm, sum(y.units)
FROM chosen c
JOIN bookings_facilityyear y ON y.facility_id = c.id
WHERE y.year BETWEEN %s AND %s
GROUP BY {keys}, y.year, y.norm
"""
# From how many organisations the instruments of each group come.
_HOSTS = """
WITH chosen AS (
    SELECT i.id, i.organisation_id, 0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
)
SELECT {keys}, count(*)
FROM (SELECT DISTINCT {keys}, organisation_id FROM chosen) hosts
GROUP BY {keys}
"""
_FACILITY_HOSTS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, i.organisation_id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope})
        AND EXISTS (SELECT FROM instruments_instrument m WHERE m.facility_id = i.id)
)
SELECT {keys}, count(*)
FROM (SELECT DISTINCT {keys}, organisation_id FROM chosen) hosts
GROUP BY {keys}
"""
_GROUPS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
)
SELECT (SELECT count(*) FROM (SELECT DISTINCT {keys} FROM chosen) groups),
    (SELECT count(*) FROM (SELECT DISTINCT id FROM chosen) instruments)
"""
# The groups of instruments that were offered on days rolled up, in the order of their names.
_PAGE = """
WITH groups AS (
    SELECT DISTINCT {key} AS key
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
    JOIN bookings_rollup r ON r.instrument_id = i.id
    WHERE r.until_date > {since} AND EXISTS (
        SELECT FROM instruments_scheduleassignment a
        WHERE a.instrument_id = i.id AND a.schedule_id IS NOT NULL
            AND a.from_date < least(r.until_date, {until})
            AND (a.until_date > {since} OR a.until_date IS NULL)
    )
)
SELECT g.key, count(*) OVER ()
FROM groups g
LEFT JOIN {table} n ON n.id = g.key
ORDER BY coalesce(n.name, '') = '', n.name COLLATE "C", g.key
LIMIT {most:d} OFFSET {skipped:d}
"""
# Of a facility, what an instrument has itself.
_OF_FACILITIES = {"region": "o.region_id", "facility": "i.id"}


@dataclass(frozen=True)
class Kept:
    """What the sums of the roll-up say of days [since, until): whether they hold everything (not
    yet after an upgrade), whether some instrument changed its host behind `since`, whether nothing
    is rolled up in the months from `until` on, and whether no day from `until` on is."""

    is_filled: bool
    has_moves: bool
    is_last: bool
    is_newest: bool


def load_kept(since: date, until: date) -> Kept:
    """Load that. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [since, until, until])
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
    """A row for each group: its period, then key and names of what it is grouped by, then
    total, open, productive, unscheduled, scheduled, engineering, missed, lost, breakdowns, other
    organisations, other regions, sessions. `only`: of the groups of the first of `by` those with
    these ids. `is_moved`: of the facilities alone that `facility_sums` leaves out. One
    statement."""
    first, last = whole_months(since, until, by) if kept.is_filled else (until, until)
    parts = []
    if first > since or last < until or kept.has_moves or not first < last:
        parts.append(_DAY_PARTS)
    years = (last, last) if "month" in by else _years(first, last, kept)
    whole = "TRUE"
    if kept.has_moves:
        whole = f"c.months_since = {_day(first)} AND c.months_until = {_day(last)}"
    if first < last and (first < years[0] or years[1] < last or kept.has_moves):
        besides = f"d.month < {_day(years[0])} OR d.month >= {_day(years[1])}"
        within = "d.month >= c.months_since AND d.month < c.months_until"
        parts.append(
            _sum_part(
                "bookings_instrumentmonth d ON d.instrument_id = c.id"
                f" WHERE d.month >= {_day(first)} AND d.month < {_day(last)}"
                f" AND ({besides} OR NOT ({whole}))" + (f" AND {within}" if kept.has_moves else ""),
                by,
                "d.month",
            )
        )
    if years[0] < years[1]:
        parts.append(
            _sum_part(
                "bookings_instrumentyear d ON d.instrument_id = c.id"
                f" WHERE d.year >= {years[0].year:d} AND d.year < {years[1].year:d} AND {whole}",
                by,
                "make_date(d.year, 1, 1)",
            )
        )
    chosen = _CHOSEN if kept.has_moves else _CHOSEN_UNMOVED
    head = chosen + (_DAYS if _DAY_PARTS in parts else "")
    statement = (head + _RESULT).replace("{parts}", " UNION ALL ".join(parts))
    which = _MOVED.format(which="WHERE i.facility_id", since=_day(since)) if is_moved else ""
    days = {"since": since, "until": until, "first": first, "last": last}
    named: dict[str, Any] = {name: _day(day) for name, day in days.items()}
    return fetch(
        _sql(
            statement,
            by,
            which=which,
            only=_only(by, only, "WHERE"),
            **named,
        ),
        instruments,
        columns=PLACES,
    )


def facility_sums(
    facilities: QuerySet[Facility],
    since: date,
    until: date,
    by: Sequence[str],
    kept: Kept,
    *,
    only: Sequence[UUID] | None = None,
) -> list[Any]:
    """The same of all instruments of facilities, grouped by those or by what they belong to, but
    for facilities with an instrument that changed its host. One statement."""
    first, last = whole_months(since, until, by)
    parts = []
    for table, column, begin, end in (
        ("day", "date", since, first),
        ("month", "month", first, last),
        ("day", "date", last, until),
    ):
        if begin < end:
            join = (
                f"bookings_facility{table} d ON d.facility_id = c.id"
                f" WHERE d.{column} >= {_day(begin)} AND d.{column} < {_day(end)}"
            )
            parts.append(_sum_part(join, by, f"d.{column}", _OF_FACILITIES))
    statement = (_FACILITIES + _RESULT).replace("{parts}", " UNION ALL ".join(parts))
    which = _MOVED.format(which="AND NOT i.id", since=_day(since)) if kept.has_moves else ""
    only_these = _only(by, only, "AND", _OF_FACILITIES)
    return fetch(_sql(statement, by, which=which, only=only_these, of=_OF_FACILITIES), facilities)


FINE_PERIODS = ("day", "week")


def whole_months(since: date, until: date, by: Sequence[str]) -> tuple[date, date]:
    """The whole months of [since, until), as the days [first, last); (until, until) where there
    are none, or months cannot be added up to what is asked for."""
    first = since if since.day == 1 else next_month(since)
    last = until.replace(day=1)
    is_fine = not set(FINE_PERIODS).isdisjoint(by)
    return (until, until) if is_fine or first >= last else (first, last)


def next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _years(first: date, last: date, kept: Kept) -> tuple[date, date]:
    """The whole years of the months [first, last), as far as anything is rolled up; (last, last)
    for none."""
    began = first if first.month == 1 else date(first.year + 1, 1, 1)
    ended = date(last.year + (kept.is_last and last.month > 1), 1, 1)
    return (began, ended) if first < last and began < ended else (last, last)


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _only(
    by: Sequence[str], ids: Sequence[UUID] | None, word: str, of: Mapping[str, str] | None = None
) -> str:
    if ids is None:
        return ""
    value = (of or {}).get(by[0], GROUPS[by[0]].value)
    listed = ", ".join(f"'{key}'" for key in ids)
    return f"{word} {value} = ANY (ARRAY[{listed}]::uuid[])"


def _sum_part(
    join: str, by: Sequence[str], column: str, of: Mapping[str, str] | None = None
) -> str:
    return _sql(_SUM_PART, by, column=column, of=of, join=join)


def units_offered(
    instruments: QuerySet[Instrument],
    facilities: QuerySet[Facility] | None,
    since: date,
    until: date,
    by: Sequence[str],
    kept: Kept,
) -> dict[tuple[Any, ...], dict[int, dict[str, int]]]:
    """By the ids of the groups (in the order of `GROUPS`), year and what decides the norm: how
    many units were offered in that year. One statement."""
    years = (since.year, until.year)
    if facilities is not None:
        rows = fetch(_sql(_FACILITY_YEARS, by, of=_OF_FACILITIES), facilities, years)
    else:
        statement, columns = (_INSTRUMENT_YEARS, PLACES) if kept.is_filled else (_YEARS, ("pk",))
        rows = fetch(_sql(statement, by), instruments, years, columns=columns)
    offered: dict[tuple[Any, ...], dict[int, dict[str, int]]] = {}
    for _, *group, year, norm, units in rows:
        offered.setdefault(tuple(group), {}).setdefault(year, {})[norm] = int(units)
    return offered


def require_few_days(instruments: QuerySet[Instrument], days: int) -> None:
    """`Invalid` (too-many-days) where days of instruments that no sums are kept of are more than
    can be added up at once. One statement."""
    if (number := instruments.count() * days) > MOST_DAYS:
        raise invalid("until", "too-many-days", days=number, most=MOST_DAYS)


def hosts_by(
    instruments: QuerySet[Instrument], facilities: QuerySet[Facility] | None, by: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Count the organisations of the instruments by the ids of the groups. One statement."""
    if facilities is not None and "technique" not in by:
        rows = fetch(_sql(_FACILITY_HOSTS, by, of=_OF_FACILITIES), facilities)
    else:
        rows = fetch(_sql(_HOSTS, by), instruments, columns=PLACES)
    return {tuple(group): number for _, *group, number in rows}


def groups_of(instruments: QuerySet[Instrument], by: Sequence[str]) -> tuple[int, int]:
    """How many groups the instruments fall into, and how many they are. One statement, which
    reads no hours."""
    ((groups, number),) = fetch(_sql(_GROUPS, by), instruments, columns=PLACES) or [(0, 0)]
    return int(groups), int(number)


def groups_page(
    instruments: QuerySet[Instrument],
    by: str,
    since: date,
    until: date,
    *,
    most: int,
    skipped: int = 0,
) -> tuple[list[UUID], int]:
    """Some of the groups that have hours of the days, as `hours` orders them: their ids, and how
    many there are in all. One statement, which reads no hours."""
    statement = _sql(
        _PAGE,
        [by],
        key=GROUPS[by].value,
        table=GROUPS[by].table,
        since=_day(since),
        until=_day(until),
        most=most,
        skipped=skipped,
    )
    rows = fetch(statement, instruments, columns=PLACES)
    return [key for key, _ in rows], int(rows[0][1]) if rows else 0


PLACES = ("pk", "facility_id", "organisation_id", "region_id")


def fetch(
    statement: str,
    chosen: QuerySet[Any],
    after: Sequence[Any] = (),
    *,
    before: Sequence[Any] = (),
    columns: Sequence[str] = ("pk",),
) -> list[Any]:
    """The rows of a statement, in which the `columns` of `chosen` stand for `{scope}`; none where
    nothing can be chosen. Parameters stand before and after those. One statement."""
    try:
        rows = chosen.order_by().values_list(*columns)
        scope, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{scope}", scope), [*before, *parameters, *after])
        return list(cursor.fetchall())


def _sql(
    statement: str,
    by: Sequence[str],
    *,
    column: str = "d.date",
    of: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    groups = [name for name in GROUPS if name in by]
    values = {name: (of or {}).get(name, GROUPS[name].value) for name in groups}
    period = next((PERIODS[name] for name in PERIODS if name in by), ALWAYS)
    return statement.format(
        scope="{scope}",
        keys=", ".join(["k_all", *(f"k_{name}" for name in groups)]),
        values="".join(f", {values[name]} AS k_{name}" for name in groups),
        techniques="LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = i.id"
        if "technique" in groups
        else "",
        period=period.replace("d.date", column),
        names="".join(
            f"k_{name}, n_{name}.{GROUPS[name].key}, n_{name}.name, n_{name}.name_zh, "
            for name in groups
        ),
        tables=" ".join(
            f"LEFT JOIN {GROUPS[name].table} n_{name} ON n_{name}.id = k_{name}" for name in groups
        ),
        **more,
    )
