"""The nightly roll-up: the same as the rules say, whenever, however often and in whatever order."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.hours.selectors.hours import instrument_day
from bookings.hours.services.hours import RollUpResult, days_mark_dirty, hours_roll_up
from bookings.models import Closure, DirtyDay, InstrumentDay, InstrumentDayUse, RollUp
from instruments.opening.models import ScheduleAssignment
from instruments.reading.domain.clock import day_span
from tests.conftest import DEEP
from tests.factories.hours import ALWAYS, OFFICE, HoursWorld, forget, local, stored

NOW = datetime(2025, 6, 10, 12, 0, tzinfo=UTC)
FIRST = date(2025, 6, 1)
DAY = timedelta(days=1)
NOTHING = RollUpResult(0, 0, 0)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return HoursWorld(NOW)


def roll_up(*, since=None, until=None, now=NOW, **values):
    return hours_roll_up(since=since, until=until, now=now, **values)


def june(day, clock="00:00", zone="UTC"):
    return local(zone, f"2025-06-{day:02d} {clock}")


def day_of(instrument, day):
    return InstrumentDay.objects.get(instrument=instrument, date=date(2025, 6, day))


def test_a_day_with_everything(world):
    instrument = world.instrument(hours=OFFICE, units=2, since=FIRST)
    world.session(instrument, june(4, "09:00"), june(4, "11:00"))
    world.session(
        instrument, june(4, "17:00"), june(4, "19:00"), unit=2, payer=world.stranger, price_group="external"
    )
    world.closure(instrument, "breakdown", june(4, "10:00"), june(4, "12:00"), units=[1])
    world.closure(instrument, "calibration", june(4, "11:30"), june(4, "12:30"))
    world.closure(instrument, "own-use", june(4, "06:00"), june(4, "07:00"), units=[2])
    world.no_show(instrument, june(4, "10:30"), june(4, "13:30"), unit=1)

    assert roll_up() == RollUpResult(instruments=1, days=1, changed=3)

    found = day_of(instrument, 4)
    assert found.total_minutes == 2880
    assert found.open_minutes == 1200
    assert found.productive_minutes == 240
    assert found.unscheduled_down_minutes == 60
    assert found.scheduled_down_minutes == 30 + 60
    assert found.engineering_minutes == 60
    assert found.standby_minutes == 1200 - 120 - 60 - 60 - 90
    assert found.no_show_minutes == 60
    assert found.non_scheduled_minutes == 2880 - 1200 - 60 - 60
    assert list(
        InstrumentDayUse.objects.order_by("price_group").values_list(
            "organisation", "payer_region", "price_group", "minutes", "sessions"
        )
    ) == [
        (world.stranger.pk, world.there.pk, "external", 120, 1),
        (world.host.pk, world.here.pk, "internal", 120, 1),
    ]


def test_days_that_say_nothing_leave_no_row(world):
    instrument = world.instrument(hours=OFFICE, since=FIRST)
    world.reservation(instrument, june(4, "09:00"), june(4, "11:00"), state="completed")
    world.reservation(instrument, june(4, "11:00"), june(4, "12:00"), state="cancelled")
    world.no_show(instrument, june(4, "20:00"), june(4, "21:00"))
    assert roll_up() == RollUpResult(instruments=1, days=0, changed=0)
    assert not InstrumentDay.objects.exists()
    assert RollUp.objects.get().until_date == date(2025, 6, 10)


@pytest.mark.parametrize(
    ("zone", "day", "minutes"),
    [
        ("America/Chicago", date(2025, 3, 9), 1380),
        ("America/Chicago", date(2025, 11, 2), 1500),
        ("Australia/Lord_Howe", date(2025, 10, 5), 1410),
    ],
)
def test_clock_change_days(zone, day, minutes):
    starts_at, ends_at = day_span(ZoneInfo(zone), day)
    world = HoursWorld(ends_at + DAY)
    instrument = world.instrument(zone, since=day - DAY, units=2)
    world.session(instrument, starts_at - timedelta(hours=1), ends_at + timedelta(hours=1))
    roll_up(now=world.now)
    found = InstrumentDay.objects.get(instrument=instrument, date=day)
    assert found.total_minutes == 2 * minutes
    assert found.productive_minutes == found.standby_minutes == minutes
    assert found.non_scheduled_minutes == 0


def test_a_session_is_cut_at_local_midnight(world):
    instrument = world.instrument("Asia/Kathmandu", since=FIRST)
    world.session(instrument, june(4, "22:00", "Asia/Kathmandu"), june(5, "03:00", "Asia/Kathmandu"))
    roll_up()
    assert list(InstrumentDayUse.objects.order_by("date").values_list("date", "minutes", "sessions")) == [
        (date(2025, 6, 4), 120, 1),
        (date(2025, 6, 5), 180, 0),
    ]


def test_an_open_session_counts_to_the_end_of_each_finished_day(world):
    instrument = world.instrument(since=FIRST)
    world.session(instrument, june(8, "18:00"), None)
    roll_up()
    assert list(InstrumentDay.objects.order_by("date").values_list("date", "productive_minutes")) == [
        (date(2025, 6, 8), 360),
        (date(2025, 6, 9), 1440),
    ]


@pytest.mark.parametrize(
    ("zone", "finished"),
    [("Pacific/Kiritimati", 10), ("UTC", 9), ("America/Los_Angeles", 9), ("Etc/GMT+12", 8)],
)
def test_today_is_never_rolled_up(zone, finished):
    """At 11:00 UTC on the 10th it is the 11th in Kiritimati and the 9th at the date line."""
    now = june(10, "11:00")
    world = HoursWorld(now)
    instrument = world.instrument(zone, since=FIRST)
    world.session(instrument, june(1), None)
    roll_up(now=now)
    days = InstrumentDay.objects.order_by("-date").values_list("date", flat=True)
    assert days[0] == date(2025, 6, finished)
    roll_up(since=FIRST, until=date(2025, 7, 1), now=now)
    assert days[0] == date(2025, 6, finished)


def test_a_day_is_finished_with_its_last_minute(world):
    instrument = world.instrument("America/Chicago", since=FIRST)
    world.session(instrument, june(4, "12:00"), june(4, "13:00"))
    midnight = local("America/Chicago", "2025-06-05 00:00")
    assert roll_up(now=midnight - timedelta(seconds=1)).days == 0
    assert roll_up(now=midnight).days == 1


# Which instruments and days


def test_only_days_on_which_it_was_offered(world):
    instrument = world.instrument(since=date(2025, 6, 3), until=date(2025, 6, 5))
    ScheduleAssignment.objects.create(
        instrument=instrument, schedule=None, from_date=date(2025, 6, 5), until_date=None
    )
    world.closure(instrument, "maintenance", june(1), None)
    roll_up()
    assert list(InstrumentDay.objects.order_by("date").values_list("date", flat=True)) == [
        date(2025, 6, 3),
        date(2025, 6, 4),
    ]


def test_hours_and_units_in_force_on_the_day(world):
    instrument = world.instrument(since=FIRST, until=date(2025, 6, 5))
    ScheduleAssignment.objects.create(
        instrument=instrument,
        schedule=world.schedule("UTC", OFFICE, since=FIRST),
        units=3,
        from_date=date(2025, 6, 5),
    )
    world.session(instrument, june(4, "23:00"), june(5, "01:00"))
    world.session(instrument, june(4, "10:00"), june(4, "11:00"), unit=3)
    world.session(instrument, june(5, "10:00"), june(5, "11:00"), unit=3)
    roll_up()
    before, after = day_of(instrument, 4), day_of(instrument, 5)
    assert (before.total_minutes, before.open_minutes) == (1440, 1440)
    assert (before.productive_minutes, before.standby_minutes) == (60, 1380)
    assert (after.total_minutes, after.open_minutes) == (3 * 1440, 3 * 600)
    assert (after.productive_minutes, after.standby_minutes) == (120, 1740)


def test_windows_over_midnight_count_on_both_days(world):
    night = {"weekly": [{"weekday": 3, "opens": "20:00", "closes": "04:00"}]}  # 2025-06-04
    instrument = world.instrument(hours=night, since=FIRST)
    world.session(instrument, june(4, "23:00"), june(5, "05:00"))
    roll_up()
    assert day_of(instrument, 4).standby_minutes == 240 - 60
    assert day_of(instrument, 5).standby_minutes == 0
    assert day_of(instrument, 5).non_scheduled_minutes == 1440 - 300


def test_instruments_without_assignment_are_left_alone(world):
    instrument = world.instrument(since=FIRST)
    ScheduleAssignment.objects.all().delete()
    world.session(instrument, june(4, "10:00"), june(4, "11:00"))
    assert roll_up() == NOTHING


# Twice, late, in any order


def populate(world, seed=1):
    """Instruments in several zones with hours that change, and a busy first week of June."""
    rng = random.Random(seed)
    for zone, units in (("UTC", 1), ("America/Chicago", 2), ("Asia/Kathmandu", 3)):
        instrument = world.instrument(zone, hours=rng.choice([ALWAYS, OFFICE]), units=units, since=FIRST)

        def span(most):
            start = june(1) + timedelta(seconds=rng.randrange(8 * 86400))
            return start, start + timedelta(seconds=rng.randrange(1, most))

        for _ in range(12):
            world.session(
                instrument,
                *span(60_000),
                unit=rng.randint(1, units),
                payer=rng.choice([world.host, world.neighbour, world.stranger]),
            )
        for kind in rng.sample(Closure.Kind.values, 3):
            world.closure(instrument, kind, *span(150_000))
        for _ in range(3):
            world.no_show(instrument, *span(20_000), unit=rng.randint(1, units))
        world.session(instrument, june(9, "20:00"), None)


def test_running_it_again_changes_nothing(world):
    populate(world)
    first = roll_up()
    assert first.changed > 20
    before = stored()
    assert roll_up() == NOTHING
    again = roll_up(since=FIRST)
    assert (again.days, again.changed) == (first.days, 0)
    assert stored() == before


def test_a_roll_up_leaves_the_rest_of_its_transaction_as_it_was_planned(world):
    instrument = world.instrument(hours=OFFICE, since=FIRST)
    world.session(instrument, june(4, "09:00"), june(4, "11:00"))
    names = ["jit", "work_mem", "enable_mergejoin", "plan_cache_mode"]

    def planning():
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names])
            return dict(cursor.fetchall())

    before = planning()
    with transaction.atomic():
        assert roll_up().days
        assert planning() == before


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_batches_do_not_matter(world, batch_size):
    populate(world)
    first = roll_up()
    expected = stored()
    forget()
    assert roll_up(batch_size=batch_size) == first
    assert stored() == expected


@pytest.mark.parametrize("seed", range(5))
def test_any_parts_in_any_order_give_the_same(world, seed):
    populate(world, seed)
    roll_up()
    expected = stored()
    forget()
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(1, 10), 4))
    parts = [
        (FIRST + timedelta(days=a), FIRST + timedelta(days=b))
        for a, b in zip([0, *cuts], [*cuts, 9], strict=True)
    ]
    rng.shuffle(parts)
    for since, until in parts:
        roll_up(since=since, until=until)
    roll_up()
    assert stored() == expected
    assert roll_up() == NOTHING


def test_night_by_night_gives_the_same(world):
    populate(world)
    roll_up()
    expected = stored()
    forget()
    for hour in range(0, 9 * 24 + 13, 7):
        roll_up(now=june(1) + timedelta(hours=hour))
    roll_up()
    assert stored() == expected


def test_nights_that_were_missed_are_made_up_for(world):
    instrument = world.instrument(since=FIRST)
    for day in range(1, 10):
        world.session(instrument, june(day, "09:00"), june(day, "10:00"))
    roll_up(now=june(3, "02:00"))
    assert InstrumentDay.objects.count() == 2
    assert roll_up(now=june(10, "02:00")).changed == 2 * 7
    assert InstrumentDay.objects.count() == 9


def test_named_days_leave_no_gap_before_them(world):
    instrument = world.instrument(since=FIRST)
    for day in range(1, 10):
        world.session(instrument, june(day, "09:00"), june(day, "10:00"))
    roll_up(since=date(2025, 6, 4), until=date(2025, 6, 6))
    assert InstrumentDay.objects.count() == 5
    assert RollUp.objects.get().until_date == date(2025, 6, 6)


# Corrections


def test_a_late_correction_redoes_only_its_days(world):
    instrument = world.instrument(since=FIRST)
    other = world.instrument(since=FIRST)
    sessions = [world.session(instrument, june(d, "09:00"), june(d, "10:00")) for d in (4, 5, 6)]
    world.session(other, june(4, "09:00"), june(4, "10:00"))
    roll_up()
    InstrumentDay.objects.update(no_show_minutes=7)  # to tell what is written
    for session in sessions:
        session.checked_out_at += timedelta(hours=1)
        session.save(update_fields=["checked_out_at"])

    assert roll_up() == NOTHING
    days_mark_dirty(instrument_id=instrument.pk, start=june(5, "09:00"), end=june(5, "11:00"))
    assert roll_up() == RollUpResult(instruments=1, days=1, changed=2)

    assert day_of(instrument, 5).productive_minutes == 120
    assert day_of(instrument, 5).no_show_minutes == 0
    assert [day_of(instrument, day).productive_minutes for day in (4, 6)] == [60, 60]
    assert InstrumentDay.objects.filter(no_show_minutes=7).count() == 3
    assert not DirtyDay.objects.exists()
    assert roll_up() == NOTHING


def test_a_day_that_says_nothing_any_more_loses_its_rows(world):
    instrument = world.instrument(since=FIRST)
    session = world.session(instrument, june(4, "22:00"), june(5, "02:00"))
    closure = world.closure(instrument, "breakdown", june(7), june(8))
    roll_up()
    assert InstrumentDay.objects.count() == 3
    session.delete()
    closure.delete()
    days_mark_dirty(instrument_id=instrument.pk, start=june(4, "22:00"), end=june(5, "02:00"))
    days_mark_dirty(instrument_id=instrument.pk, start=june(7), end=june(8))
    assert roll_up() == RollUpResult(instruments=1, days=0, changed=3 + 2)
    assert stored()[:2] == ([], [])


def test_another_payer_replaces_the_first(world):
    instrument = world.instrument(since=FIRST)
    session = world.session(instrument, june(4, "09:00"), june(4, "10:00"))
    roll_up()
    reservation = session.reservation
    reservation.organisation, reservation.payer_region = world.stranger, world.there
    reservation.save(update_fields=["organisation", "payer_region"])
    days_mark_dirty(instrument_id=instrument.pk, start=june(4, "09:00"), end=june(4, "10:00"))
    assert roll_up() == RollUpResult(instruments=1, days=1, changed=2)
    assert InstrumentDayUse.objects.get().organisation == world.stranger


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2025-06-04 09:00", "2025-06-04 10:00", [4]),
        ("2025-06-04 00:00", "2025-06-05 00:00", [4]),
        ("2025-06-04 23:59", "2025-06-05 00:01", [4, 5]),
        ("2025-06-04 00:00", "2025-06-04 00:00", [4]),
        ("2025-06-02 12:00", "2025-06-04 12:00", [2, 3, 4]),
        ("2025-06-04 12:00", "2025-06-03 12:00", [4]),
    ],
)
def test_the_days_marked_are_local(world, start, end, days):
    zone = "Australia/Lord_Howe"
    instrument = world.instrument(zone, since=FIRST)
    for _ in range(2):  # twice is once
        days_mark_dirty(instrument_id=instrument.pk, start=local(zone, start), end=local(zone, end))
    assert [row.date.day for row in DirtyDay.objects.order_by("date")] == days


def test_marks_of_days_not_finished_wait(world):
    instrument = world.instrument(since=FIRST)
    days_mark_dirty(instrument_id=instrument.pk, start=june(9), end=june(10, "12:00"))
    roll_up()
    assert [row.date.day for row in DirtyDay.objects.all()] == [10]
    roll_up(now=june(11))
    assert not DirtyDay.objects.exists()


# Several workers


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_work(real_db):
    """Four workers at once, one of them on named days, while days are marked: each day is done,
    whoever does it, and no worker fails."""
    world = HoursWorld(NOW)
    for seed in range(3):
        populate(world, seed)
    roll_up()
    expected = stored()
    instruments = list(RollUp.objects.values_list("pk", flat=True))

    def work(act):
        try:
            return act()
        finally:
            connections.close_all()

    for _ in range(5):
        forget()
        acts = [lambda: roll_up(batch_size=2)] * 3
        acts.append(lambda: roll_up(since=FIRST, until=date(2025, 6, 5), batch_size=3))
        acts.append(lambda: [days_mark_dirty(instrument_id=i, start=june(2), end=NOW) for i in instruments])
        with ThreadPoolExecutor(len(acts)) as pool:
            done = [future.result(60) for future in [pool.submit(work, act) for act in acts]]
        assert sum(result.changed for result in done[:4]) >= sum(map(len, expected[:2]))
        assert stored() == expected
        assert roll_up().changed == 0
        assert {row.date for row in DirtyDay.objects.all()} <= {date(2025, 6, 9), date(2025, 6, 10)}


# Cost


@pytest.mark.parametrize("copies", [1, 4])
def test_statements_do_not_grow_with_the_numbers(world, django_assert_num_queries, copies):
    for seed in range(copies):
        populate(world, seed)
    # Enter, progress; savepoint, lock, marks, settings, figures, settings back, months to do,
    # advance, release; progress, marks; bookings: until when they were read, marks, read now;
    # facilities; savepoint, lock, marks, settings, months, years, bookings, settings back, summed,
    # release; facilities.
    with django_assert_num_queries(28):
        roll_up()
    with django_assert_num_queries(9):
        roll_up()


# The command


def test_the_command_says_what_it_did(world, capsys, monkeypatch):
    instrument = world.instrument(since=FIRST)
    world.session(instrument, june(4, "09:00"), june(4, "10:00"))
    call_command("roll_up_utilisation")
    assert capsys.readouterr().out == (
        "Rolled up 1 instruments: 1 days with a session, a closure or a no-show, 2 rows changed.\n"
    )
    call_command("roll_up_utilisation", "--from", "2025-06-01", "--until", "2025-06-08")
    assert "1 days" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "yesterday"], "--from must be a date like 2026-01-31, not 'yesterday'."),
        (["--until", "2025-02-30"], "--until must be a date like 2026-01-31, not '2025-02-30'."),
        (["--until", "20250201"], "--until must be a date like 2026-01-31, not '20250201'."),
        (
            ["--from", "2025-02-02", "--until", "2025-02-02"],
            "--until 2025-02-02 must be after --from 2025-02-02.",
        ),
    ],
)
def test_the_command_refuses_bad_dates(world, arguments, said):
    world.instrument(since=FIRST)
    with pytest.raises(CommandError, match=said):
        call_command("roll_up_utilisation", *arguments)
    assert not RollUp.objects.exists()


# The statement says what the rules say

ZONES = ["America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"]
CHANGES = [date(2025, 3, 8), date(2025, 11, 1), date(2025, 10, 4), date(2025, 4, 5)]
WINDOWS = [
    [("00:00", "02:30")], [("02:30", "02:30")], [("20:00", "08:00")], [("08:00", "00:00")],
    [("00:00", "01:10"), ("01:50", "08:00"), ("12:15", "24:00")], [("22:00", "02:00")],
]  # fmt: skip
hours = st.builds(
    lambda weekdays, windows: {
        "weekly": [
            {"weekday": weekday, "opens": opens, "closes": closes}
            for weekday in weekdays
            for opens, closes in windows
        ]
    },
    st.sets(st.integers(1, 7)),
    st.sampled_from(WINDOWS),
)


@st.composite
def plans(draw):
    """One instrument over four days around a clock change, to the second."""
    seconds = st.integers(-90_000, 400_000) | st.integers(0, 96).map(lambda n: n * 3600)

    def span(may_last):
        start = draw(seconds)
        lasts = may_last and draw(st.integers(0, 4)) == 0
        length = st.integers(1, 200_000) | st.sampled_from([60, 3600, 86400])
        return start, None if lasts else start + draw(length)

    units = draw(st.integers(1, 3))
    unit = st.integers(1, units + 1)
    return {
        "zone": draw(st.sampled_from(ZONES)),
        "first": draw(st.sampled_from(CHANGES)),
        "units": units,
        "hours": draw(st.sampled_from([ALWAYS, OFFICE]) | hours),
        "sessions": [
            (*span(True), draw(unit), draw(st.integers(0, 2))) for _ in range(draw(st.integers(0, 6)))
        ],
        "closures": [
            (draw(st.sampled_from(Closure.Kind.values)), *span(True), draw(st.lists(unit, max_size=2)))
            for _ in range(draw(st.integers(0, 3)))
        ],
        "no_shows": [(*span(False), draw(unit)) for _ in range(draw(st.integers(0, 2)))],
    }


def build(plan):
    """The world of a plan, long after; and its instrument."""
    starts_at, _ = day_span(ZoneInfo(plan["zone"]), plan["first"])
    world = HoursWorld(starts_at + timedelta(days=6))
    instrument = world.instrument(
        plan["zone"],
        hours=plan["hours"],
        units=plan["units"],
        since=plan["first"],
        until=plan["first"] + timedelta(days=4),
    )

    def instant(second):
        return None if second is None else starts_at + timedelta(seconds=second)

    payers = [world.host, world.neighbour, world.stranger]
    for start, end, unit, payer in plan["sessions"]:
        world.session(instrument, instant(start), instant(end), unit=unit, payer=payers[payer])
    for kind, start, end, units in plan["closures"]:
        world.closure(instrument, kind, instant(start), instant(end), units=units)
    for start, end, unit in plan["no_shows"]:
        world.no_show(instrument, instant(start), instant(end), unit=unit)
    return world, instrument


def expected_rows(instrument, first):
    """What the rules make of each day, as it should be stored."""
    days, uses = {}, {}
    for offset in range(4):
        day = first + timedelta(days=offset)
        found = instrument_day(instrument_id=instrument.pk, day=day)
        if not found.is_plain:
            days[day] = {f"{state}_minutes": n for state, n in vars(found.minutes).items()}
            days[day]["total_minutes"] = found.minutes.total
        for payer, use in found.uses.items():
            key = (day, payer.organisation_id, payer.region_id, payer.price_group)
            uses[key] = (use.minutes, use.sessions)
    return days, uses


@settings(max_examples=400 if DEEP else 40)
@given(plans())
def test_the_statement_computes_what_the_rules_define(plan):
    with transaction.atomic():
        world, instrument = build(plan)
        roll_up(now=world.now)
        days, uses = expected_rows(instrument, plan["first"])
        rows = InstrumentDay.objects.filter(instrument=instrument).values()
        assert {
            row["date"]: {name: row[name] for name in row if name in days.get(row["date"], row)}
            for row in rows
        } == days
        assert {
            (u.date, u.organisation_id, u.payer_region_id, u.price_group): (u.minutes, u.sessions)
            for u in InstrumentDayUse.objects.filter(instrument=instrument)
        } == uses
        transaction.set_rollback(True)


@settings(max_examples=200 if DEEP else 20)
@given(plans(), st.sets(st.integers(0, 3), min_size=1))
def test_corrections_leave_what_the_rules_define(plan, dirty):
    """Figures spoiled at random are made good by marking their days, whatever they were."""
    with transaction.atomic():
        world, instrument = build(plan)
        roll_up(now=world.now)
        expected = stored()
        for offset in dirty:
            day = plan["first"] + timedelta(days=offset)
            InstrumentDay.objects.filter(instrument=instrument, date=day).delete()
            InstrumentDayUse.objects.filter(instrument=instrument, date=day).update(minutes=9999)
            InstrumentDayUse.objects.create(
                instrument=instrument,
                date=day,
                organisation=world.host,
                payer_region=world.here,
                price_group="none",
                minutes=1,
                sessions=1,
            )
            starts_at, ends_at = day_span(ZoneInfo(plan["zone"]), day)
            days_mark_dirty(instrument_id=instrument.pk, start=starts_at, end=ends_at)
        roll_up(now=world.now)
        assert stored() == expected
        transaction.set_rollback(True)
