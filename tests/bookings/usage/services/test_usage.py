"""Checking in and out, and what becomes of those who do neither."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import JobFailure, Message, OutboxMessage, TrailEntry
from accounts.notifications import Effect, enqueue
from bookings.availability.selectors.availability import to_period
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, Occupancy, Reservation, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.selectors.sessions import ended
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import (
    overruns_tell,
    reservation_check_in,
    reservation_check_out,
    usage_settle,
)
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.factories.cast import NOW, at, reserve

MINUTE = timedelta(minutes=1)


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")


def check_in(cast, made, when, who="wang"):
    return reservation_check_in(By(cast.actor(who), at(when)), reservation_id=made.pk)


def check_out(cast, made, when, who="wang", **values):
    return reservation_check_out(By(cast.actor(who), at(when)), reservation_id=made.pk, **values)


def test_in_and_out_frees_what_is_left_and_charges_as_quoted(cast, booked):
    check_in(cast, booked, "2026-03-06 10:05")
    session = check_out(cast, booked, "2026-03-06 11:00", samples=3, rating=5, remarks=" 很好 ")
    assert (session.samples, session.rating, session.remarks) == (3, 5, "很好")
    booked.refresh_from_db()
    assert booked.state == "completed"
    assert (booked.start_at, booked.end_at) == (at("2026-03-06 10:00"), at("2026-03-06 12:00"))
    assert to_period(Occupancy.objects.get().span).end == at("2026-03-06 11:00")
    charge = charge_make(reservation_id=booked.pk, now=at("2026-03-06 11:01"))
    assert str(charge.payable) == "657.20"
    assert charge_make(reservation_id=booked.pk, now=at("2026-03-06 11:02")) == charge
    assert Charge.objects.count() == 1
    later = reserve(cast, "2026-03-06 11:00", "2026-03-06 12:00", who="sun", now=at("2026-03-06 11:00"))
    assert later.state == "confirmed"


@pytest.mark.parametrize(
    ("when", "code"), [("2026-03-06 09:44", "too-early"), ("2026-03-06 12:00", "too-late")]
)
def test_outside_its_time(cast, booked, when, code):
    with pytest.raises(WrongState) as refused:
        check_in(cast, booked, when)
    assert refused.value.code == code
    assert not UsageSession.objects.exists()


def test_early_only_if_nobody_is_there(cast, booked):
    reserve(cast, "2026-03-06 09:00", "2026-03-06 10:00", who="sun")
    with pytest.raises(RulesRefuse):
        check_in(cast, booked, "2026-03-06 09:50")
    booked.refresh_from_db()
    assert booked.state == "confirmed"


@pytest.fixture
def pool(cast):
    """Two units; Sun is at the first until ten, whoever comes then has booked it too."""
    pool = cast.instrument(name="Pool", policy={"units": 2})
    before = reserve(cast, "2026-03-06 09:00", "2026-03-06 10:00", who="sun", instrument=pool)
    check_in(cast, before, "2026-03-06 09:00", who="sun")
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=pool)
    assert (before.unit, made.unit) == (1, 1)
    return pool, made


def test_early_on_a_used_unit_takes_a_free_one(cast, pool):
    _, made = pool
    session = check_in(cast, made, "2026-03-06 09:50")
    made.refresh_from_db()
    mine = Occupancy.objects.get(reservation=made)
    assert (session.unit, made.unit, mine.unit, made.state) == (2, 2, 2, "in_use")
    assert to_period(mine.span) == Period(at("2026-03-06 09:50"), at("2026-03-06 12:00"))
    entry = TrailEntry.objects.get(object_id=made.pk, action="reservation.reseat")
    assert (entry.before, entry.after) == ({"unit": 1}, {"unit": 2, "version": 2})
    assert UsageSession.objects.get(reservation__user=cast.sun).checked_out_at is None


@pytest.mark.parametrize("other", ["booked", "closed", "overrun"])
def test_early_where_no_unit_is_free_says_from_when(cast, pool, other):
    """The other unit is booked longer, closed for good, or somebody is there after their time."""
    instrument, made = pool
    expected = at("2026-03-06 10:00")
    if other == "booked":
        later = reserve(cast, "2026-03-06 09:00", "2026-03-06 12:00", who="hu", instrument=instrument)
        assert later.unit == 2
    elif other == "closed":
        closure_create(
            By(cast.actor("zhao"), at("2026-03-06 09:00")),
            instrument_id=instrument.pk,
            outage=Outage("breakdown", at("2026-03-06 09:00"), None, units=(2,)),
            displace=False,
        )
    else:
        over = reserve(cast, "2026-03-06 08:00", "2026-03-06 09:30", who="hu", instrument=instrument)
        Reservation.objects.filter(pk=over.pk).update(unit=2)
        Occupancy.objects.filter(reservation=over).update(unit=2)
        check_in(cast, over, "2026-03-06 08:00", who="hu")
    entries = TrailEntry.objects.count()
    with pytest.raises(RulesRefuse) as refused:
        check_in(cast, made, "2026-03-06 09:50")
    (refusal,) = refused.value.refusals
    assert refusal.code == "still-in-use"
    assert refusal.numbers == {"time": "10:00", "zone": "Asia/Shanghai"}
    assert refusal.nearest == Period(expected, made.end_at)
    made.refresh_from_db()
    assert (made.state, made.unit, TrailEntry.objects.count()) == ("confirmed", 1, entries)
    assert not UsageSession.objects.filter(reservation=made).exists()
    assert check_in(cast, made, "2026-03-06 10:00").unit == 1


def test_early_takes_the_time_before(cast, booked):
    check_in(cast, booked, "2026-03-06 09:50")
    assert to_period(Occupancy.objects.get().span).start == at("2026-03-06 09:50")


def test_who_may(cast, booked):
    with pytest.raises(NotFound):
        check_in(cast, booked, "2026-03-06 10:00", who="sun")
    with pytest.raises(NotPermitted):
        check_in(cast, booked, "2026-03-06 10:00", who="chen")
    check_in(cast, booked, "2026-03-06 10:00", who="zhao")  # the host's manager
    with pytest.raises(WrongState):
        check_in(cast, booked, "2026-03-06 10:01")


def test_the_next_person_ends_a_session_left_open(cast, booked):
    check_in(cast, booked, "2026-03-06 10:00")
    following = reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00", who="sun")
    check_in(cast, following, "2026-03-06 12:05", who="sun")
    session = UsageSession.objects.get(reservation=booked)
    assert (session.checked_out_at, session.is_assumed) == (at("2026-03-06 12:00"), True)
    booked.refresh_from_db()
    assert booked.state == "completed"


def test_overrun_is_recorded(cast, booked):
    check_in(cast, booked, "2026-03-06 10:00")
    session = check_out(cast, booked, "2026-03-06 12:40")
    assert session.checked_out_at == at("2026-03-06 12:40")
    assert to_period(Occupancy.objects.get().span).end == at("2026-03-06 12:00")


class TestSettle:
    def test_booked_and_never_checked_in_is_completed_and_charged(self, cast, booked):
        assert usage_settle(now=booked.end_at - MINUTE) == 0
        assert usage_settle(now=booked.end_at) == 1
        assert usage_settle(now=booked.end_at) == 0
        booked.refresh_from_db()
        assert booked.state == "completed"
        assert not UsageSession.objects.exists()
        assert charge_make(reservation_id=booked.pk, now=booked.end_at).kind == "use"

    def test_a_card_by_use_waits_for_the_times(self, cast):
        used = cast.instrument(name="By use", card={"charge_basis": "used"})
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=used)
        usage_settle(now=made.end_at)
        assert charge_make(reservation_id=made.pk, now=made.end_at) is None

    def test_a_no_show_frees_the_rest(self, cast):
        strict = cast.instrument(name="Strict", policy={"check_in_minutes": 30})
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=strict)
        assert usage_settle(now=at("2026-03-06 10:29")) == 0
        assert usage_settle(now=at("2026-03-06 10:30")) == 1
        made.refresh_from_db()
        assert made.state == "no_show"
        charge = charge_make(reservation_id=made.pk, now=made.end_at)
        assert (charge.kind, str(charge.payable)) == ("no_show", "657.20")
        now = at("2026-03-06 10:30")
        other = reserve(cast, "2026-03-06 10:30", "2026-03-06 11:30", who="sun", instrument=strict, now=now)
        assert other.state == "confirmed"

    def test_a_session_left_open_ends_at_the_reserved_end(self, cast, booked):
        check_in(cast, booked, "2026-03-06 10:00")
        assert usage_settle(now=booked.end_at + timedelta(hours=12) - MINUTE) == 0
        assert usage_settle(now=booked.end_at + timedelta(hours=12)) == 1
        session = UsageSession.objects.get()
        assert (session.checked_out_at, session.is_assumed) == (booked.end_at, True)

    def test_all_three_ways_in_the_order_of_their_ends_so_many_a_run(self, cast, booked):
        """Left open, past its end, missed: `most` of all ways together, what fails left out."""
        check_in(cast, booked, "2026-03-06 10:00")
        over = reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00", who="sun")
        strict = cast.instrument(name="Strict", policy={"check_in_minutes": 30})
        missed = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=strict)
        to_come = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="sun")
        now = at("2026-03-09 10:30")
        rows, none = [booked, over, missed], JobFailure.objects.none().values("object_id")
        assert ended(now, 500, but=none) == [row.pk for row in rows]
        assert ended(now, 2, but=none) == [booked.pk, over.pk]
        JobFailure.objects.create(
            job="complete reservations", object_id=booked.pk, attempts=1, last_error="x",
            due_at=now + MINUTE, first_at=now, last_at=now,
        )  # fmt: skip
        assert [usage_settle(now=now, most=1) for _ in range(3)] == [1, 1, 0]
        assert states(*rows, to_come) == ["in_use", "completed", "no_show", "confirmed"]
        assert usage_settle(now=now + MINUTE) == 1
        assert states(*rows, to_come) == ["completed", "completed", "no_show", "confirmed"]
        assert not JobFailure.objects.exists()

    def test_no_booking_to_come_is_read(self, cast, booked):
        """Each way is a condition of an index, so that the job reads what is due alone."""
        lines = [
            f"(gen_random_uuid(), start_at + interval '{n} h', end_at + interval '{n} h')" for n in range(500)
        ]
        fields = [f.column for f in Reservation._meta.local_fields if f.column != "id"]
        moved = [f"m.{name}" if name in {"start_at", "end_at"} else f"r.{name}" for name in fields]
        with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
            cursor.execute(
                f"INSERT INTO bookings_reservation (id, {', '.join(fields)})"
                f" SELECT m.id, {', '.join(moved)} FROM bookings_reservation r,"
                f" LATERAL (VALUES {', '.join(lines)}) AS m (id, start_at, end_at)"
            )
            cursor.execute("ANALYZE bookings_reservation")
            assert ended(NOW, 500, but=JobFailure.objects.none().values("object_id")) == []
            cursor.execute("EXPLAIN ANALYZE " + captured[-1]["sql"])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Rows Removed" not in plan and "Seq Scan" not in plan, plan


def states(*rows):
    return [Reservation.objects.get(pk=row.pk).state for row in rows]


def test_a_late_cancellation_costs_its_percent(cast, booked):
    reservation_cancel(By(cast.actor("wang"), at("2026-03-05 09:00")), reservation_id=booked.pk, reason="")
    charge = charge_make(reservation_id=booked.pk, now=at("2026-03-05 09:01"))
    # 25 hours before: 50 % of 520 + 100, and 6 % tax
    assert (charge.result["percent"], charge.result["fee"], charge.result["tax"]) == ("50", "310.00", "18.60")


def test_each_end_is_told_once(cast, booked):
    check_in(cast, booked, "2026-03-06 10:00")
    check_out(cast, booked, "2026-03-06 11:00")
    usage_settle(now=at("2026-03-08 11:00"))
    kinds = sorted(OutboxMessage.objects.values_list("kind", flat=True))
    assert [kind for kind in kinds if kind not in {"slot.freed", "instrument.published"}] == [
        "charge.due",
        "event.started",
        "hours.dirty",
        "mail.completed",
        "mail.confirmed",
        "mail.reminder",
    ]
    assert Reservation.objects.get().state == "completed"


def test_early_over_a_request_nobody_answered(cast):
    """Its deadline has passed and no job has run: the time is free."""
    instrument = cast.instrument(name="Asks first", policy={"approval": "manual"})
    reserve(cast, "2026-03-06 09:30", "2026-03-06 10:00", who="sun", instrument=instrument)
    mine = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=instrument)
    Reservation.objects.filter(pk=mine.pk).update(state="confirmed", deadline_at=None)
    Occupancy.objects.filter(reservation=mine).update(expires_at=None)
    check_in(cast, mine, "2026-03-06 09:50")
    assert Reservation.objects.filter(state="expired").count() == 1


def test_a_policy_of_today_does_not_touch_bookings_of_yesterday(cast, booked):
    strict = parse_policy({"max_minutes": 480, "check_in_minutes": 10})
    policy_set(By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, policy=strict)
    assert usage_settle(now=at("2026-03-06 11:00")) == 0


def test_missed_before_its_time_to_check_in_is_over_is_a_no_show_at_its_end(cast):
    strict = cast.instrument(name="Strict", policy={"check_in_minutes": 60})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 10:30", instrument=strict)
    usage_settle(now=made.end_at)
    made.refresh_from_db()
    assert made.state == "no_show"


def test_missed_it_cannot_be_cancelled_job_or_not(cast):
    strict = cast.instrument(name="Strict", policy={"check_in_minutes": 30})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=strict)
    with pytest.raises(WrongState):
        reservation_cancel(By(cast.actor("wang"), at("2026-03-06 10:30")), reservation_id=made.pk, reason="")


def test_use_that_outlasts_the_booking_into_a_holiday_is_charged_by_its_band(cast):
    festive = cast.instrument(
        name="Festive",
        hours={"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]},
        card={
            "charge_basis": "greater",
            "setup_fee": "0",
            "bands": [
                {"code": "holiday", "holidays": True, "opens": "00:00", "closes": "24:00", "multiplier": "2"}
            ],
        },
    )
    now = at("2026-04-29 10:00")
    made = reserve(cast, "2026-04-30 22:00", "2026-04-30 23:30", instrument=festive, now=now)
    check_in(cast, made, "2026-04-30 22:00")
    check_out(cast, made, "2026-05-01 03:00")
    charge = charge_make(reservation_id=made.pk, now=at("2026-05-01 03:01"))
    assert [(line["code"], line["minutes"]) for line in charge.result["lines"]] == [
        ("standard", 120),
        ("holiday", 180),
    ]


def overrun_mails():
    rows = OutboxMessage.objects.filter(kind__startswith="mail.overrun").order_by("kind")
    return [(row.kind, row.payload["reservation"]) for row in rows]


def test_an_overrun_tells_both_once(cast, booked):
    """Booked 10:00 to 12:00; the next from 12:30."""
    follows = reserve(cast, "2026-03-06 12:30", "2026-03-06 13:30", who="sun")
    check_in(cast, booked, "2026-03-06 10:00")
    assert overruns_tell(now=at("2026-03-06 11:59")) == 0
    assert overruns_tell(now=at("2026-03-06 12:00")) == 1
    overruns_tell(now=at("2026-03-06 12:05"))
    assert overrun_mails() == [("mail.overrun", str(booked.pk)), ("mail.overrun-next", str(follows.pk))]
    check_out(cast, booked, "2026-03-06 12:10")
    assert booked.session.checked_out_at == at("2026-03-06 12:10")
    assert overruns_tell(now=at("2026-03-06 12:11")) == 0


def test_an_overrun_into_nobodys_time_tells_nobody(cast, booked):
    reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00", who="sun")
    check_in(cast, booked, "2026-03-06 10:00")
    assert overruns_tell(now=at("2026-03-06 12:30")) == 0
    assert overrun_mails() == []
    assert overruns_tell(now=at("2026-03-06 14:30")) == 1


def poor_ratings():
    return OutboxMessage.objects.filter(kind="mail.poor-rating")


@pytest.mark.parametrize(("rating", "told"), [(None, 0), (3, 0), (2, 1), (1, 1)])
def test_the_owner_is_told_of_a_poor_rating(cast, booked, rating, told):
    check_in(cast, booked, "2026-03-06 10:00")
    check_out(cast, booked, "2026-03-06 11:00", rating=rating, remarks="It drifts")
    assert poor_ratings().count() == told
    effects_carry_out(now=at("2026-03-06 11:01"))
    letters = Message.objects.filter(kind="mail.poor-rating")
    assert [message.user for message in letters] == [cast.zhao] * told
    assert all(message.topic == "use" and "It drifts" in message.text for message in letters)


def test_of_one_session_the_owner_is_told_once(cast, booked):
    check_in(cast, booked, "2026-03-06 10:00")
    check_out(cast, booked, "2026-03-06 11:00", rating=1)
    key = poor_ratings().get().key
    with transaction.atomic():  # rated anew, its booking of another version
        again = Effect("mail.poor-rating", key, {"reservation": str(booked.pk)})
        enqueue([again], now=at("2026-03-06 12:00"))
    with pytest.raises(WrongState):
        check_out(cast, booked, "2026-03-06 11:05", rating=2)
    assert poor_ratings().count() == 1
