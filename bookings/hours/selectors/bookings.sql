-- Bookings that began, or would have begun, on local days: `BookingFigures`.

-- name: of_booking
-- What counts of a reservation `r`: its length and how long before the start it was asked for, in minutes,
-- and whether the payer's side cancelled it, did so late, or nobody came.
(date_part('epoch', r.end_at - r.start_at) / 60)::int AS minutes,
floor(date_part('epoch', r.start_at - r.requested_at) / 60)::int AS lead,
r.state = 'cancelled' AND NOT r.is_ended_by_host AS is_cancelled,
r.state = 'cancelled' AND NOT r.is_ended_by_host
    AND r.ended_at > r.start_at - make_interval(hours => {late}) AS is_late,
r.state = 'no_show' AS is_missed

-- name: bookings
FROM (
    SELECT r.id, r.state, r.start_at, r.end_at, r.user_id, r.organisation_id, i.name, i.name_zh,
        f.time_zone, {of_booking}
    FROM instruments_instrument i
    JOIN instruments_facility f ON f.id = i.facility_id
    JOIN bookings_reservation r ON r.instrument_id = i.id
    WHERE i.id IN ({scope})
        AND r.confirmed_at IS NOT NULL
        AND r.start_at >= %s::timestamp - interval '1 day'
        AND r.start_at < %s::timestamp + interval '1 day'
        AND (r.start_at AT TIME ZONE f.time_zone)::date >= %s
        AND (r.start_at AT TIME ZONE f.time_zone)::date < %s
) bookings

-- name: numbers
count(*), coalesce(sum(minutes), 0),
count(*) FILTER (WHERE is_cancelled),
count(*) FILTER (WHERE is_late), coalesce(sum(minutes) FILTER (WHERE is_late), 0),
count(*) FILTER (WHERE is_missed), coalesce(sum(minutes) FILTER (WHERE is_missed), 0)

-- name: figures
SELECT {numbers}, percentile_cont(0.5) WITHIN GROUP (ORDER BY lead) FILTER (WHERE lead >= 0)
{bookings}

-- name: leads
-- With how many bookings have which lead.
SELECT lead, {numbers}
{bookings}
GROUP BY lead

-- name: rows
-- The bookings that a number counts, as `load_behind` reads them.
SELECT bookings.id, NULL, state, start_at, end_at, bookings.name, bookings.name_zh, time_zone,
    o.name, o.name_zh, minutes, user_id, NULL, lead / 60.0, '', NULL,
    count(*) OVER (), sum(minutes) OVER (), 0
{bookings}
JOIN accounts_organisation o ON o.id = organisation_id
WHERE {which}
ORDER BY start_at, bookings.id
LIMIT {most} OFFSET {skipped}
