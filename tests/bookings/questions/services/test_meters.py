"""Meters and maintenance counters."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, OutboxMessage, TrailEntry
from accounts.services.memberships import role_grant
from bookings.models import Closure, CounterCycle, MeterReading, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.questions.selectors.meters import load_due, open_cycles
from bookings.questions.services import meters
from bookings.usage.services.counters import counters_check, counters_review
from bookings.usage.services.sessions import session_set
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.factories.cast import NOW, at, reserve


def by(cast, when=NOW, who="zhao"):
    return By(cast.actor(who), when)


def counter(cast, limit="3", **values):
    return meters.counter_add(
        by(cast), instrument_id=cast.microscope.pk, meter=values.pop("meter", None),
        name="Tip", limit=Decimal(limit), **values,
    )  # fmt: skip


def use(cast, hour, hours, day="2026-03-06"):
    start, end = f"{day} {hour:02d}:00", f"{day} {hour + hours:02d}:00"
    made = reserve(cast, start, end)
    reservation_check_in(by(cast, at(start), "wang"), reservation_id=made.pk)
    reservation_check_out(by(cast, at(end), "wang"), reservation_id=made.pk)
    return made


def due(cast):
    (row,) = load_due(list(open_cycles([cast.microscope.pk])))
    return str(row.used), row.standing


def carry_out(now="2026-03-06 20:00"):
    while effects_carry_out(now=at(now)):
        pass


def told():
    return sorted(Message.objects.filter(kind__startswith="counter.").values_list("kind", flat=True))


def test_the_hours_of_use_count_and_each_word_is_told_once(cast):
    counter(cast)
    use(cast, 8, 2)
    assert due(cast) == ("2.00", "fine")
    carry_out()
    assert told() == []
    use(cast, 10, 1)
    assert due(cast) == ("3.00", "reached")
    carry_out()
    assert told() == ["counter.reached"]
    counters_review(now=at("2026-03-06 20:00"))
    carry_out()
    assert told() == ["counter.reached"]
    assert not Closure.objects.exists()


def test_operators_who_may_not_open_the_page_are_not_told(cast):
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="operator", organisation=cast.ustc)
    counter(cast)
    use(cast, 8, 3)
    carry_out()
    told_of = Message.objects.filter(kind="counter.reached").values_list("user", flat=True)
    assert list(told_of) == [cast.zhao.pk]


def test_near_the_limit_is_told_and_then_the_limit(cast):
    counter(cast, limit="2.2")
    use(cast, 8, 2)
    carry_out()
    assert told() == ["counter.near"]
    use(cast, 10, 1)
    carry_out()
    assert told() == ["counter.near", "counter.reached"]


def test_at_the_limit_it_closes_and_those_who_come_next_are_told(cast):
    counter(cast, limit="2", action="close")
    later = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", who="sun")
    use(cast, 8, 2)
    carry_out("2026-03-06 10:01")
    closure = Closure.objects.get()
    assert (closure.kind, closure.end_at, closure.reason, closure.created_by) == (
        "maintenance", None, "Tip", None,
    )  # fmt: skip
    assert CounterCycle.objects.get().closure == closure
    later.refresh_from_db()
    assert (later.state, later.is_ended_by_host) == ("displaced", True)
    assert OutboxMessage.objects.filter(kind="mail.displaced").count() == 1
    counters_check(instrument_id=cast.microscope.pk, now=at("2026-03-06 11:00"))
    assert Closure.objects.count() == 1


def test_two_counters_at_their_limit_close_once(cast):
    counter(cast, limit="2", action="close")
    counter(cast, limit="1.5", action="close")
    use(cast, 8, 2)
    carry_out("2026-03-06 10:01")
    assert told() == ["counter.reached"] * 2
    closure = Closure.objects.get()
    assert [cycle.closure for cycle in CounterCycle.objects.all()] == [closure] * 2


def test_who_is_at_work_is_not_cut_short(cast):
    counter(cast, limit="2", action="close", since=at("2026-03-01 08:00"))
    use(cast, 8, 2)
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(by(cast, at("2026-03-06 10:00"), "wang"), reservation_id=made.pk)
    counters_check(instrument_id=cast.microscope.pk, now=at("2026-03-06 10:05"))
    assert Closure.objects.get().start_at == at("2026-03-06 12:00")
    assert Reservation.objects.get(pk=made.pk).state == "in_use"


def test_done_begins_a_new_cycle_and_counts_from_there(cast):
    row = counter(cast, limit="2")
    use(cast, 8, 2)
    carry_out()
    meters.counter_done(by(cast, at("2026-03-06 13:00")), counter_id=row.pk, note="new tip")
    assert due(cast) == ("0.00", "fine")
    ended = CounterCycle.objects.get(ended_at__isnull=False)
    assert (ended.note, ended.ended_by) == ("new tip", cast.zhao)
    use(cast, 14, 2)
    carry_out()
    assert told() == ["counter.reached"] * 2


def test_a_correction_of_the_times_is_counted(cast):
    counter(cast, limit="5")
    made = use(cast, 8, 2)
    usage = (at("2026-03-06 08:00"), at("2026-03-06 13:00"))
    session_set(by(cast, at("2026-03-06 20:00")), reservation=made, usage=usage)
    assert due(cast) == ("5.00", "reached")
    carry_out("2026-03-06 21:00")
    assert told() == ["counter.reached"]
    usage = (at("2026-03-06 08:00"), at("2026-03-06 09:00"))
    session_set(by(cast, at("2026-03-06 22:00")), reservation=made, usage=usage)
    assert due(cast) == ("1.00", "fine")


def test_readings_below_the_last_need_a_reason(cast):
    meter = meters.meter_add(by(cast), instrument_id=cast.microscope.pk, name="Filament", unit="h")
    counter(cast, meter=meter.pk, limit="100")
    day = timedelta(days=3)
    meters.meter_read(by(cast, NOW + day), meter_id=meter.pk, value="1000")
    meters.meter_read(by(cast, NOW + 2 * day), meter_id=meter.pk, value="1060.5")
    with pytest.raises(Invalid) as refused:
        meters.meter_read(by(cast, NOW + 3 * day), meter_id=meter.pk, value="0")
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("value", "reading-below-last")
    assert due(cast) == ("60.5000", "fine")
    meters.meter_read(by(cast, NOW + 3 * day), meter_id=meter.pk, value=0, reset_reason="new one")
    meters.meter_read(by(cast, NOW + 4 * day), meter_id=meter.pk, value="40")
    assert due(cast) == ("100.5000", "reached")
    assert MeterReading.objects.count() == 4


def test_a_slip_of_the_keyboard_closes_nothing(cast):
    minute = timedelta(minutes=1)
    meter = meters.meter_add(by(cast), instrument_id=cast.microscope.pk, name="Laser", unit="h")
    counter(cast, "500", meter=meter.pk, action="close")
    meters.meter_read(by(cast, NOW + minute), meter_id=meter.pk, value="1204.5")
    later = NOW + timedelta(hours=30)
    with pytest.raises(Invalid) as refused:
        meters.meter_read(by(cast, later), meter_id=meter.pk, value="12345")
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("value", "reading-leaps")
    assert problem.numbers == {"most": "1235.48"}  # 29:59 hours, and one
    counters_check(instrument_id=cast.microscope.pk, now=later)
    assert due(cast) == ("0", "fine") and not Closure.objects.exists()
    meters.meter_read(by(cast, later), meter_id=meter.pk, value="12345", reset_reason="a new laser")


def test_a_reading_that_was_put_right_counts_anew_and_is_told_again(cast):
    minute = timedelta(minutes=1)
    meter = meters.meter_add(by(cast), instrument_id=cast.microscope.pk, name="Shots")
    counter(cast, "100", meter=meter.pk, action="close")
    _first, wrong, last = (
        meters.meter_read(by(cast, NOW + n * minute), meter_id=meter.pk, value=value)
        for n, value in ((1, "10"), (2, "900"), (3, "901"))
    )
    carry_out()
    assert (due(cast), told()) == (("891.0000", "reached"), ["counter.reached"])
    refused = [
        (by(cast), {"value": "9", "reason": "typo"}, "reading-below-last"),
        (by(cast), {"value": "902", "reason": "typo"}, "too-large"),
        (by(cast), {"value": "90", "reason": " "}, "required"),
    ]
    for who, values, code in refused:
        with pytest.raises(Invalid) as wrongly:
            meters.reading_correct(who, reading_id=wrong.pk, **values)
        assert wrongly.value.problems[0].code == code
    with pytest.raises(NotPermitted):
        meters.reading_correct(by(cast, who="wang"), reading_id=wrong.pk, value="90", reason="typo")
    for row, value in ((wrong, "90"), (last, "91")):
        meters.reading_correct(by(cast), reading_id=row.pk, value=value, reason="a digit too many")
    assert due(cast) == ("81.0000", "fine")
    assert CounterCycle.objects.get().reached_at is None
    entry = TrailEntry.objects.filter(action="meter.correct").latest("id")
    assert (entry.before["value"], entry.after["value"]) == ("901", "91")
    meters.meter_read(by(cast, NOW + 4 * minute), meter_id=meter.pk, value="111")
    carry_out("2026-03-06 21:00")
    assert told() == ["counter.reached", "counter.reached"]
    assert Closure.objects.count() == 1  # the one there is, until somebody ends it


def test_hours_are_not_read_and_what_is_retired_counts_no_more(cast):
    row = counter(cast)
    with pytest.raises(WrongState):
        meters.meter_read(by(cast), meter_id=row.meter_id, value="1")
    meters.counter_retire(by(cast), counter_id=row.pk)
    with pytest.raises(WrongState):
        meters.counter_done(by(cast), counter_id=row.pk, note="")
    use(cast, 8, 4)
    carry_out()
    assert told() == []


def test_only_the_hosts_managers(cast):
    row = counter(cast)
    meter = meters.meter_add(by(cast), instrument_id=cast.microscope.pk, name="Filament")
    for work in (
        lambda who: meters.meter_add(who, instrument_id=cast.microscope.pk, name="x"),
        lambda who: meters.meter_read(who, meter_id=meter.pk, value="1"),
        lambda who: meters.counter_done(who, counter_id=row.pk, note=""),
        lambda who: meters.counter_retire(who, counter_id=row.pk),
    ):
        with pytest.raises(NotPermitted):
            work(by(cast, who="sun"))


@pytest.mark.parametrize(
    ("values", "field"),
    [({"limit": "0"}, "limit"), ({"warn_percent": 101}, "warn_percent"), ({"action": "x"}, "action")],
)
def test_a_wrong_counter_is_refused_at_its_field(cast, values, field):
    with pytest.raises(Invalid) as refused:
        counter(cast, **values)
    assert [p.field for p in refused.value.problems] == [field]
    assert not CounterCycle.objects.exists()
