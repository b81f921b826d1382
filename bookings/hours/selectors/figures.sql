-- name: figures
-- `day_states` of domain/hours for many days at once: `todo`, `days` (one row per day that says
-- something) and `payers`, which `store_first` and `store_again` of services/hours.sql read. Instants are cut to
-- whole minutes; a session ends where it begins at the earliest.
WITH todo AS MATERIALIZED (
    SELECT instrument_id, since, until
    FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
        AS t (instrument_id, since, until)
),
bounds AS MATERIALIZED (
    -- Local midnight is less than a day from that of UTC.
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
        AND (a.until_date > t.since OR a.until_date IS NULL)
    WHERE a.schedule_id IS NOT NULL
),
schedules AS MATERIALIZED (
    -- `base`: with the number of a date (of UTC, from 2000 on) it makes one key of the two. The
    -- planner, which knows nothing of the numbers here, can then join in one way only.
    SELECT schedule_id, row_number() OVER () * 1000000 AS base,
        min(since) AS since, max(until) AS until
    FROM spans GROUP BY schedule_id
),
offers AS MATERIALIZED (
    SELECT p.instrument_id, p.units, p.since, p.until, s.base
    FROM spans p JOIN schedules s USING (schedule_id)
),
calendar AS MATERIALIZED (
    -- Days under each date of UTC that they touch. What lasts from `began` on is found under
    -- its own dates in the same way: the two meet once, under the later of their first ones.
    SELECT d.*, d.base + d.first_utc + n.days AS key
    FROM (
        SELECT d.id AS day_id, s.base, d.date, d.starts_at, d.ends_at,
            d.total_minutes, d.open_minutes,
            (d.starts_at AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS first_utc,
            ((d.ends_at - interval '1 minute') AT TIME ZONE 'UTC')::date
                - DATE '2000-01-01' AS last_utc
        FROM schedules s
        JOIN instruments_scheduleday d
            ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
        WHERE d.ends_at <= %(now)s AND d.starts_at < d.ends_at
    ) d
    CROSS JOIN LATERAL generate_series(0, d.last_utc - d.first_utc) AS n (days)
),
windows AS MATERIALIZED (
    SELECT w.began, w.ended, w.first_utc, n.utc, w.base + n.utc AS key
    FROM (
        SELECT s.base, lower(w.span) AS began, upper(w.span) AS ended,
            s.since - DATE '2000-01-01' - 1 AS earliest, s.until - DATE '2000-01-01' AS latest,
            (lower(w.span) AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS first_utc,
            ((upper(w.span) - interval '1 minute') AT TIME ZONE 'UTC')::date
                - DATE '2000-01-01' AS last_utc
        FROM schedules s
        JOIN instruments_openwindow w ON w.schedule_id = s.schedule_id
    ) w
    CROSS JOIN LATERAL generate_series(
        greatest(w.earliest, w.first_utc), least(w.latest, w.last_utc)
    ) AS n (utc)
),
opened AS MATERIALIZED (
    -- Windows, cut at midnight.
    SELECT c.day_id,
        greatest(w.began, c.starts_at) AS since, least(w.ended, c.ends_at) AS until,
        row_number() OVER (PARTITION BY c.day_id) AS number
    FROM windows w
    JOIN calendar c ON c.key = w.key
    WHERE w.utc = greatest(w.first_utc, c.first_utc)
        AND c.ends_at > w.began AND c.starts_at < w.ended
),
sessions AS MATERIALIZED (
    -- `taken`: until when sessions that were checked in earlier hold the unit.
    SELECT s.instrument_id, s.unit, s.began, s.ended,
        s.organisation_id, s.payer_region_id, s.price_group,
        (s.began AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS first_utc,
        (greatest(s.began, least(s.ended, %(now)s) - interval '1 minute')
            AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS last_utc,
        max(s.ended) OVER (
            PARTITION BY s.instrument_id, s.unit ORDER BY s.checked_in_at, s.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS taken
    FROM (
        SELECT s.instrument_id, s.unit, s.id, s.checked_in_at,
            date_bin('1 minute', s.checked_in_at, 'epoch') AS began,
            coalesce(date_bin('1 minute', s.checked_out_at, 'epoch'), 'infinity') AS ended,
            r.organisation_id, r.payer_region_id, r.price_group
        FROM bookings_usagesession s
        JOIN bounds b
            ON b.instrument_id = s.instrument_id
            AND b.latest > s.checked_in_at
            AND (b.earliest <= s.checked_out_at OR s.checked_out_at IS NULL)
        CROSS JOIN LATERAL (
            SELECT r.organisation_id, r.payer_region_id, r.price_group
            FROM bookings_reservation r WHERE r.id = s.reservation_id
            OFFSET 0  -- looked up by its key, whatever the planner thinks of the numbers
        ) r
        WHERE s.instrument_id = ANY (%(instruments)s::uuid[])
            AND s.checked_in_at < %(latest)s
            AND (s.checked_out_at >= %(earliest)s OR s.checked_out_at IS NULL)
    ) s
),
pieces AS MATERIALIZED (
    -- Sessions cut at local midnight.
    SELECT *,
        CASE WHEN since < until
            THEN (date_part('epoch', until - since) / 60)::int ELSE 0
        END AS minutes
    FROM (
        SELECT s.instrument_id, p.units, c.day_id, c.date, c.total_minutes, c.open_minutes,
            s.unit, s.organisation_id, s.payer_region_id, s.price_group,
            s.began >= c.starts_at AS begins,
            greatest(s.began, s.taken, c.starts_at) AS since,
            least(s.ended, c.ends_at) AS until
        FROM (
            SELECT *, first_utc AS utc FROM sessions
            UNION ALL
            SELECT s.*, s.first_utc + n.days
            FROM sessions s
            CROSS JOIN LATERAL generate_series(1, s.last_utc - s.first_utc) AS n (days)
            WHERE s.last_utc > s.first_utc
        ) s
        JOIN offers p ON p.instrument_id = s.instrument_id AND s.unit BETWEEN 1 AND p.units
        JOIN calendar c ON c.key = p.base + s.utc
        WHERE s.utc = greatest(s.first_utc, c.first_utc)
            AND c.date >= p.since AND c.date < p.until
            AND c.ends_at > s.began
            AND (c.starts_at < s.ended OR c.starts_at <= s.began)
    ) s
),
causes AS MATERIALIZED (
    -- Closures and no-shows, numbered in the order of the states, under the dates they touch.
    SELECT b.id, b.units, b.state, b.began, b.ended, b.first_utc, n.utc,
        p.since, p.until, p.units AS offered, p.base + n.utc AS key, b.instrument_id
    FROM (
        SELECT b.*, (b.began AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS first_utc,
            (least(b.ended, %(now)s) AT TIME ZONE 'UTC')::date - DATE '2000-01-01' AS last_utc
        FROM (
            SELECT c.id, c.instrument_id, c.units,
                CASE
                    WHEN c.kind = ANY (%(unscheduled_down)s) THEN 2
                    WHEN c.kind = ANY (%(scheduled_down)s) THEN 3
                    WHEN c.kind = ANY (%(engineering)s) THEN 4
                END AS state,
                date_bin('1 minute', c.start_at, 'epoch') AS began,
                coalesce(date_bin('1 minute', c.end_at, 'epoch'), 'infinity') AS ended
            FROM bookings_closure c
            WHERE c.instrument_id = ANY (%(instruments)s::uuid[])
                AND c.start_at < %(latest)s
                AND (c.end_at > %(earliest)s OR c.end_at IS NULL)
            UNION ALL
            SELECT r.id, r.instrument_id, ARRAY[r.unit], 5,
                date_bin('1 minute', r.start_at, 'epoch'), date_bin('1 minute', r.end_at, 'epoch')
            FROM bookings_reservation r
            WHERE r.state = 'no_show'
                AND r.instrument_id = ANY (%(instruments)s::uuid[])
                AND r.start_at < %(latest)s
                AND r.end_at > %(earliest)s
        ) b
        WHERE b.began < b.ended
    ) b
    JOIN offers p ON p.instrument_id = b.instrument_id
    -- A breakdown may have begun long before the days that are done.
    CROSS JOIN LATERAL generate_series(
        greatest(p.since - DATE '2000-01-01' - 1, b.first_utc),
        least(p.until - DATE '2000-01-01', b.last_utc)
    ) AS n (utc)
),
blocks AS MATERIALIZED (
    -- The same by day and unit.
    SELECT b.instrument_id, b.offered AS units, c.day_id, c.date, c.total_minutes, c.open_minutes,
        n.unit, b.id, b.state, b.began >= c.starts_at AS begins,
        count(*) OVER (PARTITION BY b.instrument_id, c.day_id, n.unit) AS alike,
        tstzrange(greatest(b.began, c.starts_at), least(b.ended, c.ends_at)) AS span
    FROM causes b
    JOIN calendar c ON c.key = b.key
    CROSS JOIN LATERAL generate_series(1, b.offered) AS n (unit)
    WHERE b.utc = greatest(b.first_utc, c.first_utc)
        AND c.date >= b.since AND c.date < b.until
        AND c.starts_at < b.ended
        AND c.ends_at > b.began
        AND (b.units = '{}' OR n.unit = ANY (b.units))
),
uses AS MATERIALIZED (
    -- By payer, and (`is_day`) of the whole day, in one pass. A piece meets every window of its
    -- day and is counted with the first.
    SELECT p.instrument_id, p.date, p.organisation_id, p.payer_region_id, p.price_group,
        grouping(p.organisation_id) = 1 AS is_day, min(p.units) AS units,
        min(p.total_minutes) AS total_minutes, min(p.open_minutes) AS open_minutes,
        sum(CASE WHEN o.number > 1 THEN 0 ELSE p.minutes END)::int AS minutes,
        sum(
            CASE WHEN p.minutes > 0 AND o.since < p.until AND o.until > p.since
                THEN (date_part('epoch',
                    least(p.until, o.until) - greatest(p.since, o.since)) / 60)::int
                ELSE 0
            END
        )::int AS lost,
        sum(CASE WHEN o.number > 1 OR NOT p.begins THEN 0 ELSE 1 END)::int AS sessions
    FROM pieces p
    LEFT JOIN opened o ON o.day_id = p.day_id
    GROUP BY GROUPING SETS (
        (p.instrument_id, p.date),
        (p.instrument_id, p.date, p.organisation_id, p.payer_region_id, p.price_group)
    )
),
blocked AS MATERIALIZED (
    -- What each state gets of one unit's day, in the order of priority. `lost`: open minutes
    -- that closures took and sessions had not.
    SELECT b.instrument_id, b.date, b.units, b.total_minutes, b.open_minutes, m.*
    FROM (
        -- Most often there is one alone, and nothing to put together.
        SELECT instrument_id, date, day_id, unit, units, total_minutes, open_minutes,
            CASE state WHEN 2 THEN span::tstzmultirange ELSE '{}' END AS unscheduled,
            CASE state WHEN 3 THEN span::tstzmultirange ELSE '{}' END AS scheduled,
            CASE state WHEN 4 THEN span::tstzmultirange ELSE '{}' END AS engineering,
            CASE WHEN state < 5 THEN span::tstzmultirange ELSE '{}' END AS closed,
            CASE state WHEN 5 THEN span::tstzmultirange ELSE '{}' END AS missed
        FROM blocks
        WHERE alike = 1
        UNION ALL
        SELECT instrument_id, date, day_id, unit, min(units) AS units,
            min(total_minutes) AS total_minutes, min(open_minutes) AS open_minutes,
            coalesce(range_agg(span) FILTER (WHERE state = 2), '{}') AS unscheduled,
            coalesce(range_agg(span) FILTER (WHERE state = 3), '{}') AS scheduled,
            coalesce(range_agg(span) FILTER (WHERE state = 4), '{}') AS engineering,
            coalesce(range_agg(span) FILTER (WHERE state < 5), '{}') AS closed,
            coalesce(range_agg(span) FILTER (WHERE state = 5), '{}') AS missed
        FROM blocks
        WHERE alike > 1
        GROUP BY instrument_id, date, day_id, unit
    ) b
    LEFT JOIN (
        SELECT instrument_id, date, unit, range_agg(tstzrange(since, until)) AS span
        FROM pieces
        WHERE minutes > 0
            AND (instrument_id, date) IN (SELECT instrument_id, date FROM blocks)
        GROUP BY instrument_id, date, unit
    ) u ON u.instrument_id = b.instrument_id AND u.date = b.date AND u.unit = b.unit
    LEFT JOIN (
        -- As arrays: the planner takes them for few, and sets up no hash for millions.
        SELECT d.day_id, d.span
        FROM (
            SELECT array_agg(day_id) AS ids, array_agg(span) AS spans
            FROM (
                SELECT day_id, range_agg(tstzrange(since, until)) AS span
                FROM opened GROUP BY day_id
            ) d
        ) a
        CROSS JOIN LATERAL unnest(a.ids, a.spans) AS d (day_id, span)
    ) o ON o.day_id = b.day_id
    CROSS JOIN LATERAL (
        SELECT coalesce(u.span, '{}') AS used, coalesce(o.span, '{}') AS open
    ) x
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(minutes) FILTER (WHERE state = 2), 0)::int AS unscheduled,
            coalesce(sum(minutes) FILTER (WHERE state = 3), 0)::int AS scheduled,
            coalesce(sum(minutes) FILTER (WHERE state = 4), 0)::int AS engineering,
            coalesce(sum(minutes) FILTER (WHERE state = 5), 0)::int AS missed,
            coalesce(sum(minutes) FILTER (WHERE state = 0), 0)::int AS lost
        FROM (
            SELECT state, (date_part('epoch', upper(span) - lower(span)) / 60)::int AS minutes
            FROM (
                SELECT 2 AS state, unnest(b.unscheduled - used) AS span
                UNION ALL
                SELECT 3, unnest(b.scheduled - used - b.unscheduled)
                UNION ALL
                SELECT 4, unnest(b.engineering - used - b.unscheduled - b.scheduled)
                UNION ALL
                SELECT 5, unnest(b.missed * open - used - b.closed)
                UNION ALL
                SELECT 0, unnest(b.closed * open - used)
            ) spans
        ) minutes
    ) m
),
closed AS MATERIALIZED (
    SELECT b.instrument_id, b.date, min(b.units) AS units,
        min(b.total_minutes) AS total_minutes, min(b.open_minutes) AS open_minutes,
        sum(b.unscheduled)::int AS unscheduled, sum(b.scheduled)::int AS scheduled,
        sum(b.engineering)::int AS engineering, sum(b.missed)::int AS missed,
        sum(b.lost)::int AS lost, coalesce(min(c.breakdowns), 0)::int AS breakdowns
    FROM blocked b
    LEFT JOIN (
        SELECT instrument_id, date, count(DISTINCT id) AS breakdowns
        FROM blocks WHERE state = 2 AND begins
        GROUP BY instrument_id, date
    ) c ON c.instrument_id = b.instrument_id AND c.date = b.date
    GROUP BY b.instrument_id, b.date
),
days AS MATERIALIZED (
    SELECT instrument_id, date, total, open, productive, unscheduled, scheduled, engineering,
        open - lost AS standby, missed, breakdowns,
        total - open + lost - productive - unscheduled - scheduled - engineering AS non_scheduled
    FROM (
        SELECT instrument_id, date,
            coalesce(u.total_minutes * u.units, c.total_minutes * c.units) AS total,
            coalesce(u.open_minutes * u.units, c.open_minutes * c.units) AS open,
            coalesce(u.minutes, 0) AS productive, coalesce(c.unscheduled, 0) AS unscheduled,
            coalesce(c.scheduled, 0) AS scheduled, coalesce(c.engineering, 0) AS engineering,
            coalesce(c.missed, 0) AS missed, coalesce(c.breakdowns, 0) AS breakdowns,
            coalesce(u.lost, 0) + coalesce(c.lost, 0) AS lost,
            coalesce(u.sessions, 0) AS sessions
        FROM (SELECT * FROM uses WHERE is_day) u
        FULL JOIN closed c USING (instrument_id, date)
    ) sums
    WHERE productive + unscheduled + scheduled + engineering + missed + sessions + breakdowns > 0
),
payers AS MATERIALIZED (
    SELECT instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
    FROM uses
    WHERE NOT is_day AND minutes + sessions > 0
)

-- name: progress
-- The last day of each schedule's calendar that has ended tells until when days have finished.
-- Instruments with the same to do lie together, and those of a facility: its months are summed up
-- once.
WITH finished AS (
    SELECT s.id AS schedule_id, d.date + 1 AS until
    FROM instruments_schedule s
    CROSS JOIN LATERAL (
        SELECT date FROM instruments_scheduleday
        WHERE schedule_id = s.id
            AND date <= (%(now)s AT TIME ZONE 'UTC')::date + 1 AND ends_at <= %(now)s
        ORDER BY date DESC LIMIT 1
    ) d
)
SELECT r.instrument_id, r.until_date, greatest(r.until_date, f.until)
FROM bookings_rollup r
LEFT JOIN (
    SELECT a.instrument_id, max(least(a.until_date, f.until)) AS until
    FROM instruments_scheduleassignment a
    JOIN finished f ON f.schedule_id = a.schedule_id AND f.until > a.from_date
    GROUP BY a.instrument_id
) f ON f.instrument_id = r.instrument_id
ORDER BY r.until_date DESC, r.facility_id, r.instrument_id

-- name: dirty
SELECT r.instrument_id
FROM bookings_rollup r
WHERE EXISTS (
    SELECT FROM bookings_dirtyday d
    WHERE d.instrument_id = r.instrument_id AND d.date < r.until_date
)
ORDER BY r.instrument_id
