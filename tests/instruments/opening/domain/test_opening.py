"""Opening hours: the clock cases, shapes, overlaps."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.opening.domain import opening as opening_rules
from instruments.reading.domain.clock import day_span, instant

ZONES = st.sampled_from(
    [
        "Asia/Shanghai",
        "America/Chicago",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "America/Havana",  # midnight itself is repeated and skipped there
        "Asia/Beirut",
        "Pacific/Apia",
    ]
)
DATES = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes", "start", "end", "minutes"),
    [
        ("America/Chicago", "2025-03-09", 0, 1440, "09T06:00", "10T05:00", 1380),
        ("America/Chicago", "2025-11-02", 0, 1440, "02T05:00", "03T06:00", 1500),
        ("America/Chicago", "2025-11-01", 1320, 120, "02T03:00", "02T08:00", 300),
        ("America/Chicago", "2025-03-08", 1320, 240, "09T04:00", "09T09:00", 300),
        ("America/Chicago", "2025-03-09", 90, 210, "09T07:30", "09T08:30", 60),
        ("America/Chicago", "2025-03-09", 900, 990, "09T20:00", "09T21:30", 90),
        ("Australia/Lord_Howe", "2025-10-05", 0, 1440, "04T13:30", "05T13:00", 1410),
        ("Africa/Casablanca", "2025-02-23", 0, 1440, "22T23:00", "24T00:00", 1500),
    ],
)
def test_clock_cases(zone, day, opens, closes, start, end, minutes):
    opened = date.fromisoformat(day)
    hours = opening_rules.OpeningHours((opening_rules.WeeklyRule(opened.isoweekday(), opens, closes),))
    (window,) = opening_rules.windows(hours, ZoneInfo(zone), frozenset(), opened, opened)
    assert f"{window.opens_at:%dT%H:%M}" == start
    assert f"{window.closes_at:%dT%H:%M}" == end
    assert (window.closes_at - window.opens_at) == timedelta(minutes=minutes)


@given(ZONES, DATES)
def test_days_follow_each_other_without_gap(zone, day):
    zone = ZoneInfo(zone)
    start, end = day_span(zone, day)
    assert end == day_span(zone, day + timedelta(days=1))[0]
    if start < end:  # Apia had no 30 December 2011, but that is before our dates
        assert timedelta(hours=22) < end - start < timedelta(hours=26)


@given(ZONES, DATES, st.integers(0, 1440), st.booleans())
def test_a_wall_clock_time_reads_back_unless_it_does_not_exist(zone, day, minute, closing):
    zone = ZoneInfo(zone)
    moment = instant(zone, day, minute, closing=closing)
    back = moment.astimezone(zone).replace(tzinfo=None)
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    assert back >= wanted  # a time in a gap moves forward, never back
    assert back - wanted <= timedelta(hours=2)


@given(ZONES, DATES, st.integers(0, 1439), st.integers(1, 1440))
def test_opening_is_not_after_closing_of_the_same_minute(zone, day, opens, closes):
    """A window only falls away where the clock change swallows it."""
    rule = opening_rules.WeeklyRule(day.isoweekday(), opens, closes)
    found = opening_rules.windows(opening_rules.OpeningHours((rule,)), ZoneInfo(zone), frozenset(), day, day)
    assert len(found) <= 1
    if rule.length > 120:
        assert len(found) == 1


def test_touching_windows_merge_and_minutes_add_up():
    base = datetime(2026, 3, 6, tzinfo=UTC)
    hour = timedelta(hours=1)
    pieces = [
        opening_rules.Window(base + 2 * hour, base + 3 * hour),
        opening_rules.Window(base, base + 2 * hour),
    ]
    assert opening_rules.merged(pieces) == [opening_rules.Window(base, base + 3 * hour)]
    assert opening_rules.open_minutes(opening_rules.merged(pieces), base + hour, base + 10 * hour) == 120


@pytest.mark.parametrize(
    ("rules", "overlap"),
    [
        ([(1, "20:00", "08:00"), (2, "07:00", "09:00")], True),
        ([(1, "20:00", "08:00"), (2, "08:00", "09:00")], False),
        ([(7, "22:00", "02:00"), (1, "01:00", "03:00")], True),  # across the week's end
        ([(1, "00:00", "24:00"), (1, "12:00", "13:00")], True),
        ([(1, "08:00", "08:00"), (2, "07:59", "09:00")], True),  # 24 hours
        ([(1, "08:00", "12:00"), (1, "12:00", "18:00")], False),
    ],
)
def test_rules_may_not_overlap(rules, overlap):
    data = {"weekly": [{"weekday": d, "opens": o, "closes": c} for d, o, c in rules]}
    if overlap:
        with pytest.raises(Invalid) as refused:
            opening_rules.parse_hours(data)
        assert {p.code for p in refused.value.problems} == {"windows-overlap"}
    else:
        assert len(opening_rules.parse_hours(data).weekly) == 2


def test_rules_of_different_seasons_may_overlap():
    weekly = [
        {"weekday": 1, "opens": "08:00", "closes": "12:00", "valid_until": "2026-05-31"},
        {"weekday": 1, "opens": "09:00", "closes": "13:00", "valid_from": "2026-06-01"},
    ]
    parsed = opening_rules.parse_hours({"weekly": weekly, "observes_holidays": True})
    assert opening_rules.hours_to_json(parsed)["weekly"] == weekly


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        (None, "", "not-an-object"),
        ([], "", "not-an-object"),
        ({"weekly": {}}, "weekly", "not-a-list"),
        ({"surprise": 1}, "surprise", "unknown-field"),
        ({"weekly": ["x"]}, "weekly[0]", "not-an-object"),
        ({"weekly": [{"weekday": 8}]}, "weekly[0].weekday", "not-a-weekday"),
        ({"weekly": [{"weekday": True}]}, "weekly[0].weekday", "not-a-weekday"),
        ({"weekly": [{"weekday": 1, "opens": "24:00", "closes": "24:00"}]}, "weekly[0].opens", "not-a-time"),
        ({"weekly": [{"weekday": 1, "opens": "8:00", "closes": "12:00"}]}, "weekly[0].opens", "not-a-time"),
        (
            {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "12:00", "valid_from": "soon"}]},
            "weekly[0].valid_from",
            "not-a-date",
        ),
        ({"overrides": [{"date": "2026-02-30"}]}, "overrides[0].date", "not-a-date"),
        ({"overrides": [{"date": "2026-01-01"}, {"date": "2026-01-01"}]}, "overrides", "date-twice"),
        (
            {"overrides": [{"date": "2026-01-01", "until": "2026-01-05"}, {"date": "2026-01-05"}]},
            "overrides",
            "date-twice",
        ),
        (
            {"overrides": [{"date": "2026-01-02", "until": "2026-01-01"}]},
            "overrides[0].until",
            "before-valid-from",
        ),
        (
            {"overrides": [{"date": "2026-01-01", "until": "2027-01-02"}]},
            "overrides[0].until",
            "exception-too-long",
        ),
        ({"overrides": [{"date": "2026-01-01", "until": "x"}]}, "overrides[0].until", "not-a-date"),
        ({"overrides": [{"date": "2026-01-01", "reason": "x" * 201}]}, "overrides[0].reason", "too-long"),
        ({"overrides": [{"date": "2026-01-01", "why": "x"}]}, "overrides[0].why", "unknown-field"),
        ({"observes_holidays": "yes"}, "observes_holidays", "not-a-boolean"),
        ({"weekly": [{}] * 101}, "weekly", "too-many"),
    ],
)
def test_shapes_that_are_refused(data, field, code):
    with pytest.raises(Invalid) as refused:
        opening_rules.parse_hours(data)
    assert (field, code) in {(p.field, p.code) for p in refused.value.problems}


@pytest.mark.parametrize(
    ("zone", "day", "minute", "opening", "closing"),
    [
        # 01:00 to 02:00 twice: the first for an opening, the second for a closing
        ("America/Chicago", date(2025, 11, 2), 60, "2025-11-02T06:00", "2025-11-02T07:00"),
        ("America/Chicago", date(2025, 11, 2), 90, "2025-11-02T06:30", "2025-11-02T07:30"),
        ("America/Chicago", date(2025, 11, 2), 120, "2025-11-02T08:00", "2025-11-02T08:00"),
        ("Australia/Lord_Howe", date(2025, 4, 6), 105, "2025-04-05T14:45", "2025-04-05T15:15"),
        # midnight twice
        ("America/Havana", date(2025, 11, 2), 0, "2025-11-02T04:00", "2025-11-02T05:00"),
        # 02:00 to 03:00 never: forward by the gap, for both
        ("America/Chicago", date(2025, 3, 9), 150, "2025-03-09T08:30", "2025-03-09T08:30"),
        ("Australia/Lord_Howe", date(2025, 10, 5), 135, "2025-10-04T15:45", "2025-10-04T15:45"),
        # no midnight
        ("America/Havana", date(2025, 3, 9), 0, "2025-03-09T05:00", "2025-03-09T05:00"),
    ],
)
def test_a_time_that_is_twice_or_never(zone, day, minute, opening, closing):
    found = [instant(ZoneInfo(zone), day, minute, closing=closes) for closes in (False, True)]
    assert [moment.strftime("%Y-%m-%dT%H:%M") for moment in found] == [opening, closing]


@given(DATES, st.integers(0, 40), st.booleans(), st.integers(-50, 50), st.integers(0, 30))
def test_a_range_is_the_same_as_its_days_one_by_one(first, length, is_closed, before, asked):
    pieces = () if is_closed else ((600, 720), (800, 900))
    weekly = tuple(opening_rules.WeeklyRule(day, 540, 1020) for day in range(1, 8))
    last = first + timedelta(days=length)
    whole = opening_rules.Override(first, pieces, last if length else None, "break")
    each = tuple(opening_rules.Override(first + timedelta(days=n), pieces) for n in range(length + 1))
    since = first + timedelta(days=before)
    until = since + timedelta(days=asked)
    zone = ZoneInfo("Asia/Shanghai")
    ranged, single = (
        opening_rules.windows(opening_rules.OpeningHours(weekly, given), zone, frozenset(), since, until)
        for given in ((whole,), each)
    )
    assert ranged == single


def test_a_range_and_its_reason_read_back_and_one_day_looks_as_before():
    data = {
        "weekly": [],
        "overrides": [
            {"date": "2026-12-21", "windows": [], "until": "2027-01-03", "reason": "Winter break"},
            {"date": "2027-02-01", "windows": []},
        ],
        "observes_holidays": False,
    }
    hours = opening_rules.parse_hours(data)
    assert opening_rules.hours_to_json(hours) == data
    one = {"overrides": [{"date": "2027-02-01", "until": "2027-02-01", "windows": [], "reason": " "}]}
    assert opening_rules.hours_to_json(opening_rules.parse_hours(one))["overrides"] == data["overrides"][1:]
