-- Hours of instruments added up: of days, or from the sums that the roll-up keeps. What the figures mean
-- says `StateMinutes` of domain/hours.
--
-- Filled in: `scope`, the instruments or facilities (a query); `keys`, the columns of the groups, `values`
-- what they are of an instrument, `names` and `tables` what they are called; `period`, the first day of the
-- period; `only`, `which`: conditions; days (`since`, `until`, and the whole months `first` to `last`).

-- name: chosen
-- The instruments, once for each host they had: hours count for the host and the region of the day.
-- Whole months of one host are read from their sums, the days around them one by one.
WITH scope AS MATERIALIZED (
    SELECT * FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {which}
),
hosts AS (
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

-- name: chosen_unmoved
-- The same where no instrument changed its host behind the first day.
WITH chosen AS (
    SELECT i.id, i.organisation_id, i.region_id, '-infinity'::date AS host_since,
        'infinity'::date AS host_until, {first} AS months_since, {last} AS months_until,
        0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
    {only}
),

-- name: days
-- The days that are read one by one, and what the calendar says of them.
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

-- name: day_parts
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

-- name: sum_part
-- Sums that the roll-up keeps (`FacilityDay` and the like), of those that `join` says.
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

-- name: of_instrument_months
-- Of `sum_part`: whole months of instruments, except those that are read as `years`.
bookings_instrumentmonth d ON d.instrument_id = c.id
WHERE d.month >= {first} AND d.month < {last}
    AND (d.month < {years_since} OR d.month >= {years_until} OR NOT ({whole})) {within}

-- name: of_instrument_years
bookings_instrumentyear d ON d.instrument_id = c.id
WHERE d.year >= {first} AND d.year < {last} AND {whole}

-- name: is_whole
-- One host had the instrument in all of the whole months.
c.months_since = {first} AND c.months_until = {last}

-- name: of_facilities
{table} d ON d.facility_id = c.id WHERE {column} >= {first} AND {column} < {last}

-- name: result
-- The parts together, with the names of their groups.
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

-- name: facilities
-- All instruments of the facilities, but for those that one belongs to which changed its host
-- since the first day: of those only the instruments' own sums tell.
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope}) {which} {only}
),

-- name: moved
-- Facilities of which an instrument changed its host.
{which} IN (
    SELECT m.facility_id FROM instruments_pasthost p
    JOIN instruments_instrument m ON m.id = p.instrument_id WHERE p.until_date > {since}
)

-- name: kept
-- How far the roll-up is (`Kept`).
SELECT NOT EXISTS (SELECT FROM bookings_rollup WHERE NOT is_summed),
    EXISTS (SELECT FROM instruments_pasthost WHERE until_date > %s),
    NOT EXISTS (SELECT FROM bookings_facilitymonth WHERE month >= %s),
    NOT EXISTS (SELECT FROM bookings_rollup WHERE until_date > %s)

-- name: offered
-- How many units were on offer on which days that are rolled up, by what decides their norm: `Offered`
-- of domain/norms. What was so on the same days is one row.
offered AS (
    SELECT {keys}, coalesce(i.norm_hours::text, i.kind) AS norm, a.units,
        greatest(a.from_date, c.host_since, {since}) AS since,
        least(a.until_date, r.until_date, c.host_until, {until}) AS until
    FROM chosen c
    JOIN instruments_instrument i ON i.id = c.id
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
)
SELECT {keys}, norm, sum(units), since, until
FROM offered
WHERE since < until
GROUP BY {keys}, norm, since, until

-- name: hosts
-- From how many organisations the instruments of each group come.
WITH chosen AS (
    SELECT i.id, i.organisation_id, 0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
)
SELECT {keys}, count(*)
FROM (SELECT DISTINCT {keys}, organisation_id FROM chosen) hosts
GROUP BY {keys}

-- name: facility_hosts
-- The same of all instruments of facilities.
WITH chosen AS MATERIALIZED (
    SELECT i.id, i.organisation_id, 0 AS k_all {values}
    FROM instruments_facility i JOIN accounts_organisation o ON o.id = i.organisation_id
    WHERE i.id IN ({scope})
        AND EXISTS (SELECT FROM instruments_instrument m WHERE m.facility_id = i.id)
)
SELECT {keys}, count(*)
FROM (SELECT DISTINCT {keys}, organisation_id FROM chosen) hosts
GROUP BY {keys}

-- name: groups
-- How many groups the instruments fall into, and how many they are.
WITH chosen AS MATERIALIZED (
    SELECT i.id, 0 AS k_all {values}
    FROM ({scope}) AS i (id, facility_id, organisation_id, region_id) {techniques}
)
SELECT (SELECT count(*) FROM (SELECT DISTINCT {keys} FROM chosen) groups),
    (SELECT count(*) FROM (SELECT DISTINCT id FROM chosen) instruments)

-- name: page
-- The groups of instruments that were offered on days rolled up, in the order of their names.
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
LIMIT {most} OFFSET {skipped}
