"""Hours as people read them: by region, organisation, instrument, month and so on, and the
rows behind one day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.domain.errors import invalid
from bookings.domain.periods import Period
from bookings.domain.utilisation import (
    Closed,
    DayStates,
    Missed,
    Session,
    StateMinutes,
    day_states,
    ratios,
)
from bookings.models import Closure, Reservation, UsageSession
from instruments.models import Instrument, OpenWindow, ScheduleAssignment, ScheduleDay


@dataclass(frozen=True)
class _Group:
    """What figures are grouped by: `value` is the id of the group an instrument belongs to,
    `table` names it, `key` is its column that people and programs know it by."""

    value: str
    table: str
    key: str


_NONE = "'00000000-0000-0000-0000-000000000000'::uuid"  # NULL would not join
_GROUPS = {
    "region": _Group("i.region_id", "accounts_region", "code"),
    "organisation": _Group("i.organisation_id", "accounts_organisation", "code"),
    "facility": _Group("i.facility_id", "instruments_facility", "id"),
    "instrument": _Group("i.id", "instruments_instrument", "id"),
    "technique": _Group(f"coalesce(t.technique_id, {_NONE})", "instruments_technique", "code"),
}
_PERIODS = {"day": "d.date", "month": "date_trunc('month', d.date)::date"}
BY = (*_PERIODS, *_GROUPS)


@dataclass(frozen=True)
class HoursRow:
    """One group. `keys`: what `by` names -> day (2025-03-09), month (2025-03), code of the
    region, organisation or technique, id of the facility or instrument. `names`: the group's
    names in English and Chinese. An instrument without a technique has key and names empty.
    """

    keys: Mapping[str, str]
    names: Mapping[str, tuple[str, str]]
    minutes: StateMinutes
    other_organisations: int
    other_regions: int
    sessions: int

    @property
    def ratios(self) -> dict[str, str | None]:
        return ratios(
            self.minutes,
            other_organisations=self.other_organisations,
            other_regions=self.other_regions,
        )

    @property
    def figures(self) -> dict[str, int]:
        """The minutes and sessions under the names of the API."""
        minutes = self.minutes
        return {
            "total_minutes": minutes.total,
            "productive_minutes": minutes.productive,
            "unscheduled_down_minutes": minutes.unscheduled_down,
            "scheduled_down_minutes": minutes.scheduled_down,
            "engineering_minutes": minutes.engineering,
            "standby_minutes": minutes.standby,
            "no_show_minutes": minutes.no_show,
            "non_scheduled_minutes": minutes.non_scheduled,
            "operations_minutes": minutes.operations,
            "uptime_minutes": minutes.uptime,
            "other_organisations_minutes": self.other_organisations,
            "other_regions_minutes": self.other_regions,
            "sessions": self.sessions,
        }


# Braces are filled in by `_hours_sql` with columns and tables from the constants above.
_HOURS = """
WITH chosen AS MATERIALIZED (
    SELECT i.id, i.organisation_id, i.region_id, 0 AS k_all {values}
    FROM instruments_instrument i {techniques}
    WHERE i.id IN ({scope})
),
spans AS MATERIALIZED (
    -- Groups of instruments with the same hours in force from and until the same days.
    SELECT {keys}, a.schedule_id, greatest(a.from_date, %s) AS since,
        least(a.until_date, r.until_date, %s) AS until, sum(a.units) AS units
    FROM chosen c
    JOIN instruments_scheduleassignment a ON a.instrument_id = c.id
    JOIN bookings_rollup r ON r.instrument_id = c.id
    WHERE a.schedule_id IS NOT NULL
        AND greatest(a.from_date, %s) < least(a.until_date, r.until_date, %s)
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
parts AS (
    -- Added up rather than joined: the planner cannot know how many groups there are.
    SELECT {keys}, period, sum(s.units * d.total) AS total, sum(s.units * d.open) AS open,
        0 AS productive, 0 AS unscheduled, 0 AS scheduled, 0 AS engineering, 0 AS missed,
        0 AS lost, 0 AS organisations, 0 AS regions, 0 AS sessions
    FROM spans s
    JOIN calendar d USING (schedule_id, since, until)
    GROUP BY {keys}, period
    UNION ALL
    SELECT {keys}, {period}, NULL, NULL, sum(d.productive_minutes),
        sum(d.unscheduled_down_minutes), sum(d.scheduled_down_minutes),
        sum(d.engineering_minutes), sum(d.no_show_minutes),
        sum(d.open_minutes - d.standby_minutes), 0, 0, 0
    FROM chosen c
    JOIN bookings_instrumentday d ON d.instrument_id = c.id
    WHERE d.date >= %s AND d.date < %s
    GROUP BY {keys}, {period}
    UNION ALL
    SELECT {keys}, {period}, NULL, NULL, 0, 0, 0, 0, 0, 0,
        coalesce(sum(d.minutes) FILTER (WHERE d.organisation_id <> c.organisation_id), 0),
        coalesce(sum(d.minutes) FILTER (WHERE d.payer_region_id <> c.region_id), 0),
        sum(d.sessions)
    FROM chosen c
    JOIN bookings_instrumentdayuse d ON d.instrument_id = c.id
    WHERE d.date >= %s AND d.date < %s
    GROUP BY {keys}, {period}
),
sums AS (
    SELECT {keys}, period, sum(total) AS total, sum(open) AS open,
        sum(productive) AS productive, sum(unscheduled) AS unscheduled,
        sum(scheduled) AS scheduled, sum(engineering) AS engineering, sum(missed) AS missed,
        sum(lost) AS lost, sum(organisations) AS organisations, sum(regions) AS regions,
        sum(sessions) AS sessions
    FROM parts
    GROUP BY {keys}, period
)
SELECT period, {names} total, open, productive, unscheduled, scheduled, engineering, missed,
    lost, organisations, regions, sessions
FROM sums
{tables}
WHERE total IS NOT NULL
ORDER BY {order}
"""


def hours(
    *, instruments: QuerySet[Instrument], since: date, until: date, by: Sequence[str]
) -> list[HoursRow]:
    """Hours of the local days [since, until), grouped and ordered by `by` (of `BY`; empty: all
    together). One statement, whatever the numbers.

    `instruments` are those the person may see. Days count that they were offered on and that
    are rolled up: never today, and yesterday within the hour. Days without a row are what the
    calendar says. Grouped by technique an instrument counts under each of its techniques, so
    those rows add up to more than the whole.
    """
    for name in by:
        if name not in BY:
            raise invalid("by", "unknown-choice", allowed=", ".join(BY))
    try:
        scope, parameters = instruments.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_hours_sql(by, scope), [*parameters, *(since, until) * 4])
        return [_hours_row(by, row) for row in cursor.fetchall()]


def _hours_sql(by: Sequence[str], scope: str) -> str:
    groups = [name for name in _GROUPS if name in by]
    period = next((_PERIODS[name] for name in _PERIODS if name in by), "DATE '0001-01-01'")
    order = [f"n_{name}.name, n_{name}.id" if name in groups else "period" for name in by]
    return _HOURS.format(
        scope=scope,
        keys=", ".join(["k_all", *(f"k_{name}" for name in groups)]),
        values="".join(f", {_GROUPS[name].value} AS k_{name}" for name in groups),
        techniques="LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = i.id"
        if "technique" in groups
        else "",
        period=period,
        names="".join(
            f"n_{name}.{_GROUPS[name].key}, n_{name}.name, n_{name}.name_zh, " for name in groups
        ),
        tables=" ".join(
            f"LEFT JOIN {_GROUPS[name].table} n_{name} ON n_{name}.id = k_{name}" for name in groups
        ),
        order=", ".join([*order, "period"]),
    )


def _hours_row(by: Sequence[str], row: Sequence[Any]) -> HoursRow:
    groups = [name for name in _GROUPS if name in by]
    labels = {name: row[1 + 3 * index : 4 + 3 * index] for index, name in enumerate(groups)}
    day: date = row[0]
    keys = {name: str(label[0] or "") for name, label in labels.items()}
    keys |= {"day": day.isoformat(), "month": f"{day:%Y-%m}"}
    numbers = [int(number) for number in row[1 + 3 * len(groups) :]]
    total, opened, productive, unscheduled, scheduled, engineering, missed, lost = numbers[:8]
    standby = opened - lost
    return HoursRow(
        keys={name: keys[name] for name in by},
        names={name: (label[1] or "", label[2] or "") for name, label in labels.items()},
        minutes=StateMinutes(
            productive=productive,
            unscheduled_down=unscheduled,
            scheduled_down=scheduled,
            engineering=engineering,
            standby=standby,
            non_scheduled=total - productive - unscheduled - scheduled - engineering - standby,
            no_show=missed,
        ),
        other_organisations=numbers[8],
        other_regions=numbers[9],
        sessions=numbers[10],
    )


@dataclass(frozen=True)
class DayRows:
    """What one instrument's day is made of: the calendar's day, and the rows behind its
    figures, in order."""

    day: ScheduleDay
    units: int
    sessions: list[UsageSession]
    closures: list[Closure]
    no_shows: list[Reservation]


def day_rows(*, instrument_id: UUID, day: date) -> DayRows | None:
    """The sessions, closures and no-shows that meet a local day; None if the
    instrument was not offered on it. Five statements."""
    found = _calendar_day(instrument_id, day)
    if found is None:
        return None
    calendar_day, units = found
    starts_at, ends_at = calendar_day.starts_at, calendar_day.ends_at
    sessions = UsageSession.objects.filter(
        Q(checked_out_at__gte=starts_at) | Q(checked_out_at=None),
        instrument_id=instrument_id,
        checked_in_at__lt=ends_at,
    ).select_related("reservation__organisation", "reservation__payer_region", "reservation__user")
    closures = Closure.objects.filter(
        Q(end_at__gt=starts_at) | Q(end_at=None), instrument_id=instrument_id, start_at__lt=ends_at
    )
    no_shows = Reservation.objects.filter(
        instrument_id=instrument_id,
        state=Reservation.State.NO_SHOW,
        start_at__lt=ends_at,
        end_at__gt=starts_at,
    ).select_related("organisation", "payer_region", "user")
    return DayRows(
        calendar_day,
        units,
        list(sessions.order_by("checked_in_at", "pk")),
        list(closures.order_by("start_at", "pk")),
        list(no_shows.order_by("start_at", "pk")),
    )


def instrument_day(*, instrument_id: UUID, day: date) -> DayStates | None:
    """The states of a local day, computed here and now from the rows behind it; None if the
    instrument was not offered on it. Six statements."""
    rows = day_rows(instrument_id=instrument_id, day=day)
    if rows is None:
        return None
    span = (rows.day.starts_at, rows.day.ends_at)
    windows = OpenWindow.objects.filter(schedule_id=rows.day.schedule_id, span__overlap=span)
    return day_states(
        starts_at=rows.day.starts_at,
        ends_at=rows.day.ends_at,
        units=rows.units,
        windows=[Period(window.span.lower, window.span.upper) for window in windows],
        sessions=[
            Session(
                id=session.pk,
                unit=session.unit,
                checked_in_at=session.checked_in_at,
                checked_out_at=session.checked_out_at,
                organisation_id=session.reservation.organisation_id,
                payer_region_id=session.reservation.payer_region_id,
                price_group=session.reservation.price_group,
            )
            for session in rows.sessions
        ],
        closures=[
            Closed(closure.kind, closure.start_at, closure.end_at, frozenset(closure.units))
            for closure in rows.closures
        ],
        no_shows=[Missed(row.unit, row.start_at, row.end_at) for row in rows.no_shows],
    )


def _calendar_day(instrument_id: UUID, day: date) -> tuple[ScheduleDay, int] | None:
    """The calendar's day and the units on it. Two statements."""
    assignment = ScheduleAssignment.objects.filter(
        Q(until_date__gt=day) | Q(until_date=None),
        instrument_id=instrument_id,
        from_date__lte=day,
    ).first()
    if assignment is None or assignment.schedule_id is None:
        return None
    found = ScheduleDay.objects.filter(schedule_id=assignment.schedule_id, date=day).first()
    return (found, assignment.units) if found else None
