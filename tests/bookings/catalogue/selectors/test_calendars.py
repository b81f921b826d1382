"""What takes instruments in a span, as far as each reader may see it."""

from datetime import timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from accounts.domain.roles import NOBODY, By
from accounts.models.keys import new_id
from bookings.catalogue.selectors.calendars import load_board, load_in_the_way, load_own, load_week
from bookings.models import Occupancy, Reservation
from bookings.record.domain.periods import Period, union
from bookings.usage.services.closures import Outage, closure_create
from instruments.policy.models import BookingPolicy
from instruments.register.models import Instrument
from instruments.register.selectors.registry import managed_instruments
from tests.factories.cast import NOW, at, reserve

WEEK = Period(at("2026-03-02 00:00"), at("2026-03-09 00:00"))
FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")


def board(cast, name, instruments=None, span=WEEK, now=NOW):
    actor = cast.actor(name) if name else NOBODY
    found = instruments or list(managed_instruments(cast.actor("zhao")))
    return load_board(actor, found, span, now)


def test_the_manager_of_the_host_sees_whose_and_what_for(cast):
    made = reserve(cast, *FRIDAY, purpose_text="Grain boundaries")
    (row,) = board(cast, "zhao")
    (entry,) = row.entries
    assert (entry.id, entry.person, entry.state) == (made.pk, "Wang Li", "confirmed")
    assert entry.organisation == ("Fudan University", "复旦大学")
    assert (entry.purpose, entry.purpose_text) == ("research", "Grain boundaries")
    assert entry.period == Period(at(FRIDAY[0]), at(FRIDAY[1]))
    assert not entry.is_own


@pytest.mark.parametrize("who", ["sun", "alice", None])
def test_others_see_that_time_is_taken_and_no_more(cast, who):
    reserve(cast, *FRIDAY, purpose_text="Grain boundaries")
    (row,) = board(cast, who)
    (entry,) = row.entries
    assert entry.is_busy
    assert (entry.id, entry.state, entry.person, entry.purpose) == (None, "", "", "")
    assert entry.organisation == ("", "")


def test_ones_own_are_marked(cast):
    reserve(cast, *FRIDAY)
    (row,) = board(cast, "wang")
    assert row.entries[0].is_own


def test_opening_hours_and_buffers(cast):
    instrument = cast.instrument(name="Buffered", policy={"setup_minutes": 15, "teardown_minutes": 30})
    reserve(cast, *FRIDAY, instrument=instrument)
    (row,) = board(cast, "wang", [Instrument.objects.select_related("schedule", "policy").get(
        pk=instrument.pk)])  # fmt: skip
    assert row.opened[0] == Period(at("2026-03-02 08:00"), at("2026-03-02 20:00"))
    assert len(row.opened) == 5
    assert row.entries[0].blocked == Period(at("2026-03-06 09:45"), at("2026-03-06 12:30"))


def test_a_closure_is_one_entry_whatever_its_units_and_says_why_to_its_managers(cast):
    instrument = cast.instrument(name="Pool", policy={"units": 3})
    closure = closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=instrument.pk,
        outage=Outage("calibration", at(FRIDAY[0]), None, (1, 3), "Laser drifts"),
        displace=False,
    )
    found = list(managed_instruments(cast.actor("zhao")).filter(pk=instrument.pk))
    (entry,) = board(cast, "zhao", found)[0].entries
    assert (entry.kind, entry.id, entry.units) == ("closure", closure.pk, (1, 3))
    assert (entry.closure_kind, entry.reason) == ("calibration", "Laser drifts")
    (entry,) = board(cast, "wang", found)[0].entries
    assert (entry.id, entry.closure_kind, entry.reason) == (None, "calibration", "")


def test_what_has_run_out_takes_no_time(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = reserve(cast, *FRIDAY, instrument=asks)
    found = list(managed_instruments(cast.actor("zhao")).filter(pk=asks.pk))
    assert len(board(cast, "zhao", found)[0].entries) == 1
    assert board(cast, "zhao", found, now=made.deadline_at)[0].entries == ()


def many(cast, count, bookings):
    """`count` instruments with `bookings` bookings among them, stored at one stroke."""
    model, policy = cast.microscope, cast.microscope.policy
    template = reserve(cast, *FRIDAY)
    made = []
    for number in range(count - 1):
        copy = Instrument.objects.get(pk=model.pk)
        copy.pk, copy.name, copy.short_code = new_id(), f"Copy {number}", None
        made.append(copy)
    Instrument.objects.bulk_create(made)
    policies = []
    for copy in made:
        row = BookingPolicy.objects.get(pk=policy.pk)
        row.instrument_id = copy.pk
        policies.append(row)
    BookingPolicy.objects.bulk_create(policies)
    instruments = [model, *made]
    reservations, occupancies = [], []
    for number in range(bookings - 1):
        row = Reservation.objects.get(pk=template.pk)
        row.pk = new_id()
        row.instrument = instruments[number % count]
        row.start_at = at("2026-03-02 08:00") + timedelta(hours=number // count)
        row.end_at = row.start_at + timedelta(hours=1)
        reservations.append(row)
        span = TimestamptzRange(row.start_at, row.end_at, "[)")
        occupancies.append(Occupancy(instrument=row.instrument, reservation=row, span=span))
    Reservation.objects.bulk_create(reservations)
    Occupancy.objects.bulk_create(occupancies)


@pytest.mark.parametrize(("count", "bookings"), [(1, 2), (200, 600)])
def test_the_board_takes_three_statements_at_1_and_at_200_instruments(
    cast, count, bookings, django_assert_num_queries
):
    many(cast, count, bookings)
    zhao = cast.actor("zhao")
    with django_assert_num_queries(3):
        rows = load_board(zhao, list(managed_instruments(zhao)), WEEK, NOW)
    assert len(rows) == count
    assert sum(len(row.entries) for row in rows) == bookings


def week(cast, name, instrument=None, minutes=60, span=WEEK):
    found = Instrument.objects.select_related(
        "schedule", "policy", "facility", "organisation__region", "region"
    ).get(pk=(instrument or cast.microscope).pk)
    actor = cast.actor(name)
    payer = {"wang": cast.fudan, "sun": cast.ustc}[name]
    return load_week(actor, found, payer, span, NOW, minutes=minutes)


@pytest.mark.parametrize(("who", "most"), [("wang", 3), ("chen", 4)])
def test_a_week_takes_few_statements_whatever_is_booked(cast, who, most, django_assert_num_queries):
    many(cast, 1, 30)
    found = Instrument.objects.select_related(
        "schedule", "policy", "facility", "organisation__region", "region"
    ).get(pk=cast.microscope.pk)
    actor = cast.actor(who)
    with django_assert_num_queries(most):
        made = load_week(actor, found, cast.fudan, WEEK, NOW, minutes=60)
    assert len(made.row.entries) == 30


def test_free_is_where_the_list_says_a_booking_may_start(cast):
    reserve(cast, *FRIDAY, who="sun")
    made = week(cast, "wang", minutes=30)
    assert union(made.free) == union(Period(start, start + timedelta(minutes=30)) for start in made.starts)
    # It is Thursday noon: nothing before, and nothing where Sun Tao is.
    assert made.free == (
        Period(at("2026-03-05 12:00"), at("2026-03-05 20:00")),
        Period(at("2026-03-06 08:00"), at("2026-03-06 10:00")),
        Period(at("2026-03-06 12:00"), at("2026-03-06 20:00")),
    )


def test_nothing_is_free_to_a_group_without_a_price(cast):
    rates = {"internal": "120.00"}
    instrument = cast.instrument(name="Ours alone", card={"rates": rates})
    assert week(cast, "wang", instrument).free == ()
    assert week(cast, "sun", instrument).free != ()


def test_a_length_that_is_not_allowed_becomes_the_usual_one(cast):
    assert week(cast, "wang", minutes=45).minutes == 60
    assert week(cast, "wang", minutes=None).minutes == 60
    assert week(cast, "wang", minutes=90).minutes == 90


def test_an_instrument_without_a_policy_has_no_week(cast):
    draft = Instrument.objects.get(pk=cast.microscope.pk)
    BookingPolicy.objects.filter(instrument=draft).delete()
    assert week(cast, "wang") is None


def test_ones_own_bookings_over_all_instruments(cast):
    other = cast.instrument(name="Other")
    first = reserve(cast, *FRIDAY)
    second = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", instrument=other)
    reserve(cast, "2026-03-06 16:00", "2026-03-06 17:00", who="sun")
    reserve(cast, "2026-03-13 14:00", "2026-03-13 15:00")
    assert [r.pk for r in load_own(cast.actor("wang"), WEEK)] == [first.pk, second.pk]


def test_who_is_in_the_way_of_a_closure(cast, django_assert_num_queries):
    instrument = cast.instrument(name="Pool", policy={"units": 2})
    first = reserve(cast, *FRIDAY, instrument=instrument)
    second = reserve(cast, *FRIDAY, instrument=instrument, who="sun")
    span = Period(at("2026-03-06 11:00"), at("2026-03-06 13:00"))
    with django_assert_num_queries(1):
        found = load_in_the_way(instrument, [], span, NOW)
        assert {r.user.name for r in found} == {"Wang Li", "Sun Tao"}
    assert load_in_the_way(instrument, [2], span, NOW) == [second]
    late = Period(at("2026-03-06 12:00"), at("2026-03-06 13:00"))
    assert load_in_the_way(instrument, [], late, NOW) == []
    assert first.unit == 1
