"""The six states of a day: examples of each, and the identity for every day there can be."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.hours.domain import hours as hour_rules
from bookings.record.domain.periods import Period, union
from instruments.reading.domain.clock import day_span

MIDNIGHT = datetime(2025, 6, 4, tzinfo=UTC)
HOST, OTHER = UUID(int=1), UUID(int=2)
HERE, THERE = UUID(int=11), UUID(int=12)
OPEN = ("08:00", "18:00")


def at(clock):
    """`08:30` of the day; `+09:00` the next one, `-23:00` the one before; seconds may follow."""
    hours, minutes, *seconds = (int(part) for part in clock.lstrip("+-").split(":"))
    shift = {"+": 1, "-": -1}.get(clock[0], 0)
    return MIDNIGHT + timedelta(
        days=shift, hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0
    )


def session(start, end, *, number=1, unit=1, payer=HOST, region=HERE, group="internal"):
    return hour_rules.Session(
        UUID(int=number), unit, at(start), at(end) if end else None, payer, region, group
    )


def closed(kind, start, end, *units):
    return hour_rules.Closed(kind, at(start), at(end) if end else None, frozenset(units))


def missed(start, end, unit=1):
    return hour_rules.Missed(unit, at(start), at(end))


def states(*, units=1, windows=(OPEN,), sessions=(), closures=(), no_shows=()):
    return hour_rules.day_states(
        starts_at=MIDNIGHT,
        ends_at=MIDNIGHT + timedelta(days=1),
        units=units,
        windows=[Period(at(start), at(end)) for start, end in windows],
        sessions=sessions,
        closures=closures,
        no_shows=no_shows,
    )


def minutes(**what):
    return states(**what).minutes


def test_nothing_happened():
    assert minutes() == hour_rules.StateMinutes(standby=600, non_scheduled=840)
    assert states().is_plain


def test_closed_all_day():
    assert minutes(windows=()) == hour_rules.StateMinutes(non_scheduled=1440)


def test_a_session_inside_opening_hours():
    assert minutes(sessions=[session("09:00", "11:00")]) == hour_rules.StateMinutes(
        productive=120, standby=480, non_scheduled=840
    )


def test_a_session_outside_opening_hours_is_productive_too():
    assert minutes(sessions=[session("17:00", "19:30")]) == hour_rules.StateMinutes(
        productive=150, standby=540, non_scheduled=750
    )


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("breakdown", "unscheduled_down"),
        ("maintenance", "scheduled_down"),
        ("calibration", "scheduled_down"),
        ("other", "scheduled_down"),
        ("own-use", "engineering"),
        ("training", "engineering"),
    ],
)
def test_each_kind_of_closure(kind, state):
    found = states(closures=[closed(kind, "16:00", "20:00")])
    assert found.minutes == hour_rules.StateMinutes(**{state: 240}, standby=480, non_scheduled=720)
    assert not found.is_plain


def test_states_are_claimed_in_their_order():
    """Everything from 10:00 on, each ending an hour later than the one before it."""
    found = minutes(
        sessions=[session("10:00", "11:00")],
        closures=[
            closed("training", "10:00", "14:00"),
            closed("maintenance", "10:00", "13:00"),
            closed("breakdown", "10:00", "12:00"),
        ],
        no_shows=[missed("10:00", "15:00")],
    )
    assert found == hour_rules.StateMinutes(
        productive=60,
        unscheduled_down=60,
        scheduled_down=60,
        engineering=60,
        standby=360,
        non_scheduled=840,
        no_show=60,
    )


def test_a_no_show_is_part_of_standby_and_only_where_nobody_else_was():
    found = states(
        sessions=[session("09:30", "10:00")],
        closures=[closed("breakdown", "10:00", "10:15")],
        no_shows=[missed("09:00", "11:00"), missed("10:30", "11:30")],
    )
    assert found.minutes.no_show == 30 + 75
    assert found.minutes.standby == 600 - 30 - 15


def test_a_no_show_outside_opening_hours_says_nothing():
    found = states(no_shows=[missed("18:00", "20:00")])
    assert found.minutes == hour_rules.StateMinutes(standby=600, non_scheduled=840)
    assert found.is_plain


def test_closures_of_one_state_count_once():
    found = minutes(
        closures=[closed("maintenance", "09:00", "11:00"), closed("calibration", "10:00", "12:00")]
    )
    assert found.scheduled_down == 180


def test_a_breakdown_without_an_end_lasts():
    found = minutes(closures=[closed("breakdown", "12:00", None)])
    assert found == hour_rules.StateMinutes(unscheduled_down=720, standby=240, non_scheduled=480)


def test_states_apply_per_unit():
    found = minutes(
        units=3,
        sessions=[session("09:00", "10:00", unit=2)],
        closures=[closed("breakdown", "09:00", "11:00", 2, 3), closed("training", "17:00", "18:00")],
        no_shows=[missed("09:00", "10:00", unit=1)],
    )
    assert found == hour_rules.StateMinutes(
        productive=60,
        unscheduled_down=60 + 120,
        engineering=180,
        standby=3 * 600 - 60 - 180 - 180,
        non_scheduled=3 * 840,
        no_show=60,
    )


def test_units_that_do_not_exist_do_not_count():
    found = states(
        sessions=[session("09:00", "10:00", unit=2)],
        closures=[closed("breakdown", "09:00", "11:00", 2)],
        no_shows=[missed("09:00", "10:00", unit=2)],
    )
    assert found.is_plain
    assert found.minutes.standby == 600


def test_a_session_is_cut_at_midnight_and_counts_on_its_first_day():
    over = session("22:00", "+01:30")
    assert minutes(sessions=[over]).productive == 120
    next_day = hour_rules.day_states(
        starts_at=MIDNIGHT + timedelta(days=1),
        ends_at=MIDNIGHT + timedelta(days=2),
        units=1,
        windows=[],
        sessions=[over],
    )
    assert next_day.minutes.productive == 90
    assert next_day.uses == {hour_rules.Payer(HOST, HERE, "internal"): hour_rules.Use(90, 0)}
    assert states(sessions=[over]).uses == {hour_rules.Payer(HOST, HERE, "internal"): hour_rules.Use(120, 1)}


def test_an_open_session_goes_on():
    assert minutes(sessions=[session("20:00", None)]).productive == 240


def test_seconds_are_cut_off_at_both_ends():
    assert minutes(sessions=[session("09:00:59", "10:00:59")]).productive == 60
    assert minutes(sessions=[session("09:00:01", "09:59:59")]).productive == 59


def test_a_session_of_seconds_counts_without_minutes():
    found = states(sessions=[session("09:00:10", "09:00:50")])
    assert found.minutes.productive == 0
    assert found.uses == {hour_rules.Payer(HOST, HERE, "internal"): hour_rules.Use(0, 1)}
    assert not found.is_plain


def test_overlapping_sessions_the_earlier_check_in_keeps_the_minutes():
    found = states(
        sessions=[
            session("10:00", "12:00", number=1, payer=OTHER, region=THERE, group="external"),
            session("09:00", "11:00", number=2),
            session("09:30", "10:30", number=3, payer=OTHER, region=HERE, group="regional"),
        ]
    )
    assert found.minutes.productive == 180
    assert found.uses == {
        hour_rules.Payer(HOST, HERE, "internal"): hour_rules.Use(120, 1),
        hour_rules.Payer(OTHER, HERE, "regional"): hour_rules.Use(0, 1),
        hour_rules.Payer(OTHER, THERE, "external"): hour_rules.Use(60, 1),
    }


def test_overlapping_sessions_of_one_check_in_the_lower_id_keeps_them():
    found = states(
        sessions=[
            session("09:00", "12:00", number=2, payer=OTHER, region=THERE, group="external"),
            session("09:00", "10:00", number=1),
        ]
    )
    assert found.uses[hour_rules.Payer(HOST, HERE, "internal")] == hour_rules.Use(60, 1)
    assert found.uses[hour_rules.Payer(OTHER, THERE, "external")] == hour_rules.Use(120, 1)


def test_check_in_is_compared_with_its_seconds():
    found = states(
        sessions=[
            session("09:00:40", "10:00", number=1),
            session("09:00:20", "10:00", number=2, payer=OTHER, region=THERE, group="external"),
        ]
    )
    assert found.uses[hour_rules.Payer(OTHER, THERE, "external")] == hour_rules.Use(60, 1)


def test_uses_of_one_payer_are_added_up_over_units():
    found = states(units=2, sessions=[session("09:00", "10:00"), session("09:00", "11:00", number=2, unit=2)])
    assert found.uses == {hour_rules.Payer(HOST, HERE, "internal"): hour_rules.Use(180, 2)}


@pytest.mark.parametrize(
    ("zone", "day", "total"),
    [
        ("America/Chicago", date(2025, 3, 9), 1380),
        ("America/Chicago", date(2025, 11, 2), 1500),
        ("Australia/Lord_Howe", date(2025, 10, 5), 1410),
        ("Australia/Lord_Howe", date(2025, 4, 6), 1470),
        ("Africa/Casablanca", date(2025, 2, 23), 1500),
        ("Asia/Kathmandu", date(2025, 10, 5), 1440),
    ],
)
def test_clock_change_days(zone, day, total):
    starts_at, ends_at = day_span(ZoneInfo(zone), day)
    found = hour_rules.day_states(
        starts_at=starts_at,
        ends_at=ends_at,
        units=2,
        windows=[Period(starts_at - timedelta(hours=5), starts_at + timedelta(hours=6))],
        sessions=[
            hour_rules.Session(UUID(int=1), 1, starts_at - timedelta(days=1), None, HOST, HERE, "internal")
        ],
    )
    assert found.minutes == hour_rules.StateMinutes(productive=total, standby=360, non_scheduled=total - 360)


def test_a_date_the_zone_left_out_has_no_minutes():
    starts_at, ends_at = day_span(ZoneInfo("Pacific/Apia"), date(2011, 12, 30))
    assert starts_at == ends_at
    found = hour_rules.day_states(starts_at=starts_at, ends_at=ends_at, units=1, windows=[])
    assert found.minutes.total == 0


# The identity

ZONES = [
    "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "Europe/London",
    "Asia/Kathmandu", "Asia/Shanghai", "Pacific/Apia", "America/St_Johns", "UTC",
]  # fmt: skip
CLOCK_CHANGES = [
    date(2025, 3, 9), date(2025, 11, 2), date(2025, 10, 5), date(2025, 4, 6), date(2025, 2, 23),
    date(2025, 4, 6), date(2025, 3, 30), date(2025, 10, 26), date(2011, 12, 30),
]  # fmt: skip
KINDS = ["breakdown", "maintenance", "calibration", "other", "own-use", "training"]


@st.composite
def days(draw):
    """A local day and everything that may have happened around it, to the second."""
    day = draw(
        st.sampled_from(CLOCK_CHANGES) | st.dates(min_value=date(2010, 1, 1), max_value=date(2030, 1, 1))
    )
    starts_at, ends_at = day_span(ZoneInfo(draw(st.sampled_from(ZONES))), day)
    units = draw(st.integers(1, 3))
    seconds = st.integers(-100_000, 200_000) | st.integers(0, 1440).map(lambda n: n * 60)
    unit = st.integers(1, 4)

    def span(may_last=False):
        start, length = draw(seconds), draw(st.integers(1, 100_000) | st.sampled_from([60, 3600]))
        first = starts_at + timedelta(seconds=start)
        return first, None if may_last and draw(st.booleans()) else first + timedelta(seconds=length)

    def several(make, most):
        return [make() for _ in range(draw(st.integers(0, most)))]

    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "units": units,
        "windows": union([Period(*span()) for _ in range(draw(st.integers(0, 3)))]),
        "sessions": several(
            lambda: hour_rules.Session(
                UUID(int=draw(st.integers(1, 10**6))),
                draw(unit),
                *span(may_last=True),
                draw(st.sampled_from([HOST, OTHER])),
                draw(st.sampled_from([HERE, THERE])),
                draw(st.sampled_from(["internal", "external"])),
            ),
            6,
        ),
        "closures": several(
            lambda: hour_rules.Closed(
                draw(st.sampled_from(KINDS)), *span(may_last=True), draw(st.frozensets(unit, max_size=2))
            ),
            4,
        ),
        "no_shows": several(lambda: hour_rules.Missed(draw(unit), *span()), 3),
    }


@given(days())
def test_the_six_states_add_up_to_the_day(day):
    found = hour_rules.day_states(**day)
    length = int((day["ends_at"] - day["starts_at"]).total_seconds()) // 60
    assert found.minutes.total == length * day["units"]
    assert all(number >= 0 for number in vars(found.minutes).values())
    assert found.minutes.no_show <= found.minutes.standby
    assert sum(use.minutes for use in found.uses.values()) == found.minutes.productive


@given(days())
def test_every_minute_has_the_first_state_that_claims_it(day):
    """Against the plainest way to say it: minute by minute."""
    minute = timedelta(minutes=1)
    length = int((day["ends_at"] - day["starts_at"]).total_seconds()) // 60
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    cut = lambda moment: epoch + (moment - epoch) // minute * minute  # noqa: E731
    covers = lambda start, end, at: cut(start) <= at and (end is None or at < cut(end))  # noqa: E731
    groups = [
        ("unscheduled_down", {"breakdown"}),
        ("scheduled_down", {"maintenance", "calibration", "other"}),
        ("engineering", {"own-use", "training"}),
    ]
    expected = dict.fromkeys(vars(hour_rules.StateMinutes()), 0)
    for unit in range(1, day["units"] + 1):
        for number in range(length):
            at = cut(day["starts_at"]) + number * minute
            kinds = {
                c.kind
                for c in day["closures"]
                if (not c.units or unit in c.units) and covers(c.start, c.end, at)
            }
            claims = [name for name, these in groups if kinds & these]
            if any(s.unit == unit and covers(s.checked_in_at, s.checked_out_at, at) for s in day["sessions"]):
                state = "productive"
            elif claims:
                state = claims[0]
            elif any(covers(w.start, w.end, at) for w in day["windows"]):
                state = "standby"
                expected["no_show"] += any(
                    m.unit == unit and covers(m.start, m.end, at) for m in day["no_shows"]
                )
            else:
                state = "non_scheduled"
            expected[state] += 1
    assert vars(hour_rules.day_states(**day).minutes) == expected


@given(days())
def test_a_day_cut_in_two_gives_the_same(day):
    middle = day["starts_at"] + timedelta(minutes=500)
    if middle >= day["ends_at"]:
        return
    whole = hour_rules.day_states(**day)
    first = hour_rules.day_states(**(day | {"ends_at": middle}))
    second = hour_rules.day_states(**(day | {"starts_at": middle}))
    for state, number in vars(whole.minutes).items():
        assert number == getattr(first.minutes, state) + getattr(second.minutes, state)
    for payer, use in whole.uses.items():
        parts = [half.uses.get(payer, hour_rules.Use(0, 0)) for half in (first, second)]
        assert use == hour_rules.Use(sum(p.minutes for p in parts), sum(p.sessions for p in parts))


# Ratios


def test_ratios_of_a_day():
    found = hour_rules.ratios(
        hour_rules.StateMinutes(
            productive=300,
            unscheduled_down=60,
            scheduled_down=120,
            engineering=60,
            standby=180,
            non_scheduled=720,
        ),
        other_organisations=100,
        other_regions=40,
        norm_minutes=240,
        breakdowns=2,
    )
    assert found == {
        "availability": "0.7500",
        "operational_utilisation": "0.4167",
        "total_utilisation": "0.2083",
        "norm_utilisation": "1.2500",
        "external_share": "0.3333",
        "cross_region_share": "0.1333",
        "mtbf_hours": "2.50",
        "mttr_hours": "0.50",
    }


def test_ratios_are_none_where_the_denominator_is_zero():
    """But the external share is 0 where nothing was productive (NRII)."""
    assert hour_rules.ratios(hour_rules.StateMinutes()) == {
        "availability": None,
        "operational_utilisation": None,
        "total_utilisation": None,
        "norm_utilisation": None,
        "external_share": "0.0000",
        "cross_region_share": None,
        "mtbf_hours": None,
        "mttr_hours": None,
    }


def test_ratios_round_half_up():
    assert (
        hour_rules.ratios(hour_rules.StateMinutes(productive=1, standby=7999))["operational_utilisation"]
        == "0.0001"
    )
    assert (
        hour_rules.ratios(hour_rules.StateMinutes(productive=1, standby=19999))["operational_utilisation"]
        == "0.0001"
    )
    assert (
        hour_rules.ratios(hour_rules.StateMinutes(productive=1, standby=20000))["operational_utilisation"]
        == "0.0000"
    )


# Which days


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, (10, 20)),
        (None, 15, (10, 15)),
        (5, 8, (5, 8)),
        (5, None, (5, 20)),
        (5, 15, (5, 15)),
        (12, 15, (10, 15)),  # no gap may stay behind
        (12, 40, (10, 20)),  # what has not finished is not done
        (None, 8, (10, 8)),  # nothing
        (30, 40, (10, 20)),
    ],
)
def test_days_due(since, until, expected):
    def june(day):
        return date(2025, 6, 1) + timedelta(days=day) if day is not None else None

    found = hour_rules.days_due(
        rolled_until=june(10), finished_until=june(20), since=june(since), until=june(until)
    )
    assert found == (june(expected[0]), june(expected[1]))
