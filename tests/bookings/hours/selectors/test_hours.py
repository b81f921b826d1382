"""Hours as they are read: every day counts once, whether it has a row or not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.hours.domain.hours import StateMinutes
from bookings.hours.selectors.hours import BY, day_rows, hours, instrument_day
from bookings.hours.services.hours import hours_roll_up
from instruments.opening.models import ScheduleAssignment
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.models import Technique
from tests.factories.hours import OFFICE, HoursWorld, local

NOW = datetime(2025, 7, 4, 12, 0, tzinfo=UTC)
FIRST, LAST = date(2025, 5, 1), date(2025, 7, 1)  # 31 days of May and 30 of June

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return HoursWorld(NOW)


def roll_up(now=NOW):
    hours_roll_up(since=None, until=None, now=now)


def read(*by, since=FIRST, until=LAST, instruments=None):
    chosen = Instrument.objects.all() if instruments is None else instruments
    return hours(instruments=chosen, since=since, until=until, by=by)


def instant(text, zone="UTC"):
    return local(zone, f"2025-{text}")


def by_key(rows, name):
    return {row.keys[name]: row for row in rows}


def test_nothing_at_all(world):
    assert read() == []
    assert read("month", instruments=Instrument.objects.none()) == []


def test_days_without_a_row_are_what_the_calendar_says(world):
    world.instrument(hours=OFFICE, units=2, since=FIRST)
    roll_up()
    (row,) = read()
    weekdays = 22 + 21
    assert row.minutes == StateMinutes(standby=weekdays * 1200, non_scheduled=61 * 2880 - weekdays * 1200)
    assert (row.keys, row.names, row.sessions) == ({}, {}, 0)


def test_what_happened_comes_off_standby_or_non_scheduled(world):
    instrument = world.instrument(hours=OFFICE, since=FIRST)
    world.session(instrument, instant("05-07 17:00"), instant("05-07 19:00"))
    world.session(instrument, instant("05-08 09:00"), instant("05-08 10:00"), payer=world.neighbour)
    world.session(instrument, instant("05-08 10:00"), instant("05-08 11:30"), payer=world.stranger)
    world.closure(instrument, "breakdown", instant("05-09 00:00"), instant("05-10 00:00"))
    world.no_show(instrument, instant("05-12 09:00"), instant("05-12 10:00"))
    roll_up()
    (row,) = read(until=date(2025, 6, 1))
    assert row.minutes == StateMinutes(
        productive=120 + 60 + 90,
        unscheduled_down=1440,
        standby=22 * 600 - 60 - 150 - 600,
        non_scheduled=31 * 1440 - 22 * 600 - 60 - 840,
        no_show=60,
    )
    assert row.sessions == 3
    assert row.other_organisations == 150
    assert row.other_regions == 90
    assert row.ratios["external_share"] == "0.5556"
    assert row.ratios["cross_region_share"] == "0.3333"
    assert row.figures["operations_minutes"] == 270 + 1440 + 22 * 600 - 810
    assert row.figures["total_minutes"] == 31 * 1440


def test_by_month_and_by_day(world):
    instrument = world.instrument(since=FIRST)
    world.session(instrument, instant("05-31 22:00"), instant("06-01 01:00"))
    roll_up()
    months = by_key(read("month"), "month")
    assert list(months) == ["2025-05", "2025-06"]
    assert [(m.minutes.productive, m.sessions) for m in months.values()] == [(120, 1), (60, 0)]
    assert [m.minutes.total for m in months.values()] == [31 * 1440, 30 * 1440]
    days = by_key(read("day"), "day")
    assert len(days) == 61
    assert [days[d].minutes.productive for d in ("2025-05-31", "2025-06-01")] == [120, 60]
    both = read("month", "day")[0]
    assert both.keys == {"month": "2025-05", "day": "2025-05-01"}


def test_a_day_has_the_minutes_of_its_zone():
    world = HoursWorld(datetime(2025, 11, 10, tzinfo=UTC))
    for zone in ("America/Chicago", "UTC"):
        world.instrument(zone, name=zone, since=date(2025, 11, 1))
    roll_up(world.now)
    rows = read("instrument", "day", since=date(2025, 11, 2), until=date(2025, 11, 3))
    assert [(row.names["instrument"][0], row.minutes.standby) for row in rows] == [
        ("America/Chicago", 1500),
        ("UTC", 1440),
    ]


def test_by_place_and_technique(world):
    elsewhere = Facility.objects.create(
        organisation=world.stranger, name="Elsewhere", name_zh="别处", time_zone="UTC"
    )
    techniques = [
        Technique.objects.create(code=f"T{n}", name=f"technique {n}", name_zh=f"技术{n}") for n in (1, 2)
    ]
    here = world.instrument(name="A", since=FIRST)
    here.techniques.set(techniques)
    there = world.instrument(name="B", since=FIRST)
    Instrument.objects.filter(pk=there.pk).update(
        facility=elsewhere, organisation=world.stranger, region=world.there
    )
    world.session(here, instant("05-07 10:00"), instant("05-07 11:00"))
    world.session(there, instant("05-07 10:00"), instant("05-07 12:00"))
    roll_up()

    def productive(*by):
        return [(*row.keys.values(), row.minutes.productive) for row in read(*by)]

    assert productive("region") == [(world.here.code, 60), (world.there.code, 120)]
    assert productive("organisation") == [(world.host.code, 60), (world.stranger.code, 120)]
    assert productive("facility") == [(str(elsewhere.pk), 120), (str(world.facility.pk), 60)]
    assert productive("instrument") == [(str(here.pk), 60), (str(there.pk), 120)]
    assert productive("technique") == [("T1", 60), ("T2", 60), ("", 120)]
    assert productive("organisation", "month") == [
        (world.host.code, "2025-05", 60),
        (world.host.code, "2025-06", 0),
        (world.stranger.code, "2025-05", 120),
        (world.stranger.code, "2025-06", 0),
    ]
    assert by_key(read("technique"), "technique")["T1"].names["technique"] == ("technique 1", "技术1")
    # A host's own use of an instrument is not that of another organisation, wherever it is.
    shares = by_key(read("organisation"), "organisation")
    assert shares[world.host.code].other_organisations == 0
    assert shares[world.stranger.code].other_regions == 120


def test_only_the_instruments_given(world):
    mine, _ = (world.instrument(name=name, since=FIRST) for name in ("mine", "another"))
    roll_up()
    rows = read("instrument", instruments=Instrument.objects.filter(name__contains="mi%"))
    assert rows == []
    rows = read("instrument", instruments=Instrument.objects.filter(name="mine").order_by("name"))
    assert [row.keys["instrument"] for row in rows] == [str(mine.pk)]


def test_never_today_and_nothing_before_it_is_rolled_up(world):
    world.instrument(since=FIRST)
    assert read() == []
    hours_roll_up(since=None, until=date(2025, 5, 11), now=NOW)
    assert read()[0].minutes.total == 10 * 1440
    roll_up()
    (row,) = read(until=date(2026, 1, 1))
    assert row.minutes.total == (61 + 3) * 1440  # to the third of July


def test_only_days_on_which_it_was_offered(world):
    instrument = world.instrument(since=date(2025, 5, 30), until=date(2025, 6, 3))
    ScheduleAssignment.objects.create(instrument=instrument, schedule=None, from_date=date(2025, 6, 3))
    world.closure(instrument, "maintenance", instant("05-01 00:00"), None)
    roll_up()
    (row,) = read()
    assert row.minutes == StateMinutes(scheduled_down=4 * 1440)


def test_hours_that_change_count_from_their_day(world):
    instrument = world.instrument(since=FIRST, until=date(2025, 6, 1))
    ScheduleAssignment.objects.create(
        instrument=instrument,
        schedule=world.schedule("UTC", OFFICE, since=FIRST),
        units=3,
        from_date=date(2025, 6, 1),
    )
    roll_up()
    assert [row.minutes.standby for row in read("month")] == [31 * 1440, 21 * 1800]


def test_unknown_grouping_is_refused(world):
    with pytest.raises(Invalid) as refused:
        read("month", "colour")
    assert refused.value.problems[0].field == "by"


@pytest.mark.parametrize("copies", [1, 3])
def test_two_statements_whatever_the_numbers(world, django_assert_num_queries, copies):
    for number in range(copies):
        instrument = world.instrument(since=FIRST, name=f"Instrument {number}")
        for day in range(1, 1 + 3 * copies):
            world.session(instrument, instant(f"05-{day:02} 10:00"), instant(f"05-{day:02} 11:00"))
    roll_up()
    with django_assert_num_queries(2):
        assert len(read(*(by for by in BY if by != "week"))) == 61 * copies


@settings(max_examples=15)
@given(st.data())
def test_the_sum_of_the_parts_is_the_whole(data):
    """Grouped in any way (but by technique) and cut into any ranges, minutes add up to those
    of the rules, day by day."""
    with transaction.atomic():
        world = HoursWorld(datetime(2025, 5, 20, tzinfo=UTC))
        instruments = []
        for zone in ("America/Chicago", "UTC"):
            instrument = world.instrument(zone, hours=OFFICE, since=FIRST, units=data.draw(st.integers(1, 2)))
            instruments.append(instrument)
            for _ in range(data.draw(st.integers(0, 5))):
                start = instant("05-01 00:00") + timedelta(minutes=data.draw(st.integers(0, 14 * 1440)))
                world.session(
                    instrument,
                    start,
                    start + timedelta(minutes=data.draw(st.integers(1, 2000))),
                    payer=data.draw(st.sampled_from([world.host, world.neighbour, world.stranger])),
                )
            world.closure(instrument, "breakdown", instant("05-09 12:00"), instant("05-11 12:00"))
        roll_up(world.now)
        since, until = date(2025, 5, 2), date(2025, 5, 16)
        expected = dict.fromkeys(vars(StateMinutes()), 0)
        for instrument in instruments:
            for offset in range((until - since).days):
                found = instrument_day(instrument_id=instrument.pk, day=since + timedelta(days=offset))
                for state, number in vars(found.minutes).items():
                    expected[state] += number
        by = data.draw(
            st.lists(st.sampled_from([b for b in BY if b not in ("technique", "week")]), unique=True)
        )
        cut = since + timedelta(days=data.draw(st.integers(0, 14)))
        rows = [*read(*by, since=since, until=cut), *read(*by, since=cut, until=until)]
        for state, number in expected.items():
            assert sum(getattr(row.minutes, state) for row in rows) == number
        transaction.set_rollback(True)


# The rows behind a day


def test_the_rows_behind_a_day(world):
    zone = "America/Chicago"
    instrument = world.instrument(zone, hours=OFFICE, units=2, since=FIRST)
    other = world.instrument(zone, since=FIRST)
    over = world.session(instrument, instant("05-06 22:00", zone), instant("05-07 01:00", zone))
    inside = world.session(instrument, instant("05-07 09:00", zone), instant("05-07 10:00", zone))
    world.session(instrument, instant("05-08 00:00", zone), instant("05-08 01:00", zone))
    world.session(instrument, instant("05-06 09:00", zone), instant("05-06 10:00", zone))
    world.session(other, instant("05-07 09:00", zone), instant("05-07 10:00", zone))
    still = world.session(instrument, instant("05-07 20:00", zone), None, unit=2)
    closure = world.closure(instrument, "training", instant("05-07 07:00", zone), None, units=[1])
    world.closure(instrument, "training", instant("05-08 00:00", zone), None)
    missed = world.no_show(instrument, instant("05-07 09:00", zone), instant("05-07 10:00", zone), unit=2)
    rows = day_rows(instrument_id=instrument.pk, day=date(2025, 5, 7))
    assert rows.day.starts_at == instant("05-07 00:00", zone)
    assert rows.units == 2
    assert rows.sessions == [over, inside, still]
    assert rows.closures == [closure]
    assert rows.no_shows == [missed]

    found = instrument_day(instrument_id=instrument.pk, day=date(2025, 5, 7))
    assert found.minutes == StateMinutes(
        productive=60 + 60 + 240,
        engineering=1440 - 420 - 60,
        standby=600,
        non_scheduled=2880 - 360 - 960 - 600,
        no_show=60,
    )


def test_a_day_it_was_not_offered_on_has_no_rows(world):
    instrument = world.instrument(since=FIRST, until=date(2025, 5, 3))
    assert day_rows(instrument_id=instrument.pk, day=date(2025, 5, 2)) is not None
    assert day_rows(instrument_id=instrument.pk, day=date(2025, 5, 3)) is None
    assert day_rows(instrument_id=instrument.pk, day=date(2025, 4, 30)) is None
    assert instrument_day(instrument_id=instrument.pk, day=date(2025, 5, 3)) is None


@pytest.mark.parametrize("copies", [1, 3])
def test_a_day_costs_the_same_however_busy(world, django_assert_num_queries, copies):
    instrument = world.instrument(since=FIRST)
    for number in range(copies):
        start = instant(f"05-07 {10 + number}:00")
        world.session(instrument, start, start + timedelta(minutes=30))
        world.no_show(instrument, start, start + timedelta(minutes=30))
    with django_assert_num_queries(5):
        rows = day_rows(instrument_id=instrument.pk, day=date(2025, 5, 7))
        for session in rows.sessions:
            assert session.reservation.organisation.name
            assert session.reservation.payer_region.name
            assert session.reservation.user.email
    with django_assert_num_queries(6):
        instrument_day(instrument_id=instrument.pk, day=date(2025, 5, 7))
