-- The sums of days by facility and month, and the units a facility offers in a year.

-- name: mark
-- Leave word of the months of the instruments' facilities that some local days lie in.
INSERT INTO bookings_dirtymonths (facility_id, since, until)
SELECT DISTINCT i.facility_id, date_trunc('month', t.since)::date, t.until
FROM unnest(%(instruments)s::uuid[], %(since)s::date[], %(until)s::date[])
    AS t (instrument_id, since, until)
JOIN instruments_instrument i ON i.id = t.instrument_id

-- name: mark_bookings
-- The same of bookings. Local days are those of the facility: a day more on either side. A booking that was
-- moved also leaves the month that it lay in, which was not over.
INSERT INTO bookings_dirtymonths (facility_id, since, until, only_bookings)
SELECT i.facility_id, least(min(r.start_at), %(now)s)::date - 1,
    greatest(max(r.start_at)::date + 2, %(now)s::date + 1000), true
FROM bookings_reservation r
JOIN instruments_instrument i ON i.id = r.instrument_id
WHERE r.confirmed_at IS NOT NULL {which}
GROUP BY i.facility_id

-- name: touched
-- Of those to which something happened since an entry of the trail.
AND r.id IN (
    SELECT object_id FROM accounts_trailentry
    WHERE id >= %(entry)s AND object_type = 'reservation'
)

-- name: read
INSERT INTO bookings_bookingsread AS t (id, until) VALUES (1, %(now)s)
ON CONFLICT (id) DO UPDATE SET until = greatest(t.until, excluded.until)

-- name: take
WITH taken AS (
    DELETE FROM bookings_dirtymonths WHERE facility_id = ANY (%(facilities)s::uuid[])
    RETURNING facility_id, since, until, only_bookings
)
SELECT DISTINCT * FROM taken

-- name: summed
-- After an upgrade: the mark that stands for all of a facility's days has been worked off.
UPDATE bookings_rollup r SET is_summed = true
WHERE r.facility_id = ANY (%(facilities)s::uuid[]) AND NOT r.is_summed

-- name: marked
-- What every sum begins with: the marks, and the instruments of their facilities.
marked AS (
    SELECT * FROM unnest(%(facilities)s::uuid[], %(since)s::date[], %(until)s::date[])
        AS t (facility_id, since, until)
),
chosen AS MATERIALIZED (
    SELECT i.id, i.facility_id, i.organisation_id, i.region_id, i.kind, i.norm_hours
    FROM instruments_instrument i
    WHERE i.facility_id IN (SELECT facility_id FROM marked)
)

-- name: months_marked
todo AS MATERIALIZED (
    SELECT DISTINCT m.facility_id, n.month::date AS month,
        (n.month + interval '1 month')::date AS next
    FROM marked m, generate_series(
        date_trunc('month', m.since::timestamp), m.until - interval '1 day', interval '1 month'
    ) AS n (month)
),
bounds AS MATERIALIZED (
    SELECT facility_id, min(month) AS since, max(next) AS until FROM todo GROUP BY facility_id
)

-- name: stored
-- Write what `source` says of the keys into a table, and remove what it does not say of those that `of` gives.
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
)

-- name: changed
-- How many rows of a table were written or removed.
(SELECT count(*) FROM stored_{name}) + (SELECT count(*) FROM dropped_{name})

-- name: of_facility
todo WHERE todo.facility_id = t.facility_id AND t.month = todo.month

-- name: of_facility_days
todo WHERE todo.facility_id = t.facility_id AND t.date >= todo.month AND t.date < todo.next

-- name: of_facility_years
todo WHERE todo.facility_id = t.facility_id AND t.year = todo.year

-- name: of_instrument
chosen c, todo WHERE todo.facility_id = c.facility_id AND c.id = t.instrument_id AND t.month = todo.month

-- name: of_instrument_years
chosen c, todo WHERE todo.facility_id = c.facility_id AND c.id = t.instrument_id AND t.year = todo.year

-- name: figures
-- The figures of some keys. Each part has the keys and what follows, of which the calendar gives the first two;
-- standby is what was open and not lost, as in `day_states` of domain/hours.
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
)

-- name: calendar_of_facility_days
SELECT s.facility_id, d.date, sum(s.units * d.total_minutes) AS total,
    sum(s.units * d.open_minutes) AS open
FROM (
    SELECT facility_id, schedule_id, since, until, sum(units) AS units
    FROM spans GROUP BY facility_id, schedule_id, since, until
) s
JOIN instruments_scheduleday d
    ON d.schedule_id = s.schedule_id AND d.date >= s.since AND d.date < s.until
GROUP BY s.facility_id, d.date

-- name: calendar_of_instrument_months
SELECT s.id AS instrument_id, s.month, sum(s.units * d.total) AS total,
    sum(s.units * d.open) AS open
FROM spans s
JOIN calendar d USING (schedule_id, since, until)
GROUP BY s.id, s.month

-- name: months
WITH {marked},
{months_marked},
spans AS MATERIALIZED (
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
{facility_days},
{instrument_months},
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
),
{stored}
SELECT {changed}

-- name: years
WITH {marked},
todo AS MATERIALIZED (
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
),
{stored}
SELECT {changed}

-- name: bookings
-- As `figures` of selectors/bookings reads them where nothing is kept.
WITH {marked},
{months_marked},
counted AS MATERIALIZED (
    SELECT c.facility_id, t.month, {of_booking}
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
),
{stored}
SELECT {changed}
