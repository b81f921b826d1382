"""Hours: the nightly roll-up, and the days that must be done anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction

from accounts.replica import acted
from bookings.hours.domain.hours import days_due
from bookings.hours.models import RollUp
from bookings.hours.selectors.figures import (
    FIGURES,
    figures_parameters,
    load_dirty,
    load_progress,
)
from bookings.hours.selectors.reading import ROLLED_UP
from bookings.hours.services.months import (
    STORED,
    bookings_mark,
    months_mark,
    months_sum,
    planned_with,
    updates,
)

BATCH = 2500
_DAY = timedelta(days=1)

Days = tuple[UUID, date, date]  # local days of an instrument, the second not included


@dataclass(frozen=True)
class RollUpResult:
    """`instruments` done (once in each pass), `days` of them that say something, and `changed`:
    rows of figures written or removed."""

    instruments: int = 0
    days: int = 0
    changed: int = 0

    def __add__(self, other: "RollUpResult") -> "RollUpResult":
        return RollUpResult(
            self.instruments + other.instruments,
            self.days + other.days,
            self.changed + other.changed,
        )


def hours_roll_up(
    *, since: date | None, until: date | None, now: datetime, batch_size: int = BATCH
) -> RollUpResult:
    """Bring the figures of finished local days up to date, in batches of instruments, each in
    a transaction of its own. Running it twice, late, in parts, in any order or on several
    workers at once leaves the same figures.

    Without `since` and `until`: the finished days not yet rolled up, then those marked dirty.
    A batch that another worker has in hand is passed over, and waited for in the end only if
    that one has left something. With either: the local days [since, until) of every
    instrument anew, and those before that would be left out.
    """
    _instruments_enter(now)
    is_named = since is not None or until is not None
    total = RollUpResult()
    for waits in [True] if is_named else [False, True]:
        due = [
            (progress.instrument_id, progress.finished_until)
            for progress in load_progress(now)
            if is_named or progress.rolled_until < progress.finished_until
        ]
        for batch in batched(due, batch_size):
            total += _batch_roll_up(dict(batch), since=since, until=until, now=now, waits=waits)
    if not is_named:
        for instruments in batched(load_dirty(), batch_size):
            total += _batch_redo(instruments, now=now)
    bookings_mark(now)
    months_sum()
    acted(ROLLED_UP)
    cache.delete(ROLLED_UP)  # what is public was kept
    return total


def days_mark_dirty(*, instrument_id: UUID, start: datetime, end: datetime) -> None:
    """Have the local days that [start, end) meets done anew: what happened on them has been
    entered, corrected or ended. Days that are not rolled up yet may be marked too."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, {"instrument": instrument_id, "start": start, "end": max(start, end)})


@transaction.atomic
def _batch_roll_up(
    finished: Mapping[UUID, date],
    *,
    since: date | None,
    until: date | None,
    now: datetime,
    waits: bool,
) -> RollUpResult:
    days: list[Days] = []
    is_first = True
    for instrument_id, rolled_until in _locked(finished, waits=waits):
        first, last = days_due(
            rolled_until=rolled_until,
            finished_until=finished[instrument_id],
            since=since,
            until=until,
        )
        if first < last:
            days.append((instrument_id, first, last))
            is_first = is_first and first >= rolled_until
    if not days:
        return RollUpResult()
    _dirty_take(days)
    result = _store(days, now, is_first=is_first)
    months_mark(days)
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, _columns(days))
    return result


@transaction.atomic
def _batch_redo(instruments: Iterable[UUID], *, now: datetime) -> RollUpResult:
    marked = _dirty_take(
        [
            (instrument_id, date.min, until)
            for instrument_id, until in _locked(instruments, waits=False)
        ]
    )
    days = [(instrument_id, day, day + _DAY) for instrument_id, day in marked]
    result = _store(days, now, is_first=False)
    if result.changed:
        months_mark(days)
    return result


def _locked(instruments: Iterable[UUID], *, waits: bool) -> list[tuple[UUID, date]]:
    """Locks how far the instruments are rolled up, and tells; without those that another
    worker has, unless it waits for them."""
    rows = RollUp.objects.select_for_update(skip_locked=not waits)
    return list(
        rows.filter(pk__in=list(instruments)).order_by("pk").values_list("pk", "until_date")
    )


def _dirty_take(days: list[Days]) -> list[tuple[UUID, date]]:
    """Removes the marks of these days and tells which there were. Before the figures are read:
    what is entered in between leaves a new mark."""
    if not days:
        return []
    with connection.cursor() as cursor:
        cursor.execute(TAKE, _columns(days))
        return list(cursor.fetchall())


def _store(days: list[Days], now: datetime, *, is_first: bool) -> RollUpResult:
    """`is_first`: no figures have been stored for these days."""
    if not days:
        return RollUpResult()
    # Compiling the statement takes longer than running it; its hashes want room; one plan for any
    # batch knows neither how many instruments nor how many days.
    settings = {"jit": "off", "work_mem": "128MB", "enable_mergejoin": "off"}
    with (
        planned_with(**settings, plan_cache_mode="force_custom_plan"),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            FIGURES + (STORE_FIRST if is_first else STORE_AGAIN), figures_parameters(days, now)
        )
        stored, changed = cursor.fetchone()
    return RollUpResult(len({instrument_id for instrument_id, *_ in days}), stored, changed)


def _columns(days: list[Days]) -> dict[str, list[UUID] | list[date]]:
    return {
        "instruments": [instrument_id for instrument_id, _, _ in days],
        "since": [first for _, first, _ in days],
        "until": [last for _, _, last in days],
    }


def _instruments_enter(now: datetime) -> None:
    """Begin to roll up instruments that are offered for the first time; have months and years
    summed up anew of facilities whose instruments came, went, changed their host or have another
    norm, and all of them where sums have come with an upgrade."""
    with connection.cursor() as cursor:
        cursor.execute(ENTER, {"year": date(now.year, 1, 1), "today": now.date()})


# Units are those of the present year, as are the marks of a changed norm.
ENTER = """
WITH found AS MATERIALIZED (
    SELECT a.instrument_id, i.facility_id, coalesce(i.norm_hours::text, i.kind) AS norm,
        min(a.from_date) AS since,
        coalesce(max(a.units) FILTER (
            WHERE a.schedule_id IS NOT NULL
                AND (a.until_date IS NULL OR a.until_date > %(year)s)
        ), 0) AS units,
        p.last AS host_since
    FROM instruments_scheduleassignment a
    JOIN instruments_instrument i ON i.id = a.instrument_id
    LEFT JOIN (
        SELECT instrument_id, max(until_date) AS last FROM instruments_pasthost GROUP BY 1
    ) p ON p.instrument_id = i.id
    GROUP BY a.instrument_id, i.facility_id, i.norm_hours, i.kind, p.last
),
entered AS (
    INSERT INTO bookings_rollup (
        instrument_id, until_date, facility_id, norm, units, host_since, is_summed
    )
    SELECT f.instrument_id, f.since, f.facility_id, f.norm, f.units, f.host_since, true
    FROM found f
    WHERE NOT EXISTS (SELECT FROM bookings_rollup r WHERE r.instrument_id = f.instrument_id)
    ORDER BY f.instrument_id
    ON CONFLICT DO NOTHING
),
changed AS MATERIALIZED (
    SELECT r.instrument_id, r.facility_id AS was, f.facility_id, f.norm, f.units, f.host_since,
        CASE
            WHEN f.facility_id IS DISTINCT FROM r.facility_id OR NOT r.is_summed
                THEN date_trunc('year', f.since)::date
            WHEN f.host_since IS DISTINCT FROM r.host_since
                THEN least(date_trunc('month', f.host_since)::date, %(year)s)
            ELSE %(year)s
        END AS since
    FROM bookings_rollup r
    JOIN found f ON f.instrument_id = r.instrument_id
    WHERE (r.facility_id, r.norm, r.units, r.host_since, true)
        IS DISTINCT FROM (f.facility_id, f.norm, f.units, f.host_since, r.is_summed)
    FOR UPDATE OF r SKIP LOCKED
),
updated AS (
    UPDATE bookings_rollup r
    SET facility_id = c.facility_id, norm = c.norm, units = c.units, host_since = c.host_since
    FROM changed c WHERE c.instrument_id = r.instrument_id
)
INSERT INTO bookings_dirtymonths (facility_id, since, until)
SELECT f.id, min(c.since), %(today)s + 1000  -- bookings may lie ahead
FROM changed c, unnest(ARRAY[c.was, c.facility_id]) AS f (id)
WHERE f.id IS NOT NULL
GROUP BY f.id
"""

MARK = """
INSERT INTO bookings_dirtyday (instrument_id, date)
SELECT DISTINCT a.instrument_id, d.date
FROM instruments_scheduleassignment a
JOIN instruments_scheduleday d ON d.schedule_id = a.schedule_id
WHERE a.instrument_id = %(instrument)s
    AND d.date >= (%(start)s AT TIME ZONE 'UTC')::date - 1
    AND d.date <= (%(end)s AT TIME ZONE 'UTC')::date + 1
    AND d.ends_at > %(start)s
    AND (d.starts_at < %(end)s OR d.starts_at <= %(start)s)
ORDER BY d.date
ON CONFLICT DO NOTHING
"""

TAKE = """
DELETE FROM bookings_dirtyday d
USING unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
WHERE d.instrument_id = t.instrument_id AND d.date >= t.since AND d.date < t.until
RETURNING d.instrument_id, d.date
"""

ADVANCE = """
UPDATE bookings_rollup r
SET until_date = t.until
FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
WHERE r.instrument_id = t.instrument_id AND r.until_date < t.until
"""

_DAYS = """
    INSERT INTO bookings_instrumentday AS t (instrument_id, date, {columns})
    SELECT instrument_id, date, total, open, productive, unscheduled, scheduled, engineering,
        standby, missed, non_scheduled, breakdowns
    FROM days
"""
_USES = """
    INSERT INTO bookings_instrumentdayuse AS t (
        instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
    )
    SELECT instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
    FROM payers
"""

# After `FIGURES`, of days that no figures have been stored for; in the order of the keys, whose
# index is then written page after page.
_STORE_FIRST = """,
stored AS ({days} ORDER BY instrument_id, date RETURNING 1),
stored_uses AS ({uses} ORDER BY instrument_id, date RETURNING 1)
SELECT (SELECT count(*) FROM days),
    (SELECT count(*) FROM stored) + (SELECT count(*) FROM stored_uses)
"""

# Of others: insert or update what differs, remove days that say nothing any more.
_STORE_AGAIN = """,
stored AS (
    {days}
    ON CONFLICT (instrument_id, date) DO UPDATE SET
        {updates}
    WHERE ({old}) IS DISTINCT FROM ({new})
    RETURNING 1
),
dropped AS (
    DELETE FROM bookings_instrumentday t USING todo
    WHERE t.instrument_id = todo.instrument_id
        AND t.date >= todo.since AND t.date < todo.until
        AND NOT EXISTS (
            SELECT FROM days d WHERE d.instrument_id = t.instrument_id AND d.date = t.date
        )
    RETURNING 1
),
stored_uses AS (
    {uses}
    ON CONFLICT (instrument_id, date, organisation_id, payer_region_id, price_group)
    DO UPDATE SET minutes = excluded.minutes, sessions = excluded.sessions
    WHERE (t.minutes, t.sessions) IS DISTINCT FROM (excluded.minutes, excluded.sessions)
    RETURNING 1
),
dropped_uses AS (
    DELETE FROM bookings_instrumentdayuse t USING todo
    WHERE t.instrument_id = todo.instrument_id
        AND t.date >= todo.since AND t.date < todo.until
        AND NOT EXISTS (
            SELECT FROM payers p
            WHERE p.instrument_id = t.instrument_id AND p.date = t.date
                AND p.organisation_id = t.organisation_id
                AND p.payer_region_id = t.payer_region_id AND p.price_group = t.price_group
        )
    RETURNING 1
)
SELECT (SELECT count(*) FROM days),
    (SELECT count(*) FROM stored) + (SELECT count(*) FROM dropped)
        + (SELECT count(*) FROM stored_uses) + (SELECT count(*) FROM dropped_uses)
"""
STORE_FIRST, STORE_AGAIN = (
    text.format(
        days=_DAYS.format(columns=", ".join(STORED)),
        uses=_USES,
        updates=updates(STORED),
        old=", ".join("t." + column for column in STORED),
        new=", ".join("excluded." + column for column in STORED),
    )
    for text in (_STORE_FIRST, _STORE_AGAIN)
)
