"""Hours: the sums of days by facility and month, and the units a facility offers in a year.

Days are stored in batches of instruments, whose facilities may be those of another batch: each
batch leaves word of which months it touched, in its own transaction, and they are summed up
behind it. Whoever sums up holds the facility's row, so that an older sum never comes last.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from uuid import UUID

from django.db import connection, transaction

from bookings.hours.models import DirtyMonths
from instruments.models import Facility

FACILITIES = 40  # at a time
# What a stored day says, in the order in which it is written.
STORED = (
    "total_minutes", "open_minutes", "productive_minutes", "unscheduled_down_minutes",
    "scheduled_down_minutes", "engineering_minutes", "standby_minutes", "no_show_minutes",
    "non_scheduled_minutes", "breakdowns",
)  # fmt: skip


def updates(columns: Sequence[str]) -> str:
    """What `ON CONFLICT DO UPDATE SET` sets: the columns, as they would have been inserted."""
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


def months_mark(days: Sequence[tuple[UUID, object, object]]) -> None:
    """Have the months of the instruments' facilities summed up anew that the local days
    [since, until) lie in."""
    instruments, since, until = (list(column) for column in zip(*days, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(MARK, {"instruments": instruments, "since": since, "until": until})


def months_sum() -> int:
    """Sum up what is marked; how many rows were written or removed. Facilities that another
    worker has in hand are passed over, and waited for in the end only if that one has left
    something."""
    changed = 0
    for waits in (False, True):
        marked = DirtyMonths.objects.order_by("facility_id").values_list("facility_id", flat=True)
        for facilities in batched(list(marked.distinct()), FACILITIES):
            changed += _facilities_sum(facilities, waits=waits)
    return changed


@transaction.atomic
def _facilities_sum(facilities: Sequence[UUID], *, waits: bool) -> int:
    rows = Facility.objects.select_for_update(skip_locked=not waits, no_key=True)
    held = list(rows.filter(pk__in=facilities).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        # Before the days are read: what is stored in between leaves new marks.
        cursor.execute(TAKE, {"facilities": held})
        marks = cursor.fetchall()
        if not marks:
            return 0
        ids, since, until = (list(column) for column in zip(*marks, strict=True))
        parameters = {"facilities": ids, "since": since, "until": until}
        with planned_with(jit="off", work_mem="64MB", plan_cache_mode="force_custom_plan"):
            cursor.execute(MONTHS, parameters)
            (months,) = cursor.fetchone()
            cursor.execute(YEARS, parameters)
            (years,) = cursor.fetchone()
    return int(months) + int(years)


@contextmanager
def planned_with(**settings: str) -> Iterator[None]:
    """Within, statements are planned with these settings of PostgreSQL; behind it as before.
    Otherwise each foreign key that is checked at the end of the transaction would be planned
    anew, which takes three times as long as checking it."""
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {name} = '{settings[name]}'" for name in settings))
        yield
        cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in settings))


MARK = """
INSERT INTO bookings_dirtymonths (facility_id, since, until)
SELECT DISTINCT i.facility_id, date_trunc('month', t.since)::date, t.until
FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
JOIN instruments_instrument i ON i.id = t.instrument_id
"""

TAKE = """
WITH taken AS (
    DELETE FROM bookings_dirtymonths WHERE facility_id = ANY (%(facilities)s::uuid[])
    RETURNING facility_id, since, until
)
SELECT DISTINCT * FROM taken
"""

_TODO = """
WITH marked AS (
    SELECT * FROM unnest(%(facilities)s::uuid[], %(since)s::date[], %(until)s::date[])
        AS t (facility_id, since, until)
),
chosen AS MATERIALIZED (
    SELECT i.id, i.facility_id, i.organisation_id, i.region_id, i.kind, i.norm_hours
    FROM instruments_instrument i
    WHERE i.facility_id IN (SELECT facility_id FROM marked)
),
"""

_MONTHS = """todo AS MATERIALIZED (
    SELECT DISTINCT m.facility_id, n.month::date AS month,
        (n.month + interval '1 month')::date AS next
    FROM marked m, generate_series(
        date_trunc('month', m.since::timestamp), m.until - interval '1 day', interval '1 month'
    ) AS n (month)
),
bounds AS MATERIALIZED (
    SELECT facility_id, min(month) AS since, max(next) AS until FROM todo GROUP BY facility_id
),
spans AS MATERIALIZED (
    SELECT t.facility_id, t.month, a.schedule_id, greatest(a.from_date, t.month) AS since,
        least(a.until_date, r.until_date, t.next) AS until, sum(a.units) AS units
    FROM chosen c
    JOIN todo t ON t.facility_id = c.facility_id
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, t.month) < least(a.until_date, r.until_date, t.next)
    GROUP BY 1, 2, 3, 4, 5
),
calendar AS MATERIALIZED (
    SELECT s.schedule_id, s.since, s.until,
        sum(d.total_minutes) AS total, sum(d.open_minutes) AS open
    FROM (SELECT DISTINCT schedule_id, since, until FROM spans) s
    JOIN instruments_scheduleday d
        ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
    GROUP BY s.schedule_id, s.since, s.until
),
parts AS (
    SELECT facility_id, month, sum(s.units * d.total) AS total, sum(s.units * d.open) AS open,
        0 AS productive, 0 AS unscheduled, 0 AS scheduled, 0 AS engineering, 0 AS missed,
        0 AS lost, 0 AS breakdowns, 0 AS organisations, 0 AS regions, 0 AS sessions
    FROM spans s
    JOIN calendar d USING (schedule_id, since, until)
    GROUP BY facility_id, month
    UNION ALL
    SELECT c.facility_id, date_trunc('month', d.date::timestamp)::date, NULL, NULL,
        sum(d.productive_minutes), sum(d.unscheduled_down_minutes),
        sum(d.scheduled_down_minutes), sum(d.engineering_minutes), sum(d.no_show_minutes),
        sum(d.open_minutes - d.standby_minutes), sum(d.breakdowns), 0, 0, 0
    FROM chosen c
    JOIN bounds b ON b.facility_id = c.facility_id
    CROSS JOIN LATERAL (
        SELECT * FROM bookings_instrumentday d
        WHERE d.instrument_id = c.id AND d.date >= b.since AND d.date < b.until
        OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
    ) d
    GROUP BY 1, 2
    UNION ALL
    SELECT c.facility_id, date_trunc('month', d.date::timestamp)::date, NULL, NULL,
        0, 0, 0, 0, 0, 0, 0,
        coalesce(sum(d.minutes) FILTER (
            WHERE d.organisation_id <> coalesce(p.organisation_id, c.organisation_id)
        ), 0),
        coalesce(sum(d.minutes) FILTER (
            WHERE d.payer_region_id <> coalesce(p.region_id, c.region_id)
        ), 0),
        sum(d.sessions)
    FROM chosen c
    JOIN bounds b ON b.facility_id = c.facility_id
    CROSS JOIN LATERAL (
        SELECT * FROM bookings_instrumentdayuse d
        WHERE d.instrument_id = c.id AND d.date >= b.since AND d.date < b.until
        OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
    ) d
    LEFT JOIN instruments_pasthost p ON p.instrument_id = c.id
        AND d.date < p.until_date AND (p.from_date IS NULL OR d.date >= p.from_date)
    GROUP BY 1, 2
),
sums AS MATERIALIZED (
    SELECT facility_id, month, sum(total) AS total, sum(open) AS open,
        sum(productive) AS productive, sum(unscheduled) AS unscheduled,
        sum(scheduled) AS scheduled, sum(engineering) AS engineering, sum(missed) AS missed,
        sum(open) - sum(lost) AS standby, sum(breakdowns) AS breakdowns,
        sum(organisations) AS organisations, sum(regions) AS regions, sum(sessions) AS sessions
    FROM parts
    JOIN todo USING (facility_id, month)
    GROUP BY facility_id, month
    HAVING sum(total) IS NOT NULL
),
stored AS (
    INSERT INTO bookings_facilitymonth AS t (facility_id, month, {columns})
    SELECT facility_id, month, total, open, productive, unscheduled, scheduled, engineering,
        standby, missed, total - productive - unscheduled - scheduled - engineering - standby,
        breakdowns, organisations, regions, sessions
    FROM sums
    ON CONFLICT (facility_id, month) DO UPDATE SET
        {updates}
    WHERE t IS DISTINCT FROM excluded
    RETURNING 1
),
dropped AS (
    DELETE FROM bookings_facilitymonth t USING todo
    WHERE t.facility_id = todo.facility_id AND t.month = todo.month
        AND NOT EXISTS (
            SELECT FROM sums s WHERE s.facility_id = t.facility_id AND s.month = t.month
        )
    RETURNING 1
)
SELECT (SELECT count(*) FROM stored) + (SELECT count(*) FROM dropped)
"""

_YEARS = """todo AS MATERIALIZED (
    SELECT DISTINCT m.facility_id, n.year,
        make_date(n.year, 1, 1) AS since, make_date(n.year + 1, 1, 1) AS until
    FROM marked m, generate_series(
        extract(year FROM m.since)::int, extract(year FROM m.until - 1)::int
    ) AS n (year)
),
sums AS MATERIALIZED (
    SELECT facility_id, year, norm, sum(units) AS units
    FROM (
        SELECT c.facility_id, t.year, coalesce(c.norm_hours::text, c.kind) AS norm,
            max(a.units) AS units
        FROM chosen c
        JOIN todo t ON t.facility_id = c.facility_id
        JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
        JOIN bookings_rollup r ON r.instrument_id = c.id
        WHERE a.schedule_id IS NOT NULL
            AND greatest(a.from_date, t.since) < least(a.until_date, r.until_date, t.until)
        GROUP BY c.id, c.facility_id, t.year, c.norm_hours, c.kind
    ) units
    GROUP BY facility_id, year, norm
),
stored AS (
    INSERT INTO bookings_facilityyear AS t (facility_id, year, norm, units)
    SELECT facility_id, year, norm, units FROM sums
    ON CONFLICT (facility_id, year, norm) DO UPDATE SET units = excluded.units
    WHERE t.units <> excluded.units
    RETURNING 1
),
dropped AS (
    DELETE FROM bookings_facilityyear t USING todo
    WHERE t.facility_id = todo.facility_id AND t.year = todo.year
        AND NOT EXISTS (
            SELECT FROM sums s
            WHERE s.facility_id = t.facility_id AND s.year = t.year AND s.norm = t.norm
        )
    RETURNING 1
)
SELECT (SELECT count(*) FROM stored) + (SELECT count(*) FROM dropped)
"""

MONTH_COLUMNS = (*STORED, "other_organisations_minutes", "other_regions_minutes", "sessions")
MONTHS = _TODO + _MONTHS.format(columns=", ".join(MONTH_COLUMNS), updates=updates(MONTH_COLUMNS))
YEARS = _TODO + _YEARS
