"""Hours: what the nightly roll-up computes, and what people read.

`FIGURES` is `domain/utilisation.day_states` as one statement for many days at once.
"""

FIGURES = """
WITH todo AS MATERIALIZED (
    -- Local days to do: disjoint ranges, of one instrument perhaps several.
    SELECT instrument_id, since, until
    FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
        AS t (instrument_id, since, until)
),
bounds AS MATERIALIZED (
    -- Local midnights lie less than a day from those of UTC.
    SELECT instrument_id,
        (min(since) - 1)::timestamp AT TIME ZONE 'UTC' AS earliest,
        (max(until) + 1)::timestamp AT TIME ZONE 'UTC' AS latest
    FROM todo
    GROUP BY instrument_id
),
spans AS MATERIALIZED (
    SELECT t.instrument_id, a.schedule_id, a.units,
        greatest(t.since, a.from_date) AS since, least(t.until, a.until_date) AS until
    FROM todo t
    JOIN instruments_scheduleassignment a
        ON a.instrument_id = t.instrument_id
        AND a.from_date < t.until
        AND (a.until_date IS NULL OR a.until_date > t.since)
    WHERE a.schedule_id IS NOT NULL
),
sessions AS MATERIALIZED (
    -- `taken`: until when sessions checked in earlier hold the unit.
    SELECT s.*, max(s.ended) OVER (
        PARTITION BY s.instrument_id, s.unit ORDER BY s.checked_in_at, s.id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS taken
    FROM (
        SELECT s.instrument_id, s.unit, s.id, s.checked_in_at,
            date_bin('1 minute', s.checked_in_at, 'epoch') AS began,
            coalesce(date_bin('1 minute', s.checked_out_at, 'epoch'), 'infinity') AS ended,
            r.organisation_id, r.payer_region_id, r.price_group
        FROM bounds b
        JOIN bookings_usagesession s
            ON s.instrument_id = b.instrument_id
            AND s.checked_in_at < b.latest
            AND (s.checked_out_at >= b.earliest OR s.checked_out_at IS NULL)
        JOIN bookings_reservation r ON r.id = s.reservation_id
    ) s
),
pieces AS MATERIALIZED (
    -- Sessions cut at local midnight. `until` may lie before `since`: nothing left.
    SELECT s.instrument_id, d.date, p.units, d.schedule_id, d.total_minutes, d.open_minutes,
        s.unit, s.organisation_id, s.payer_region_id, s.price_group,
        s.began >= d.starts_at AS begins,
        greatest(s.began, s.taken, d.starts_at) AS since, least(s.ended, d.ends_at) AS until
    FROM sessions s
    JOIN spans p ON p.instrument_id = s.instrument_id AND s.unit BETWEEN 1 AND p.units
    JOIN instruments_scheduleday d
        ON d.schedule_id = p.schedule_id
        AND d.date >= greatest(p.since, (s.began AT TIME ZONE 'UTC')::date - 1)
        AND d.date < least(p.until, (s.ended AT TIME ZONE 'UTC')::date + 2)
        AND d.ends_at > s.began
        AND (d.starts_at < s.ended OR d.starts_at <= s.began)
        AND d.ends_at <= %(now)s
),
blocks AS MATERIALIZED (
    -- Closures and no-shows by day and unit, in the order of the states.
    SELECT b.instrument_id, d.date, p.units, d.schedule_id, d.total_minutes, d.open_minutes,
        n.unit, b.state,
        tstzrange(greatest(b.began, d.starts_at), least(b.ended, d.ends_at)) AS span
    FROM (
        SELECT c.instrument_id, c.units,
            CASE
                WHEN c.kind = ANY (%(unscheduled_down)s) THEN 2
                WHEN c.kind = ANY (%(scheduled_down)s) THEN 3
                WHEN c.kind = ANY (%(engineering)s) THEN 4
            END AS state,
            date_bin('1 minute', c.start_at, 'epoch') AS began,
            coalesce(date_bin('1 minute', c.end_at, 'epoch'), 'infinity') AS ended
        FROM bounds b
        JOIN bookings_closure c
            ON c.instrument_id = b.instrument_id
            AND c.start_at < b.latest
            AND (c.end_at > b.earliest OR c.end_at IS NULL)
        UNION ALL
        SELECT r.instrument_id, ARRAY[r.unit], 5,
            date_bin('1 minute', r.start_at, 'epoch'), date_bin('1 minute', r.end_at, 'epoch')
        FROM bounds b
        JOIN bookings_reservation r
            ON r.instrument_id = b.instrument_id
            AND r.state = 'no_show'
            AND r.start_at < b.latest
            AND r.end_at > b.earliest
    ) b
    JOIN spans p ON p.instrument_id = b.instrument_id
    JOIN instruments_scheduleday d
        ON d.schedule_id = p.schedule_id
        AND d.date >= greatest(p.since, (b.began AT TIME ZONE 'UTC')::date - 1)
        AND d.date < least(p.until, (b.ended AT TIME ZONE 'UTC')::date + 2)
        AND d.starts_at < b.ended
        AND d.ends_at > b.began
        AND d.ends_at <= %(now)s
    CROSS JOIN LATERAL generate_series(1, p.units) AS n (unit)
    WHERE b.began < b.ended AND (b.units = '{}' OR n.unit = ANY (b.units))
),
opened AS MATERIALIZED (
    -- Open windows of the days met, numbered: of one schedule windows never touch.
    SELECT d.schedule_id, d.date,
        greatest(lower(w.span), d.starts_at) AS since, least(upper(w.span), d.ends_at) AS until,
        row_number() OVER (PARTITION BY d.schedule_id, d.date ORDER BY w.span) AS number
    FROM (
        SELECT schedule_id, date FROM pieces UNION SELECT schedule_id, date FROM blocks
    ) m
    JOIN instruments_scheduleday d ON d.schedule_id = m.schedule_id AND d.date = m.date
    CROSS JOIN LATERAL (
        (
            SELECT w.span FROM instruments_openwindow w
            WHERE w.schedule_id = d.schedule_id
                AND w.span < tstzrange(d.starts_at, d.starts_at, '[]')
            ORDER BY w.span DESC LIMIT 1
        )
        UNION ALL
        SELECT w.span FROM instruments_openwindow w
        WHERE w.schedule_id = d.schedule_id
            AND w.span >= tstzrange(d.starts_at, d.starts_at, '[]')
            AND w.span < tstzrange(d.ends_at, d.ends_at, '[]')
    ) w
    WHERE upper(w.span) > d.starts_at
),
uses AS MATERIALIZED (
    -- By payer. A piece meets each window of its day, and counts with the first.
    SELECT p.instrument_id, p.date, p.organisation_id, p.payer_region_id, p.price_group,
        min(p.units) AS units, min(p.total_minutes) AS total_minutes,
        min(p.open_minutes) AS open_minutes,
        coalesce(sum(p.until - p.since) FILTER (WHERE first AND p.until > p.since), '0') AS used,
        coalesce(sum(least(p.until, o_until) - greatest(p.since, o_since)) FILTER (
            WHERE p.since < p.until AND p.since < o_until AND p.until > o_since
        ), '0') AS used_open,
        count(*) FILTER (WHERE first AND begins) AS sessions
    FROM (
        SELECT p.*, o.since AS o_since, o.until AS o_until, coalesce(o.number, 1) = 1 AS first
        FROM pieces p
        LEFT JOIN opened o ON o.schedule_id = p.schedule_id AND o.date = p.date
    ) p
    GROUP BY p.instrument_id, p.date, p.organisation_id, p.payer_region_id, p.price_group
),
blocked AS MATERIALIZED (
    -- What closures and no-shows leave of a unit's day to each state. `lost`: open minutes
    -- that closures took and sessions had not.
    SELECT b.instrument_id, b.date, b.units, b.total_minutes, b.open_minutes,
        m.unscheduled, m.scheduled, m.engineering, m.missed, m.lost
    FROM (
        SELECT instrument_id, date, unit, min(units) AS units,
            min(total_minutes) AS total_minutes, min(open_minutes) AS open_minutes,
            coalesce(range_agg(span) FILTER (WHERE state = 2), '{}') AS unscheduled,
            coalesce(range_agg(span) FILTER (WHERE state = 3), '{}') AS scheduled,
            coalesce(range_agg(span) FILTER (WHERE state = 4), '{}') AS engineering,
            coalesce(range_agg(span) FILTER (WHERE state <= 4), '{}') AS closed,
            coalesce(range_agg(span) FILTER (WHERE state = 5), '{}') AS missed,
            (array_agg(schedule_id))[1] AS schedule_id
        FROM blocks
        GROUP BY instrument_id, date, unit
    ) b
    LEFT JOIN (
        SELECT p.instrument_id, p.date, p.unit, range_agg(tstzrange(p.since, p.until)) AS span
        FROM pieces p
        WHERE p.since < p.until
            AND (p.instrument_id, p.date) IN (SELECT instrument_id, date FROM blocks)
        GROUP BY p.instrument_id, p.date, p.unit
    ) u ON u.instrument_id = b.instrument_id AND u.date = b.date AND u.unit = b.unit
    LEFT JOIN (
        SELECT schedule_id, date, range_agg(tstzrange(since, until)) AS span
        FROM opened
        GROUP BY schedule_id, date
    ) o ON o.schedule_id = b.schedule_id AND o.date = b.date
    CROSS JOIN LATERAL (
        SELECT sum(upper(r) - lower(r)) FILTER (WHERE state = 2) AS unscheduled,
            sum(upper(r) - lower(r)) FILTER (WHERE state = 3) AS scheduled,
            sum(upper(r) - lower(r)) FILTER (WHERE state = 4) AS engineering,
            sum(upper(r) - lower(r)) FILTER (WHERE state = 5) AS missed,
            sum(upper(r) - lower(r)) FILTER (WHERE state = 0) AS lost
        FROM (
            SELECT 2 AS state, unnest(b.unscheduled - coalesce(u.span, '{}')) AS r
            UNION ALL SELECT 3, unnest(b.scheduled - coalesce(u.span, '{}') - b.unscheduled)
            UNION ALL SELECT 4, unnest(b.engineering - coalesce(u.span, '{}') - b.unscheduled - b.scheduled)
            UNION ALL SELECT 5, unnest(b.missed * coalesce(o.span, '{}') - coalesce(u.span, '{}') - b.closed)
            UNION ALL SELECT 0, unnest(b.closed * coalesce(o.span, '{}') - coalesce(u.span, '{}'))
        ) m
    ) m
),
days AS MATERIALIZED (
    SELECT instrument_id, date, total, open, productive, unscheduled, scheduled, engineering,
        open - lost AS standby, missed,
        total - open + lost - productive - unscheduled - scheduled - engineering AS non_scheduled
    FROM (
        SELECT instrument_id, date,
            min(total_minutes * units) AS total, min(open_minutes * units) AS open,
            (date_part('epoch', sum(used)) / 60)::int AS productive,
            (date_part('epoch', sum(unscheduled)) / 60)::int AS unscheduled,
            (date_part('epoch', sum(scheduled)) / 60)::int AS scheduled,
            (date_part('epoch', sum(engineering)) / 60)::int AS engineering,
            (date_part('epoch', sum(missed)) / 60)::int AS missed,
            (date_part('epoch', sum(lost)) / 60)::int AS lost
        FROM (
            SELECT instrument_id, date, units, total_minutes, open_minutes, used,
                interval '0' AS unscheduled, interval '0' AS scheduled,
                interval '0' AS engineering, interval '0' AS missed, used_open AS lost,
                sessions
            FROM uses
            UNION ALL
            SELECT instrument_id, date, units, total_minutes, open_minutes, interval '0',
                coalesce(unscheduled, '0'), coalesce(scheduled, '0'),
                coalesce(engineering, '0'), coalesce(missed, '0'), coalesce(lost, '0'), 0
            FROM blocked
        ) parts
        GROUP BY instrument_id, date
        HAVING sum(used + unscheduled + scheduled + engineering + missed) > '0'
            OR sum(sessions) > 0
    ) sums
),
payers AS MATERIALIZED (
    SELECT instrument_id, date, organisation_id, payer_region_id, price_group,
        (date_part('epoch', used) / 60)::int AS minutes, sessions
    FROM uses
    WHERE used > '0' OR sessions > 0
)
"""
