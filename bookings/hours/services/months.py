"""Hours: the sums of days by facility and month, and the units a facility offers in a year.

Days are stored in batches of instruments, whose facilities may be those of another batch: each
batch leaves word of which months it touched, in its own transaction, and they are summed up
behind it. Whoever sums up holds the facility's row, so that an older sum never comes last.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import connection, transaction

from bookings.hours.models import BookingsRead, DirtyMonths
from bookings.hours.selectors.bookings import LATE_HOURS, WIDTHS
from instruments.models import Facility

FACILITIES = 40  # at a time
MARGIN = timedelta(hours=1)
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


def bookings_mark(now: datetime) -> None:
    """Have the months of bookings summed up anew to which the trail says that something happened
    since it was last read for them; the first time all."""
    last = BookingsRead.objects.first()
    with connection.cursor() as cursor:
        if last is None:
            cursor.execute(MARK_BOOKINGS.format(which=""), {"now": now})
        else:
            # A transaction that began before the last reading may have committed after it.
            milliseconds = int((last.until - MARGIN).timestamp() * 1000)
            entry = UUID(int=milliseconds << 80)  # the keys sort by the time they were made
            cursor.execute(MARK_BOOKINGS.format(which=TOUCHED), {"now": now, "entry": entry})
        cursor.execute(READ, {"now": now})


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
        changed = 0
        with planned_with(jit="off", work_mem="64MB", plan_cache_mode="force_custom_plan"):
            for statements, these in (
                ((MONTHS, YEARS), [mark for mark in marks if not mark[-1]]),
                ((BOOKINGS,), marks),
            ):
                if not these:
                    continue
                ids, since, until, _ = (list(column) for column in zip(*these, strict=True))
                for statement in statements:
                    cursor.execute(statement, {"facilities": ids, "since": since, "until": until})
                    changed += int(cursor.fetchone()[0])
        cursor.execute(SUMMED, {"facilities": held})
    return changed


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

# Local days are those of the facility: a day more on either side. A booking that was moved also
# leaves the month that it lay in, which was not over.
MARK_BOOKINGS = """
INSERT INTO bookings_dirtymonths (facility_id, since, until, only_bookings)
SELECT i.facility_id, least(min(r.start_at), %(now)s)::date - 1,
    greatest(max(r.start_at)::date + 2, %(now)s::date + 1000), true
FROM bookings_reservation r
JOIN instruments_instrument i ON i.id = r.instrument_id
WHERE r.confirmed_at IS NOT NULL {which}
GROUP BY i.facility_id
"""
TOUCHED = """AND r.id IN (
    SELECT object_id FROM accounts_trailentry
    WHERE id >= %(entry)s AND object_type = 'reservation'
)"""
READ = """
INSERT INTO bookings_bookingsread AS t (id, until) VALUES (1, %(now)s)
ON CONFLICT (id) DO UPDATE SET until = greatest(t.until, excluded.until)
"""

TAKE = """
WITH taken AS (
    DELETE FROM bookings_dirtymonths WHERE facility_id = ANY (%(facilities)s::uuid[])
    RETURNING facility_id, since, until, only_bookings
)
SELECT DISTINCT * FROM taken
"""

# After an upgrade: the mark that stands for all of a facility's days has been worked off.
SUMMED = """
UPDATE bookings_rollup r SET is_summed = true
WHERE r.facility_id = ANY (%(facilities)s::uuid[]) AND NOT r.is_summed
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
_MONTHS_TODO = """todo AS MATERIALIZED (
    SELECT DISTINCT m.facility_id, n.month::date AS month,
        (n.month + interval '1 month')::date AS next
    FROM marked m, generate_series(
        date_trunc('month', m.since::timestamp), m.until - interval '1 day', interval '1 month'
    ) AS n (month)
),
bounds AS MATERIALIZED (
    SELECT facility_id, min(month) AS since, max(next) AS until FROM todo GROUP BY facility_id
),
"""


def _stored(name: str, source: str, keys: Sequence[str], columns: Sequence[str], of: str) -> str:
    """Write what `source` says of the keys into `bookings_<name>`, and remove what it does not say
    of those that `of` gives."""
    return _STORED.format(
        name=name,
        source=source,
        keys=", ".join(keys),
        order=", ".join(keys[::-1]),
        columns=", ".join(columns),
        updates=updates(columns),
        new=", ".join("excluded." + column for column in columns),
        old=", ".join("t." + column for column in columns),
        of=of,
        same=" AND ".join("s." + key + " = t." + key for key in keys),
    )


_STORED = """
stored_{name} AS (
    INSERT INTO bookings_{name} AS t ({keys}, {columns})
    SELECT {keys}, {columns} FROM {source} ORDER BY {order}
    ON CONFLICT ({keys}) DO UPDATE SET {updates}
    WHERE ({old}) IS DISTINCT FROM ({new})
    RETURNING 1
),
dropped_{name} AS (
    DELETE FROM bookings_{name} t USING {of}
        AND NOT EXISTS (SELECT FROM {source} s WHERE {same})
    RETURNING 1
)"""


def _counted(*names: str) -> str:
    each = "(SELECT count(*) FROM stored_{0}) + (SELECT count(*) FROM dropped_{0})"
    return "\nSELECT " + " + ".join(each.format(name) for name in names)


_OF_FACILITY = "todo WHERE todo.facility_id = t.facility_id AND t.month = todo.month"
_OF_INSTRUMENT = """chosen c, todo
    WHERE todo.facility_id = c.facility_id AND c.id = t.instrument_id AND t.month = todo.month"""

# Each part has the keys and what follows, of which the calendar gives the first two.
_SUMMED = """
{name} AS MATERIALIZED (
    SELECT {keys}, sum(total) AS total_minutes, sum(open) AS open_minutes,
        sum(productive) AS productive_minutes, sum(unscheduled) AS unscheduled_down_minutes,
        sum(scheduled) AS scheduled_down_minutes, sum(engineering) AS engineering_minutes,
        sum(open) - sum(lost) AS standby_minutes, sum(missed) AS no_show_minutes,
        sum(total) - sum(productive) - sum(unscheduled) - sum(scheduled) - sum(engineering)
            - sum(open) + sum(lost) AS non_scheduled_minutes,
        sum(breakdowns) AS breakdowns, sum(organisations) AS other_organisations_minutes,
        sum(regions) AS other_regions_minutes, sum(sessions) AS sessions
    FROM (
        SELECT {keys}, total, open, 0 AS productive, 0 AS unscheduled, 0 AS scheduled,
            0 AS engineering, 0 AS missed, 0 AS lost, 0 AS breakdowns, 0 AS organisations,
            0 AS regions, 0 AS sessions
        FROM ({calendar}) c
        UNION ALL
        SELECT {keys}, NULL, NULL, sum(productive), sum(unscheduled), sum(scheduled),
            sum(engineering), sum(missed), sum(lost), sum(breakdowns), 0, 0, 0
        FROM days GROUP BY {keys}
        UNION ALL
        SELECT {keys}, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, sum(organisations), sum(regions),
            sum(sessions)
        FROM uses GROUP BY {keys}
    ) parts
    GROUP BY {keys}
    HAVING sum(total) IS NOT NULL
),"""
_FACILITY_DAYS = _SUMMED.format(
    name="facility_days",
    keys="facility_id, date",
    calendar="""
            SELECT s.facility_id, d.date, sum(s.units * d.total_minutes) AS total,
                sum(s.units * d.open_minutes) AS open
            FROM (
                SELECT facility_id, schedule_id, since, until, sum(units) AS units
                FROM spans GROUP BY facility_id, schedule_id, since, until
            ) s
            JOIN instruments_scheduleday d
                ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
            GROUP BY s.facility_id, d.date
        """,
)
_INSTRUMENT_MONTHS = _SUMMED.format(
    name="instrument_months",
    keys="instrument_id, month",
    calendar="""
            SELECT s.id AS instrument_id, s.month, sum(s.units * d.total) AS total,
                sum(s.units * d.open) AS open
            FROM spans s
            JOIN calendar d USING (schedule_id, since, until)
            GROUP BY s.id, s.month
        """,
)

_MONTHS = """spans AS MATERIALIZED (
    SELECT c.id, t.facility_id, t.month, a.schedule_id, greatest(a.from_date, t.month) AS since,
        least(a.until_date, r.until_date, t.next) AS until, a.units
    FROM chosen c
    JOIN todo t ON t.facility_id = c.facility_id
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, t.month) < least(a.until_date, r.until_date, t.next)
),
calendar AS MATERIALIZED (
    SELECT s.schedule_id, s.since, s.until,
        sum(d.total_minutes) AS total, sum(d.open_minutes) AS open
    FROM (SELECT DISTINCT schedule_id, since, until FROM spans) s
    JOIN instruments_scheduleday d
        ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
    GROUP BY s.schedule_id, s.since, s.until
),
days AS MATERIALIZED (
    SELECT c.id AS instrument_id, c.facility_id, d.date, t.month,
        d.productive_minutes AS productive, d.unscheduled_down_minutes AS unscheduled,
        d.scheduled_down_minutes AS scheduled, d.engineering_minutes AS engineering,
        d.no_show_minutes AS missed, d.open_minutes - d.standby_minutes AS lost, d.breakdowns
    FROM chosen c
    JOIN bounds b ON b.facility_id = c.facility_id
    CROSS JOIN LATERAL (
        SELECT * FROM bookings_instrumentday d
        WHERE d.instrument_id = c.id AND d.date >= b.since AND d.date < b.until
        OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
    ) d
    JOIN todo t ON t.facility_id = c.facility_id
        AND t.month = date_trunc('month', d.date::timestamp)::date
),
uses AS MATERIALIZED (
    SELECT c.id AS instrument_id, c.facility_id, d.date, t.month,
        coalesce(p.region_id, c.region_id) AS host_region_id,
        d.organisation_id, d.payer_region_id, d.price_group, d.minutes, d.sessions,
        CASE WHEN d.organisation_id <> coalesce(p.organisation_id, c.organisation_id)
            THEN d.minutes ELSE 0 END AS organisations,
        CASE WHEN d.payer_region_id <> coalesce(p.region_id, c.region_id)
            THEN d.minutes ELSE 0 END AS regions
    FROM chosen c
    JOIN bounds b ON b.facility_id = c.facility_id
    CROSS JOIN LATERAL (
        SELECT * FROM bookings_instrumentdayuse d
        WHERE d.instrument_id = c.id AND d.date >= b.since AND d.date < b.until
        OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
    ) d
    JOIN todo t ON t.facility_id = c.facility_id
        AND t.month = date_trunc('month', d.date::timestamp)::date
    LEFT JOIN instruments_pasthost p ON p.instrument_id = c.id
        AND d.date < p.until_date AND (p.from_date IS NULL OR d.date >= p.from_date)
),
"""
_MONTHS_MORE = """
facility_months AS MATERIALIZED (
    SELECT facility_id, date_trunc('month', date::timestamp)::date AS month,
        {sums}
    FROM facility_days GROUP BY 1, 2
),
facility_uses AS MATERIALIZED (
    SELECT facility_id, month, host_region_id, organisation_id, payer_region_id, price_group,
        sum(minutes) AS minutes, sum(sessions) AS sessions
    FROM uses
    GROUP BY facility_id, month, host_region_id, organisation_id, payer_region_id, price_group
),"""

_YEARS = """todo AS MATERIALIZED (
    SELECT DISTINCT m.facility_id, n.year,
        make_date(n.year, 1, 1) AS since, make_date(n.year + 1, 1, 1) AS until
    FROM marked m, generate_series(
        extract(year FROM m.since)::int, extract(year FROM m.until - 1)::int
    ) AS n (year)
),
offered AS MATERIALIZED (
    SELECT c.id, c.facility_id, t.year, coalesce(c.norm_hours::text, c.kind) AS norm,
        max(a.units) AS units
    FROM chosen c
    JOIN todo t ON t.facility_id = c.facility_id
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, t.since) < least(a.until_date, r.until_date, t.until)
    GROUP BY c.id, c.facility_id, t.year, c.norm_hours, c.kind
),
facility_years AS MATERIALIZED (
    SELECT facility_id, year, norm, sum(units) AS units
    FROM offered GROUP BY facility_id, year, norm
),
instrument_years AS MATERIALIZED (
    SELECT o.id AS instrument_id, o.year, o.norm, o.units, {sums}
    FROM offered o
    JOIN bookings_instrumentmonth m ON m.instrument_id = o.id
        AND m.month >= make_date(o.year, 1, 1) AND m.month < make_date(o.year + 1, 1, 1)
    GROUP BY o.id, o.year, o.norm, o.units
),"""

# As `selectors/bookings.py` reads them where nothing is kept.
_BOOKINGS = """counted AS MATERIALIZED (
    SELECT c.facility_id, t.month, (date_part('epoch', r.end_at - r.start_at) / 60)::int AS minutes,
        floor(date_part('epoch', r.start_at - r.requested_at) / 60)::int AS lead,
        r.state = 'cancelled' AND NOT r.is_ended_by_host AS is_cancelled,
        r.state = 'cancelled' AND NOT r.is_ended_by_host
            AND r.ended_at > r.start_at - make_interval(hours => {late}) AS is_late,
        r.state = 'no_show' AS is_missed
    FROM chosen c
    JOIN instruments_facility f ON f.id = c.facility_id
    JOIN bounds b ON b.facility_id = c.facility_id
    CROSS JOIN LATERAL (
        SELECT * FROM bookings_reservation r
        WHERE r.instrument_id = c.id AND r.confirmed_at IS NOT NULL
            AND r.start_at >= b.since::timestamp - interval '1 day'
            AND r.start_at < b.until::timestamp + interval '1 day'
        OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
    ) r
    JOIN todo t ON t.facility_id = c.facility_id
        AND t.month = date_trunc('month', r.start_at AT TIME ZONE f.time_zone)::date
),
facility_bookings AS MATERIALIZED (
    SELECT facility_id, month, count(*) AS booked, sum(minutes) AS booked_minutes,
        count(*) FILTER (WHERE is_cancelled) AS cancelled,
        count(*) FILTER (WHERE is_late) AS cancelled_late,
        coalesce(sum(minutes) FILTER (WHERE is_late), 0) AS cancelled_late_minutes,
        count(*) FILTER (WHERE is_missed) AS not_used,
        coalesce(sum(minutes) FILTER (WHERE is_missed), 0) AS not_used_minutes
    FROM counted GROUP BY facility_id, month
),
facility_leads AS MATERIALIZED (
    SELECT facility_id, month, w.width, lead / w.width AS lead, sum(bookings) AS bookings
    FROM (
        SELECT facility_id, month, lead, count(*) AS bookings
        FROM counted WHERE lead >= 0 GROUP BY facility_id, month, lead
    ) m
    CROSS JOIN unnest(ARRAY[{widths}]) AS w (width)
    GROUP BY facility_id, month, w.width, m.lead / w.width
),"""

SUM_COLUMNS = (*STORED, "other_organisations_minutes", "other_regions_minutes", "sessions")
_ADDED = ", ".join(f"sum({column}) AS {column}" for column in SUM_COLUMNS)
_USE = ("facility_id", "month", "host_region_id", "organisation_id", "payer_region_id",
        "price_group")  # fmt: skip
_COUNTS = ("booked", "booked_minutes", "cancelled", "cancelled_late", "cancelled_late_minutes",
           "not_used", "not_used_minutes")  # fmt: skip
MONTHS = (
    _TODO
    + _MONTHS_TODO
    + _MONTHS
    + _FACILITY_DAYS
    + _INSTRUMENT_MONTHS
    + _MONTHS_MORE.replace("{sums}", _ADDED)
    + ",".join(
        [
            _stored("facilityday", "facility_days", ("facility_id", "date"), SUM_COLUMNS,
                    "todo WHERE todo.facility_id = t.facility_id"
                    " AND t.date >= todo.month AND t.date < todo.next"),
            _stored("facilitymonth", "facility_months", ("facility_id", "month"), SUM_COLUMNS,
                    _OF_FACILITY),
            _stored("instrumentmonth", "instrument_months", ("instrument_id", "month"),
                    SUM_COLUMNS, _OF_INSTRUMENT),
            _stored("facilityuse", "facility_uses", _USE, ("minutes", "sessions"), _OF_FACILITY),
        ]
    )
    + _counted("facilityday", "facilitymonth", "instrumentmonth", "facilityuse")
)  # fmt: skip
YEARS = (
    _TODO
    + _YEARS.replace("{sums}", _ADDED)
    + ",".join(
        [
            _stored("facilityyear", "facility_years", ("facility_id", "year", "norm"), ("units",),
                    "todo WHERE todo.facility_id = t.facility_id AND t.year = todo.year"),
            _stored("instrumentyear", "instrument_years", ("instrument_id", "year"),
                    ("norm", "units", *SUM_COLUMNS),
                    "chosen c, todo WHERE todo.facility_id = c.facility_id"
                    " AND c.id = t.instrument_id AND t.year = todo.year"),
        ]
    )
    + _counted("facilityyear", "instrumentyear")
)  # fmt: skip
BOOKINGS = (
    _TODO
    + _MONTHS_TODO
    + _BOOKINGS.format(widths=", ".join(map(str, WIDTHS)), late=LATE_HOURS)
    + ",".join(
        [
            _stored("facilitybookings", "facility_bookings", ("facility_id", "month"), _COUNTS,
                    _OF_FACILITY),
            _stored("facilitylead", "facility_leads", ("facility_id", "month", "width", "lead"),
                    ("bookings",), _OF_FACILITY),
        ]
    )
    + _counted("facilitybookings", "facilitylead")
)  # fmt: skip
