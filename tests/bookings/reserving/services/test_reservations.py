"""Reserving, deciding and cancelling."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import to_period
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.selectors.replay import replay_all
from bookings.charging.services.charges import charge_make
from bookings.models import Occupancy, Quote, Reservation, UnmetDemand
from bookings.pricing.selectors.charges import cancellation_for
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.selectors.moves import load_move
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
    reservations_lapse,
)
from bookings.series.selectors.series import load_series_cancellation
from bookings.series.services.series import series_book, series_cancel
from tests.factories.cast import NOW, at, reserve

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")


@pytest.fixture
def asks(cast):
    """An instrument whose owner answers each request."""
    return cast.instrument(name="Asks first", policy={"approval": "manual"})


def written():
    return (
        Reservation.objects.count(),
        Occupancy.objects.count(),
        Quote.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__startswith="reservation").count(),
    )


class TestRequest:
    def test_a_visitor_from_another_region_pays_the_external_price(self, cast):
        made = reserve(cast, *FRIDAY)
        assert (made.state, made.price_group, made.unit) == ("confirmed", "external", 1)
        assert made.payer_region == cast.shanghai
        assert made.host_region == cast.anhui
        quote = made.quotes.get()
        # 2 h x 260 + 100 set-up = 620; 6 % tax 37.20
        assert quote.total == quote.payable == Decimal("657.20")
        assert written() == (1, 1, 1, 2, 1)

    @pytest.mark.parametrize(
        ("who", "group", "payable"), [("sun", "internal", "340.00"), ("hu", "industry", "1123.60")]
    )
    def test_the_price_group_follows_from_host_and_payer(self, cast, who, group, payable):
        made = reserve(cast, *FRIDAY, who=who)
        assert (made.price_group, made.quotes.get().payable) == (group, Decimal(payable))

    def test_it_takes_its_buffers(self, cast):
        buffered = cast.instrument(name="Buffered", policy={"setup_minutes": 15, "teardown_minutes": 30})
        made = reserve(cast, *FRIDAY, instrument=buffered)
        span = to_period(made.occupancy.span)
        assert (span.start, span.end) == (at("2026-03-06 09:45"), at("2026-03-06 12:30"))

    def test_statements_do_not_grow_with_history(self, cast, django_assert_max_num_queries):
        for hour in range(8, 18):
            reserve(cast, f"2026-03-09 {hour:02d}:00", f"2026-03-09 {hour + 1:02d}:00", who="sun")
        actor = cast.actor("wang")
        assert actor.user_id
        # sign-in (3), SAVEPOINT and RELEASE, and 12 of its own
        with django_assert_max_num_queries(17):
            reserve(cast, *FRIDAY)

    def test_a_taken_slot_is_refused_with_the_nearest_and_remembered(self, cast):
        reserve(cast, *FRIDAY, who="sun")
        before = written()
        with pytest.raises(RulesRefuse) as refused:
            reserve(cast, "2026-03-06 11:00", "2026-03-06 13:00")
        (refusal,) = refused.value.refusals
        assert refusal.code == "slot-taken"
        assert refusal.nearest.start == at("2026-03-06 12:00")
        assert written() == before
        demand = UnmetDemand.objects.get()
        assert (demand.minutes, demand.instrument, demand.region) == (120, cast.microscope, cast.shanghai)
        with pytest.raises(RulesRefuse):
            reserve(cast, "2026-03-06 11:30", "2026-03-06 13:00")
        assert UnmetDemand.objects.count() == 1  # once a person, instrument and day

    def test_other_refusals_are_no_unmet_demand(self, cast):
        with pytest.raises(RulesRefuse) as refused:
            reserve(cast, "2026-03-07 10:10", "2026-03-07 10:20")
        assert [r.code for r in refused.value.refusals] == ["off-grid", "too-short", "outside-opening-hours"]
        assert written() == (0, 0, 0, 0, 0)
        assert not UnmetDemand.objects.filter(code="").exists()  # refusals by a rule are noted with its code

    def test_a_group_without_a_rate(self, cast):
        closed = cast.instrument(name="House only", card={"rates": {"internal": "10.00"}})
        with pytest.raises(RulesRefuse) as refused:
            reserve(cast, *FRIDAY, instrument=closed)
        assert [r.code for r in refused.value.refusals] == ["audience-not-served"]

    def test_who_may_not(self, cast):
        with pytest.raises(Invalid) as nobody:
            reserve(cast, *FRIDAY, who="alice")
        assert nobody.value.problems[0].code == "organisation-needed"
        with pytest.raises(NotPermitted):
            reserve(cast, *FRIDAY, who="chen")  # a manager, but no researcher
        assert written() == (0, 0, 0, 0, 0)

    def test_shape(self, cast):
        with pytest.raises(Invalid) as mode:
            reserve(cast, *FRIDAY, service_mode="remote")
        assert mode.value.problems[0].field == "service_mode"
        with pytest.raises(Invalid):
            reserve(cast, *FRIDAY, options={"nothing": 1})
        assert written() == (0, 0, 0, 0, 0)

    def test_two_units_take_two_bookings_at_once(self, cast):
        pair = cast.instrument(name="Pair", policy={"units": 2})
        units = {reserve(cast, *FRIDAY, who=who, instrument=pair).unit for who in ("wang", "sun")}
        assert units == {1, 2}
        with pytest.raises(RulesRefuse):
            reserve(cast, *FRIDAY, who="hu", instrument=pair)

    def test_across_regions_only_a_visitor_asks(self, cast):
        guarded = cast.instrument(name="Guarded", policy={"approval": "cross-region"})
        assert reserve(cast, *FRIDAY, instrument=guarded).state == "requested"
        own = reserve(cast, "2026-03-06 13:00", "2026-03-06 14:00", who="sun", instrument=guarded)
        assert own.state == "confirmed"


class TestDecide:
    def decide(self, cast, made, approve=True, who="zhao", reason="", now=NOW, **values):
        return reservation_decide(
            By(cast.actor(who), now, values.pop("expected_version", None)),
            reservation_id=made.pk,
            approve=approve,
            reason=reason,
            **values,
        )

    def test_approve(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        assert made.state == "requested"
        assert made.deadline_at == at("2026-03-06 10:00")  # its start comes before two days
        decided = self.decide(cast, made)
        assert (decided.state, decided.decided_by_id) == ("confirmed", cast.zhao.pk)
        assert Occupancy.objects.get().expires_at is None
        kinds = OutboxMessage.objects.order_by("kind").values_list("kind", flat=True)
        assert list(kinds) == [
            "mail.confirmed",
            "mail.lapsing",  # says nothing once it is decided
            "mail.reminder",  # one hour before; a day before has passed
            "mail.requested",
            "mail.to-decide",
        ]

    def test_reject_needs_a_reason_and_frees_the_slot(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        with pytest.raises(Invalid):
            self.decide(cast, made, approve=False, reason=" ")
        self.decide(cast, made, approve=False, reason="样品不合适")
        made.refresh_from_db()
        assert (made.state, made.reason) == ("rejected", "样品不合适")
        assert not Occupancy.objects.exists()
        entry = TrailEntry.objects.get(action="reservation.rejected")
        assert entry.text.content == {"reason": "样品不合适"}
        assert "样品" not in str(entry.after)

    def test_after_the_deadline_it_is_too_late_job_or_not(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        with pytest.raises(WrongState):
            self.decide(cast, made, now=made.deadline_at)

    def test_who_decides(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        with pytest.raises(NotFound):
            self.decide(cast, made, who="sun")
        with pytest.raises(NotPermitted):
            self.decide(cast, made, who="chen")  # of the payer
        with pytest.raises(NotPermitted):
            self.decide(cast, made, who="auditor")
        with pytest.raises(NotFound):
            reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=uuid4(), approve=True, reason="")

    def test_twice_or_of_an_older_version(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        with pytest.raises(WrongVersion):
            self.decide(cast, made, expected_version=7)
        self.decide(cast, made, expected_version=1)
        with pytest.raises(WrongState):
            self.decide(cast, made)


class TestCancel:
    def cancel(self, cast, made, who="wang", reason="", now=NOW):
        return reservation_cancel(By(cast.actor(who), now), reservation_id=made.pk, reason=reason)

    def test_it_frees_the_slot_and_owes_by_the_notice(self, cast):
        made = reserve(cast, *FRIDAY)
        self.cancel(cast, made)
        made.refresh_from_db()
        assert made.state == "cancelled"
        assert OutboxMessage.objects.filter(kind="charge.due").count() == 1
        assert reserve(cast, *FRIDAY, who="sun").state == "confirmed"

    def test_by_the_host_it_needs_a_reason_and_costs_nothing(self, cast):
        made = reserve(cast, *FRIDAY)
        with pytest.raises(Invalid):
            self.cancel(cast, made, who="zhao")
        self.cancel(cast, made, who="zhao", reason="helium ran out")
        assert not OutboxMessage.objects.filter(kind="charge.due").exists()

    def test_a_request_never_confirmed_costs_nothing(self, cast, asks):
        made = reserve(cast, *FRIDAY, instrument=asks)
        self.cancel(cast, made)
        assert not OutboxMessage.objects.filter(kind="charge.due").exists()

    def test_who_may(self, cast):
        made = reserve(cast, *FRIDAY)
        with pytest.raises(NotFound):
            self.cancel(cast, made, who="sun")
        with pytest.raises(NotPermitted):
            self.cancel(cast, made, who="auditor")
        self.cancel(cast, made, who="chen")  # the payer's manager, for its member

    def test_when_it_has_ended(self, cast):
        made = reserve(cast, *FRIDAY)
        with pytest.raises(WrongState):
            self.cancel(cast, made, now=made.end_at)
        self.cancel(cast, made)
        with pytest.raises(WrongState):
            self.cancel(cast, made)


def test_deadlines_decide_not_jobs(cast, asks):
    """An expired request's slot may be taken before any job has run; the job then finds it."""
    made = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", instrument=asks)
    later = NOW + timedelta(minutes=2880)
    assert made.deadline_at == later
    with pytest.raises(RulesRefuse):
        reserve(
            cast,
            "2026-03-11 10:00",
            "2026-03-11 12:00",
            who="sun",
            instrument=asks,
            now=later - timedelta(seconds=1),
        )
    other = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun", instrument=asks, now=later)
    made.refresh_from_db()
    assert (made.state, other.state) == ("expired", "requested")


def test_the_job_expires_what_nobody_answered_once(cast, asks):
    made = reserve(cast, *FRIDAY, instrument=asks)
    assert reservations_lapse(now=made.deadline_at - timedelta(seconds=1)) == 0
    assert reservations_lapse(now=made.deadline_at) == 1
    assert reservations_lapse(now=made.deadline_at) == 0
    made.refresh_from_db()
    assert made.state == "expired"
    assert OutboxMessage.objects.filter(kind="mail.expired").count() == 1


def test_a_total_beyond_all_reason_is_refused_and_writes_nothing(cast):
    """A price and a quantity that are each allowed, and together overflow the column."""
    dear = cast.instrument(
        name="Dear",
        card={"options": [{"code": "grid", "unit": "each", "price": "99999999", "subsidised": False}]},
    )
    with pytest.raises(Invalid) as refused:
        reserve(cast, *FRIDAY, instrument=dear, options={"grid": Decimal(999999)})
    assert [(p.field, p.code) for p in refused.value.problems] == [("options", "too-large")]
    assert written() == (0, 0, 0, 0, 0)


class TestSecondThoughts:
    """Cancelled by its person within ten minutes and more than an hour ahead: free, once a day."""

    def book(self, cast, hour, *, hours=1, now=NOW, **values):
        start, end = (f"2026-03-06 {at:02}:00" for at in (hour, hour + hours))
        return reserve(cast, start, end, now=now, **values)

    def cancel(self, cast, made, now, who="wang"):
        reservation_cancel(By(cast.actor(who), now), reservation_id=made.pk, reason="x")
        made.refresh_from_db()
        charge = charge_make(reservation_id=made.pk, now=now)
        return charge and str(charge.total)

    def test_free_and_on_record(self, cast):
        made = self.book(cast, 10)
        later = NOW + timedelta(minutes=10)
        terms = cancellation_for(cast.actor("wang"), made, later)
        assert (terms.fee, terms.reason, terms.free_until) == (0, "second-thoughts", later)
        assert self.cancel(cast, made, later) is None
        assert (made.is_second_thought, made.second_thought_on) == (True, date(2026, 3, 5))
        after = TrailEntry.objects.get(action="reservation.cancelled").after
        assert (after["is_second_thought"], after["second_thought_on"]) == (True, "2026-03-05")

    def test_once_a_person_instrument_and_day(self, cast):
        other = cast.instrument(name="Other")
        first, second = self.book(cast, 10), self.book(cast, 11)
        suns, elsewhere = self.book(cast, 12, who="sun"), self.book(cast, 10, instrument=other)
        assert self.cancel(cast, first, NOW) is None
        terms = cancellation_for(cast.actor("wang"), second, NOW)
        assert (str(terms.percent), terms.reason) == ("100", "terms")
        assert self.cancel(cast, second, NOW) == "381.60"
        assert self.cancel(cast, suns, NOW, who="sun") is None
        assert self.cancel(cast, elsewhere, NOW) is None
        # The next day is one of the instrument's zone: after midnight in China.
        late = at("2026-03-06 00:01")
        assert self.cancel(cast, self.book(cast, 13, now=late), late) is None

    def test_the_day_of_the_instruments_zone(self, cast):
        early, late = at("2026-03-05 23:55"), at("2026-03-06 00:03")  # 15:55 and 16:03 UTC
        assert self.cancel(cast, self.book(cast, 10, now=early), early) is None
        made = self.book(cast, 11, now=early)
        assert self.cancel(cast, made, late) is None
        assert made.second_thought_on == date(2026, 3, 6)

    def test_what_is_free_anyway_uses_none_up(self, cast):
        free = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
        assert self.cancel(cast, free, NOW) is None
        assert (free.is_second_thought, free.second_thought_on) == (False, None)
        assert self.cancel(cast, self.book(cast, 10), NOW) is None

    def test_too_late_and_too_near(self, cast):
        made = self.book(cast, 10)
        assert self.cancel(cast, made, NOW + timedelta(minutes=10, seconds=1)) == "381.60"
        now = at("2026-03-06 12:55")
        near = self.book(cast, 14, now=now)
        assert self.cancel(cast, near, at("2026-03-06 13:00")) == "381.60"
        nearly = self.book(cast, 14, now=now)
        assert self.cancel(cast, nearly, at("2026-03-06 12:59")) is None

    @pytest.mark.parametrize("who", ["chen", "wang"])
    def test_only_the_person_booked_for(self, cast, who):
        period = Period(at("2026-03-06 10:00"), at("2026-03-06 11:00"))
        made = reservation_request(
            By(cast.actor("chen"), NOW),
            booking=Booking(cast.microscope.pk, period, "fudan", "self", on_behalf_of=cast.wang.email),
        )
        assert (self.cancel(cast, made, NOW, who=who) is None) == (who == "wang")

    def test_counted_from_when_a_hold_is_completed(self, cast):
        period = Period(at("2026-03-06 10:00"), at("2026-03-06 11:00"))
        hold = hold_take(
            By(cast.actor("wang"), NOW), booking=Booking(cast.microscope.pk, period, None, "self")
        )
        later = NOW + timedelta(minutes=9)
        made = self.book(cast, 10, now=later, hold=hold.pk)
        assert self.cancel(cast, made, later + timedelta(minutes=10)) is None

    def test_after_moves(self, cast):
        """They end none of the minutes; the second that thinks again that day is not free."""
        made = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
        to = Period(at("2026-03-06 10:00"), at("2026-03-06 11:00"))
        wang = cast.actor("wang")
        reservation_move(By(wang, NOW), reservation_id=made.pk, period=to)
        back = Period(at("2026-03-10 10:00"), at("2026-03-10 11:00"))
        assert self.cancel(cast, made, NOW) is None
        other = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
        for period in (to, back):
            reservation_move(By(wang, NOW), reservation_id=other.pk, period=period)
        other.refresh_from_db()
        # From the day that would have cost all of it, and where it began.
        assert str(other.least_percent) == "100.000"
        assert self.cancel(cast, other, NOW) == "381.60"

    def test_shortening_uses_the_days_up(self, cast):
        wang = cast.actor("wang")
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
        shorter = Period(made.start_at, at("2026-03-06 11:00"))
        assert load_move(wang, made, shorter, NOW).fee.reason == "second-thoughts"
        reservation_move(By(wang, NOW), reservation_id=made.pk, period=shorter)
        made.refresh_from_db()
        assert (made.shortening_fee, made.second_thought_on) == (0, date(2026, 3, 5))
        again = load_move(
            wang, self.book(cast, 13, hours=2), Period(at("2026-03-06 13:00"), at("2026-03-06 14:00")), NOW
        )
        assert (again.fee.reason, str(again.fee.fee)) == ("terms", "130.00")
        assert self.cancel(cast, made, NOW) is None  # it is the one of the day
        assert made.is_second_thought

    def test_after_an_extension(self, cast):
        made = self.book(cast, 10)
        longer = Period(made.start_at, at("2026-03-06 12:00"))
        reservation_move(By(cast.actor("wang"), NOW), reservation_id=made.pk, period=longer)
        assert self.cancel(cast, made, NOW) is None

    def test_of_a_series_the_first_alone(self, cast):
        booking = Booking(
            cast.microscope.pk, Period(at("2026-03-06 10:00"), at("2026-03-06 11:00")), None, "self"
        )
        wang = cast.actor("wang")
        made = series_book(By(wang, NOW), booking=booking, rule="FREQ=DAILY;COUNT=4", on_conflict="skip")
        before = load_series_cancellation(wang, made.series.pk, "all", None, NOW)
        series_cancel(By(wang, NOW), series_id=made.series.pk, scope="all", reservation_id=None, reason="")
        rows = Reservation.objects.order_by("start_at")
        charges = [charge_make(reservation_id=row.pk, now=NOW) for row in rows]
        assert charges[0] is None and rows[0].is_second_thought
        assert before.fee + before.tax == sum(c.total for c in charges if c)

    def test_a_shortening_fee_stays_owed_and_replays(self, cast):
        made = self.book(cast, 10)
        Reservation.objects.filter(pk=made.pk).update(shortening_fee=Decimal(50))
        assert self.cancel(cast, made, NOW) == "53.000"
        (charge,) = made.charges.all()
        assert (charge.inputs["second_thought"], charge.result["percent"]) == (True, "0")
        assert [r for r in replay_all() if r.differences] == []
