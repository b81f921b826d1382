"""Rules of recurrence: what they say, and when that is."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.record.domain.periods import Period
from bookings.series.domain.series import (
    MOST,
    Rule,
    Standing,
    chosen,
    instant_of,
    occurrences,
    parse_rule,
    shifted_rule,
    wall_of,
    wall_times,
)

CHICAGO = ZoneInfo("America/Chicago")
# Each with a change of the clock soon after the starts that are tried.
ZONES = {
    "America/Chicago": [datetime(2025, 3, 1), datetime(2025, 10, 25)],
    "Australia/Lord_Howe": [datetime(2025, 3, 30), datetime(2025, 9, 28)],
    "Africa/Casablanca": [datetime(2025, 2, 18), datetime(2025, 4, 1)],
}


def problem(text):
    with pytest.raises(Invalid) as refused:
        parse_rule(text)
    (found,) = refused.value.problems
    assert found.field == "rule"
    return found.code


class TestParse:
    def test_all_its_parts(self):
        rule = parse_rule("RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR,MO;UNTIL=20260401")
        assert rule == Rule("MONTHLY", 2, ((-1, 4), (0, 0)), (), None, date(2026, 4, 1))
        assert rule.text == "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR,MO;UNTIL=20260401"

    def test_untils(self):
        assert parse_rule("FREQ=DAILY;UNTIL=20260401T090000").until == datetime(2026, 4, 1, 9)
        assert parse_rule("freq=daily;until=20260401T090000z").until == datetime(2026, 4, 1, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "rule-malformed"),
            ("every monday", "rule-malformed"),
            ("COUNT=3", "rule-malformed"),
            ("FREQ=DAILY;FREQ=DAILY;COUNT=3", "rule-malformed"),
            ("FREQ=DAILY;COUNT=0", "rule-malformed"),
            ("FREQ=DAILY;COUNT=-1", "rule-malformed"),
            ("FREQ=DAILY;COUNT=３", "rule-malformed"),
            ("FREQ=DAILY;INTERVAL=0;COUNT=3", "rule-malformed"),
            ("FREQ=DAILY;UNTIL=20260231", "rule-malformed"),
            ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", "rule-malformed"),
            ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=3", "rule-malformed"),
            ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=3", "rule-malformed"),
            ("FREQ=DAILY;INTERVAL=367;COUNT=3", "out-of-range"),
            ("FREQ=YEARLY;COUNT=3", "rule-unsupported"),
            ("FREQ=DAILY;BYHOUR=9;COUNT=3", "rule-unsupported"),
            ("FREQ=WEEKLY;BYDAY=1MO;COUNT=3", "rule-unsupported"),
            ("FREQ=WEEKLY;BYMONTHDAY=1;COUNT=3", "rule-unsupported"),
            ("FREQ=DAILY", "rule-without-end"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20260401", "rule-ends-twice"),
            ("FREQ=DAILY;COUNT=201", "too-many"),
        ],
    )
    def test_what_is_wrong(self, text, code):
        assert problem(text) == code

    @given(st.text(max_size=60))
    def test_nothing_breaks_it(self, text):
        with suppress(Invalid):
            parse_rule(text)


weekdays = st.lists(st.integers(0, 6), unique=True, max_size=3)


@st.composite
def rules(draw, ends=True):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    days, month_days = (), ()
    if frequency == "MONTHLY":
        days = tuple(
            draw(st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 6)), unique=True, max_size=2))
        )
        if not days:
            month_days = tuple(draw(st.lists(st.integers(1, 31), unique=True, max_size=2)))
    else:
        days = tuple((0, day) for day in draw(weekdays))
    return Rule(frequency, draw(st.integers(1, 3)), days, month_days, draw(st.integers(1, 12)))


starts = st.sampled_from(sorted(ZONES)).flatmap(
    lambda name: st.tuples(
        st.just(ZoneInfo(name)), st.sampled_from(ZONES[name]), st.integers(0, 14), st.integers(0, 95)
    ).map(lambda t: (t[0], t[1] + timedelta(days=t[2], minutes=15 * t[3])))
)


@given(rules())
def test_written_and_read_it_is_the_same(rule):
    assert parse_rule(rule.text) == rule


@given(rules(), starts, st.integers(1, 3000))
def test_the_wall_clock_stays(rule, start, minutes):
    zone, wall = start
    try:
        found = occurrences(rule, wall, zone, minutes)
    except Invalid as refused:
        assert refused.problems[0].code in {"span-too-long", "rule-empty"}
        assume(False)
    assert len(found) == rule.count
    assert all(one.start < other.start for one, other in pairwise(found))
    assert {period.minutes for period in found} == {minutes}
    assert found[0].start >= instant_of(zone, wall)
    for period in found:
        shown = wall_of(zone, period.start)
        if shown.time() != wall.time():
            # The clock skipped it: this is the asked time after the gap.
            asked = datetime.combine(shown.date(), wall.time())
            offset = asked.replace(tzinfo=zone).utcoffset()
            assert shown - asked == period.start.astimezone(zone).utcoffset() - offset
            assert timedelta() < shown - asked <= timedelta(hours=1)
        # Of a time that exists twice it is the first.
        assert not period.start.astimezone(zone).fold


@given(rules(), starts, st.integers(0, 40))
def test_until_is_the_last_day_included(rule, start, days):
    zone, wall = start
    until = wall.date() + timedelta(days=days)
    ending = Rule(rule.frequency, rule.interval, rule.weekdays, rule.month_days, None, until)
    endless = Rule(rule.frequency, rule.interval, rule.weekdays, rule.month_days, 45)
    try:
        expected = [w for w in wall_times(endless, wall, zone) if w.date() <= until]
    except Invalid:
        assume(False)
    if not expected:
        with pytest.raises(Invalid):
            wall_times(ending, wall, zone)
    else:
        assert wall_times(ending, wall, zone) == expected


@given(rules(), starts, st.integers(-3000, 3000))
def test_a_shifted_rule_means_the_shifted_times(rule, start, quarters):
    zone, wall = start
    by = timedelta(minutes=15 * quarters)
    try:
        walls = wall_times(rule, wall, zone)
    except Invalid:
        assume(False)
    moved = shifted_rule(rule, walls, by, zone)
    if moved is not None:
        assert wall_times(moved, walls[0] + by, zone) == [w + by for w in walls]
    elif rule.frequency == "DAILY" and not rule.weekdays:
        raise AssertionError("every day is every day")


def at(text):
    return datetime.fromisoformat(text)


class TestOccurrences:
    def shown(self, text, start, zone=CHICAGO, minutes=60):
        return [
            f"{period.start:%m-%d %H:%M}"
            for period in occurrences(parse_rule(text), at(start), zone, minutes)
        ]

    def test_weekly_nine_stays_nine(self):
        assert self.shown("FREQ=WEEKLY;COUNT=3", "2025-03-03T09:00") == [
            "03-03 15:00",
            "03-10 14:00",
            "03-17 14:00",
        ]

    def test_a_time_that_is_skipped_moves_forward_and_comes_back(self):
        assert self.shown("FREQ=DAILY;COUNT=3", "2025-03-08T02:30") == [
            "03-08 08:30",
            "03-09 08:30",  # 03:30
            "03-10 07:30",
        ]

    def test_a_time_that_comes_twice_is_the_first(self):
        assert self.shown("FREQ=DAILY;COUNT=3", "2025-11-01T01:30") == [
            "11-01 06:30",
            "11-02 06:30",
            "11-03 07:30",
        ]

    def test_lord_howe_skips_half_an_hour(self):
        zone = ZoneInfo("Australia/Lord_Howe")
        found = occurrences(parse_rule("FREQ=DAILY;COUNT=2"), at("2025-10-04T02:15"), zone, 30)
        assert [f"{wall_of(zone, p.start):%d %H:%M}" for p in found] == ["04 02:15", "05 02:45"]

    def test_a_zone_that_left_out_a_day_has_no_date_twice(self):
        zone = ZoneInfo("Pacific/Apia")
        found = occurrences(parse_rule("FREQ=DAILY;COUNT=4"), at("2011-12-29T10:00"), zone, 60)
        assert [f"{wall_of(zone, p.start):%m-%d}" for p in found] == ["12-29", "12-31", "01-01", "01-02"]

    def test_months_without_the_day_are_left_out(self):
        assert self.shown("FREQ=MONTHLY;COUNT=3", "2025-01-31T09:00") == [
            "01-31 15:00",
            "03-31 14:00",
            "05-31 14:00",
        ]

    def test_a_start_that_does_not_fit_the_rule_is_no_date(self):
        assert self.shown("FREQ=WEEKLY;BYDAY=TU;COUNT=2", "2025-01-06T09:00") == [
            "01-07 15:00",
            "01-14 15:00",
        ]

    def test_until_as_an_instant(self):
        text = "FREQ=DAILY;UNTIL=20250110T150000Z"
        assert self.shown(text, "2025-01-09T09:00") == ["01-09 15:00", "01-10 15:00"]
        assert self.shown(text, "2025-01-09T09:01") == ["01-09 15:01"]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("FREQ=DAILY;UNTIL=99991231", "too-many"),
            ("FREQ=MONTHLY;UNTIL=99991231", "span-too-long"),
            ("FREQ=MONTHLY;COUNT=200", "span-too-long"),
            ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;COUNT=1", "span-too-long"),
            ("FREQ=DAILY;UNTIL=20250101", "rule-empty"),
            ("FREQ=DAILY;BYMONTHDAY=31;UNTIL=20250210", "rule-empty"),
        ],
    )
    def test_none_or_too_many(self, text, code):
        with pytest.raises(Invalid) as refused:
            occurrences(parse_rule(text), at("2025-02-03T09:00"), CHICAGO, 60)
        assert refused.value.problems[0].code == code

    def test_as_many_as_there_may_be(self):
        assert len(self.shown("FREQ=WEEKLY;COUNT=200", "2025-02-03T09:00")) == MOST
        assert len(self.shown("FREQ=DAILY;UNTIL=20250821", "2025-02-03T09:00")) == MOST


class TestChosen:
    NOW = datetime(2026, 3, 10, tzinfo=UTC)

    def standings(self):
        days = {9: "completed", 16: "confirmed", 23: "cancelled", 30: "requested"}
        return [
            Standing(d, datetime(2026, 3, d, tzinfo=UTC), datetime(2026, 3, d, tzinfo=UTC), state)
            for d, state in days.items()
        ]

    @pytest.mark.parametrize(
        ("scope", "this", "found"),
        [
            ("this", 9, [9]),
            ("this", 16, [16]),
            ("following", 16, [16, 30]),
            ("following", 23, [30]),
            ("all", None, [16, 30]),
            ("all", 30, [16, 30]),
            ("following", None, []),
        ],
    )
    def test_which(self, scope, this, found):
        assert [s.id for s in chosen(self.standings(), scope, this, self.NOW)] == found

    def test_what_follows_is_by_the_rule_not_by_where_it_was_moved(self):
        moved = Standing(
            30, datetime(2026, 3, 30, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC), "confirmed"
        )
        rows = [*self.standings()[:3], moved]
        assert [s.id for s in chosen(rows, "following", 16, self.NOW)] == [16, 30]


def test_periods_are_periods():
    (found,) = occurrences(parse_rule("FREQ=DAILY;COUNT=1"), at("2025-01-06T09:00"), CHICAGO, 90)
    assert found == Period(datetime(2025, 1, 6, 15, tzinfo=UTC), datetime(2025, 1, 6, 16, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",
    ],
)
def test_what_hardly_ever_fits_is_not_looked_for_up_to_the_end_of_the_calendar(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    for name in ("mdayset", "ddayset"):
        look = getattr(rrule._iterinfo, name)
        monkeypatch.setattr(rrule._iterinfo, name, lambda *args, look=look: steps.append(1) or look(*args))
    with pytest.raises(Invalid):
        wall_times(parse_rule(text + ";COUNT=200"), datetime(2026, 2, 4, 9), ZoneInfo("UTC"))
    assert len(steps) < 1500  # days of four years
