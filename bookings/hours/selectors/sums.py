"""Hours summed up in the database: from days, or from the months of facilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

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
BY = (*PERIODS, *GROUPS)

# Braces are filled in by `_sql` with columns and tables from the constants above.
_HOURS = """
WITH scope AS MATERIALIZED (
    SELECT i.id, i.facility_id, i.organisation_id, i.region_id
    FROM instruments_instrument i WHERE i.id IN ({scope})
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
    SELECT i.id, i.organisation_id, i.region_id, i.host_since, i.host_until, 0 AS k_all {values}
    FROM hosts i {techniques}
),
spans AS MATERIALIZED (
    -- Groups of instruments with the same hours in force from and until the same days.
    SELECT {keys}, a.schedule_id, greatest(a.from_date, c.host_since, %s) AS since,
        least(a.until_date, r.until_date, c.host_until, %s) AS until, sum(a.units) AS units
    FROM chosen c
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL AND greatest(a.from_date, c.host_since, %s)
        < least(a.until_date, r.until_date, c.host_until, %s)
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
parts AS (
    -- Added up rather than joined: the planner cannot know how many groups there are.
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
    FROM chosen c
    JOIN bookings_instrumentday d ON d.instrument_id = c.id
        AND d.date >= c.host_since AND d.date < c.host_until
    WHERE d.date >= %s AND d.date < %s
    GROUP BY {keys}, {period}
    UNION ALL
    SELECT {keys}, {period}, NULL, NULL, 0, 0, 0, 0, 0, 0, 0,
        coalesce(sum(d.minutes) FILTER (WHERE d.organisation_id <> c.organisation_id), 0),
        coalesce(sum(d.minutes) FILTER (WHERE d.payer_region_id <> c.region_id), 0),
        sum(d.sessions)
    FROM chosen c
    JOIN bookings_instrumentdayuse d ON d.instrument_id = c.id
        AND d.date >= c.host_since AND d.date < c.host_until
    WHERE d.date >= %s AND d.date < %s
    GROUP BY {keys}, {period}
),
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

# The same from the sums of whole months; all instruments of the facilities. None where one of
# them belonged elsewhere on some of the days: only days tell which.
_MONTHS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, i.id AS facility_id, i.organisation_id, o.region_id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope})
        AND NOT EXISTS (SELECT FROM instruments_pasthost p WHERE p.until_date > %s)
),
sums AS (
    SELECT {keys}, {period} AS period, sum(d.total_minutes) AS total,
        sum(d.open_minutes) AS open, sum(d.productive_minutes) AS productive,
        sum(d.unscheduled_down_minutes) AS unscheduled,
        sum(d.scheduled_down_minutes) AS scheduled, sum(d.engineering_minutes) AS engineering,
        sum(d.no_show_minutes) AS missed, sum(d.open_minutes - d.standby_minutes) AS lost,
        sum(d.breakdowns) AS breakdowns, sum(d.other_organisations_minutes) AS organisations,
        sum(d.other_regions_minutes) AS regions, sum(d.sessions) AS sessions
    FROM chosen c
    JOIN bookings_facilitymonth d ON d.facility_id = c.id
    WHERE d.month >= %s AND d.month < %s
    GROUP BY {keys}, {period}
)
SELECT period, {names} total, open, productive, unscheduled, scheduled, engineering, missed,
    lost, breakdowns, organisations, regions, sessions
FROM sums
{tables}
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
WITH chosen AS MATERIALIZED (
    SELECT i.id, i.organisation_id, 0 AS k_all {values}
    FROM instruments_instrument i {techniques}
    WHERE i.id IN ({scope})
)
SELECT {keys}, count(DISTINCT organisation_id) FROM chosen GROUP BY {keys}
"""
_GROUPS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM instruments_instrument i {techniques}
    WHERE i.id IN ({scope})
)
SELECT count(*) FROM (SELECT DISTINCT {keys} FROM chosen) groups
"""
# Of a facility, what an instrument has itself.
_OF_FACILITIES = {"region": "o.region_id", "facility": "i.id"}


def day_sums(
    instruments: QuerySet[Instrument], since: date, until: date, by: Sequence[str]
) -> list[Any]:
    """A row for each group: its period, then key and names of what it is grouped by, then
    total, open, productive, unscheduled, scheduled, engineering, missed, lost, breakdowns, other
    organisations, other regions, sessions. One statement."""
    return fetch(_sql(_HOURS, by), instruments, (since, until) * 4)


def month_sums(
    facilities: QuerySet[Facility], since: date, until: date, by: Sequence[str]
) -> list[Any]:
    """The same of whole months, from the first of one to the first of another; nothing where some
    instrument changed its host since the first. One statement."""
    return fetch(_sql(_MONTHS, by), facilities, (since, since, until))


def units_offered(
    instruments: QuerySet[Instrument],
    facilities: QuerySet[Facility] | None,
    since: date,
    until: date,
    by: Sequence[str],
) -> dict[tuple[Any, ...], dict[int, dict[str, int]]]:
    """By the ids of the groups (in the order of `GROUPS`), year and what decides the norm: how
    many units were offered in that year. One statement."""
    years = (since.year, until.year)
    if facilities is None:
        rows = fetch(_sql(_YEARS, by), instruments, years)
    else:
        rows = fetch(_sql(_FACILITY_YEARS, by), facilities, years)
    offered: dict[tuple[Any, ...], dict[int, dict[str, int]]] = {}
    for _, *group, year, norm, units in rows:
        offered.setdefault(tuple(group), {}).setdefault(year, {})[norm] = int(units)
    return offered


def hosts_by(instruments: QuerySet[Instrument], by: Sequence[str]) -> dict[tuple[Any, ...], int]:
    """Count the organisations of the instruments by the ids of the groups. One statement."""
    return {tuple(group): number for _, *group, number in fetch(_sql(_HOSTS, by), instruments, ())}


def groups_of(instruments: QuerySet[Instrument], by: Sequence[str]) -> int:
    """How many groups the instruments fall into. One statement, which reads no hours."""
    return sum(int(number) for (number,) in fetch(_sql(_GROUPS, by), instruments, ()))


def fetch(
    statement: str, chosen: QuerySet[Any], after: Sequence[Any] = (), *, before: Sequence[Any] = ()
) -> list[Any]:
    """The rows of a statement, in which the ids of `chosen` stand for `{scope}`; none where
    nothing can be chosen. Parameters stand before and after those ids. One statement."""
    try:
        scope, parameters = chosen.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{scope}", scope), [*before, *parameters, *after])
        return list(cursor.fetchall())


def _sql(statement: str, by: Sequence[str]) -> str:
    groups = [name for name in GROUPS if name in by]
    values = {name: GROUPS[name].value for name in groups}
    column = "d.date"
    if statement in (_MONTHS, _FACILITY_YEARS):
        values |= {name: value for name, value in _OF_FACILITIES.items() if name in groups}
        column = "d.month"
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
    )
