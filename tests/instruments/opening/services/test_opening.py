"""From which day an instrument keeps which hours."""

import itertools
from datetime import date, timedelta

from accounts.domain.roles import By
from instruments.managing.services.publishing import instrument_publication
from instruments.opening.domain.opening import parse_hours
from instruments.opening.models import OpenWindow, Schedule, ScheduleAssignment, ScheduleDay
from instruments.opening.services.opening import calendar_extend, opening_hours_set, schedule_for
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.factories.cast import NOW, WEEKDAYS

TODAY, TOMORROW = date(2026, 3, 5), date(2026, 3, 6)


def assignments(instrument):
    rows = ScheduleAssignment.objects.filter(instrument=instrument).order_by("from_date")
    return [
        (row.from_date, row.until_date, row.units, bool(row.schedule and row.schedule.hours["weekly"]))
        for row in rows
    ]


def test_new_hours_count_from_today_and_old_days_keep_theirs(cast):
    instrument = cast.microscope
    began = ScheduleAssignment.objects.get(instrument=instrument).from_date
    hours = parse_hours({"weekly": [{"weekday": 1, "opens": "10:00", "closes": "12:00"}]})
    opening_hours_set(By(cast.actor("zhao"), NOW), instrument_id=instrument.pk, hours=hours)
    assert assignments(instrument) == [(began, TODAY, 1, True), (TODAY, None, 1, True)]


def test_what_takes_time_away_counts_from_tomorrow(cast):
    pair = cast.instrument(name="Pair", policy={"units": 2})
    zhao = cast.actor("zhao")
    began = ScheduleAssignment.objects.get(instrument=pair).from_date
    one = parse_policy({"units": 1})
    policy_set(By(zhao, NOW), instrument_id=pair.pk, policy=one)
    assert assignments(pair) == [(began, TOMORROW, 2, True), (TOMORROW, None, 1, True)]
    instrument_publication(By(zhao, NOW), instrument_id=pair.pk, act="suspend")
    assert assignments(pair) == [(began, TOMORROW, 2, True), (TOMORROW, None, 1, False)]
    # Brought back the same day it is as if nothing had been.
    instrument_publication(By(zhao, NOW), instrument_id=pair.pk, act="publish")
    assert [row[2:] for row in assignments(pair)][-1] == (1, True)
    instrument_publication(By(zhao, NOW), instrument_id=pair.pk, act="retire")
    last = ScheduleAssignment.objects.filter(instrument=pair).latest("from_date")
    assert (last.from_date, last.schedule) == (TOMORROW, None)


def test_instruments_with_the_same_hours_share_a_schedule(cast):
    other = cast.instrument(name="Other")
    assert other.schedule == cast.microscope.schedule
    assert Schedule.objects.count() == 1


def test_a_schedule_is_resolved_once_and_extended_monthly(cast):
    schedule = cast.microscope.schedule
    days = ScheduleDay.objects.filter(schedule=schedule).count()
    again = schedule_for(time_zone="Asia/Shanghai", holiday_calendar="CN", hours=WEEKDAYS, now=NOW)
    assert again == schedule
    assert calendar_extend(now=NOW) == 0
    later = NOW + timedelta(days=60)
    assert calendar_extend(now=later) == 1
    assert calendar_extend(now=later) == 0
    assert ScheduleDay.objects.filter(schedule=schedule).count() > days
    spans = [w.span for w in OpenWindow.objects.filter(schedule=schedule).order_by("span")]
    assert all(a.upper < b.lower for a, b in itertools.pairwise(spans))
