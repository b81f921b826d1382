-- The nightly roll-up of hours.

-- name: enter
-- Units are those of the present year, as are the marks of a changed norm.
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

-- name: mark
-- Mark the local days that a period meets.
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

-- name: take
-- Remove marks, and tell which there were.
DELETE FROM bookings_dirtyday d
USING unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
WHERE d.instrument_id = t.instrument_id AND d.date >= t.since AND d.date < t.until
RETURNING d.instrument_id, d.date

-- name: advance
-- Note until when days are rolled up.
UPDATE bookings_rollup r
SET until_date = t.until
FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
WHERE r.instrument_id = t.instrument_id AND r.until_date < t.until

-- name: days
INSERT INTO bookings_instrumentday AS t (instrument_id, date, {columns})
SELECT instrument_id, date, total, open, productive, unscheduled, scheduled, engineering,
    standby, missed, non_scheduled, breakdowns
FROM days

-- name: uses
INSERT INTO bookings_instrumentdayuse AS t (
    instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
)
SELECT instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
FROM payers

-- name: store_first
-- Days that no figures have been stored for; in the order of the keys, whose index is then written page
-- after page.
{figures},
stored AS ({days} ORDER BY instrument_id, date RETURNING 1),
stored_uses AS ({uses} ORDER BY instrument_id, date RETURNING 1)
SELECT (SELECT count(*) FROM days),
    (SELECT count(*) FROM stored) + (SELECT count(*) FROM stored_uses)

-- name: store_again
-- Others: insert or update what differs, remove days that say nothing any more.
{figures},
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
