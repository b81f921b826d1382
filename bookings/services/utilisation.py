"""Hours: the nightly roll-up, and the days that must be done anew."""

STORE = """,
stored AS (
    INSERT INTO bookings_instrumentday AS t (
        instrument_id, date, total_minutes, open_minutes, productive_minutes,
        unscheduled_down_minutes, scheduled_down_minutes, engineering_minutes,
        standby_minutes, no_show_minutes, non_scheduled_minutes
    )
    SELECT instrument_id, date, total, open, productive, unscheduled, scheduled, engineering,
        standby, missed, non_scheduled
    FROM days
    ON CONFLICT (instrument_id, date) DO UPDATE SET
        total_minutes = excluded.total_minutes,
        open_minutes = excluded.open_minutes,
        productive_minutes = excluded.productive_minutes,
        unscheduled_down_minutes = excluded.unscheduled_down_minutes,
        scheduled_down_minutes = excluded.scheduled_down_minutes,
        engineering_minutes = excluded.engineering_minutes,
        standby_minutes = excluded.standby_minutes,
        no_show_minutes = excluded.no_show_minutes,
        non_scheduled_minutes = excluded.non_scheduled_minutes
    WHERE (
        t.total_minutes, t.open_minutes, t.productive_minutes, t.unscheduled_down_minutes,
        t.scheduled_down_minutes, t.engineering_minutes, t.standby_minutes,
        t.no_show_minutes, t.non_scheduled_minutes
    ) IS DISTINCT FROM (
        excluded.total_minutes, excluded.open_minutes, excluded.productive_minutes,
        excluded.unscheduled_down_minutes, excluded.scheduled_down_minutes,
        excluded.engineering_minutes, excluded.standby_minutes, excluded.no_show_minutes,
        excluded.non_scheduled_minutes
    )
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
    INSERT INTO bookings_instrumentdayuse AS t (
        instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
    )
    SELECT instrument_id, date, organisation_id, payer_region_id, price_group, minutes, sessions
    FROM payers
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
