"""Hours guaranteed for a holder, where several bookings are made at once or somebody waits."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from bookings.availability.selectors.kept_hours import kept_rows
from bookings.availability.services.kept_hours import kept_hours_change, kept_hours_end
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation, WaitingOffer
from bookings.plans.domain.imports import RowsRefused
from bookings.plans.selectors.chains import StepWish, load_chains
from bookings.plans.services.chains import chain_book
from bookings.plans.services.imports import bookings_import
from bookings.plans.services.waiting import wishes_look
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.domain.steps import Gap
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel
from bookings.series.services.series import series_book
from bookings.series.services.series_moves import series_move
from tests.factories.cast import NOW, at, reserve
from tests.factories.kept_hours import grant
from tests.factories.waiting import narrow, wait

MONDAY, TUESDAY, WEDNESDAY = (at(f"2026-03-{day} 00:00") for day in ("09", "10", "11"))
HOUR = timedelta(hours=1)


def left(row, now=NOW):
    return kept_rows(now).get(pk=row.pk).left_minutes


def starts(**values):
    rows = Reservation.objects.filter(state__in=["requested", "confirmed"], **values)
    return list(rows.order_by("start_at").values_list("start_at", flat=True))


def lines(reservation):
    """What the present price of a booking calls its time, with the minutes."""
    result = reservation.quotes.get(is_current=True).result
    return [(line["code"], line["minutes"]) for line in result["lines"] if line["kind"] == "usage"]


def codes(refusals):
    return [refusal.code for refusal in refusals]


def repeat(cast, who, start, end, rule, on_conflict="refuse"):
    return series_book(
        By(cast.actor(who), NOW),
        booking=Booking(cast.microscope.pk, Period(at(start), at(end)), None, "self"),
        rule=rule,
        on_conflict=on_conflict,
    )


class TestSeries:
    def test_others_get_the_dates_that_leave_enough(self, cast):
        grant(cast, minutes=480, starts_at=TUESDAY, ends_at=WEDNESDAY)
        dates = ("2026-03-09 10:00", "2026-03-09 15:00", "FREQ=DAILY;COUNT=2")
        with pytest.raises(RulesRefuse) as refused:
            repeat(cast, "sun", *dates)
        assert codes(refused.value.refusals) == ["kept-for-holder"]
        assert starts() == []
        repeat(cast, "sun", *dates, on_conflict="skip")
        assert starts() == [at("2026-03-09 10:00")]

    def test_its_dates_add_up(self, cast):
        """Four hours are left to others: two dates of two hours, not a third."""
        grant(cast, minutes=1200, starts_at=MONDAY, ends_at=WEDNESDAY)
        repeat(cast, "sun", "2026-03-09 10:00", "2026-03-09 12:00", "FREQ=DAILY;COUNT=2")
        assert len(starts()) == 2
        with pytest.raises(RulesRefuse):
            repeat(cast, "sun", "2026-03-09 14:00", "2026-03-09 14:30", "FREQ=DAILY;COUNT=2")
        assert len(starts()) == 2

    def test_its_dates_burn_one_after_the_other_at_the_agreed_price(self, cast):
        row = grant(cast, minutes=120, price=Decimal(30), starts_at=MONDAY, ends_at=WEDNESDAY)
        made = repeat(cast, "wang", "2026-03-09 10:00", "2026-03-09 11:30", "FREQ=DAILY;COUNT=2")
        first, second = sorted(made.reservations, key=lambda r: r.start_at)
        assert lines(first) == [("kept", 90)]
        assert lines(second) == [("kept", 30), ("standard", 60)]
        assert left(row) == 0

    def test_its_dates_move_together_inside_what_is_kept(self, cast):
        row = grant(cast, minutes=120, price=Decimal(30), starts_at=MONDAY, ends_at=WEDNESDAY)
        made = repeat(cast, "wang", "2026-03-09 10:00", "2026-03-09 11:30", "FREQ=DAILY;COUNT=2")
        first, second = sorted(made.reservations, key=lambda r: r.start_at)
        series_move(
            By(cast.actor("wang"), NOW),
            series_id=made.series.pk,
            scope="all",
            reservation_id=first.pk,
            period=Period(at("2026-03-09 12:00"), at("2026-03-09 13:30")),
        )
        assert starts() == [at("2026-03-09 12:00"), at("2026-03-10 12:00")]
        assert lines(first) == [("kept", 90)]
        assert lines(second) == [("kept", 30), ("standard", 60)]
        assert left(row) == 0


class TestChains:
    @pytest.fixture
    def steps(self, cast):
        saw = cast.instrument(name="Wafer saw", name_zh="划片机")
        return [StepWish(saw.pk, 60, "self"), StepWish(cast.microscope.pk, 120, "self", Gap(0, 600))]

    def chain(self, cast, who, steps, days=2, **values):
        return chain_book(
            By(cast.actor(who), NOW),
            steps=steps,
            organisation=None,
            purpose="research",
            purpose_text="",
            within=Period(MONDAY, MONDAY + timedelta(days=days)),
            **values,
        )

    def test_a_way_is_found_beside_what_is_kept(self, cast, steps):
        grant(cast, minutes=720, starts_at=MONDAY, ends_at=TUESDAY)
        self.chain(cast, "sun", steps)
        assert min(starts(instrument=cast.microscope)) >= TUESDAY
        with pytest.raises(WrongState, match="no-chain"):
            self.chain(cast, "hu", steps, days=1)
        self.chain(cast, "wang", steps)
        assert min(starts(instrument=cast.microscope)) < TUESDAY

    def test_all_steps_or_none(self, cast, steps):
        grant(cast, minutes=720, starts_at=MONDAY, ends_at=TUESDAY)
        times = [at("2026-03-09 09:00"), at("2026-03-09 10:00")]
        with pytest.raises(RulesRefuse) as refused:
            self.chain(cast, "sun", steps, starts=times)
        assert [(r.code, r.booking) for r in refused.value.refusals] == [("kept-for-holder", 1)]
        assert starts() == []

    def test_your_own_hold_is_given_back_for_it(self, cast, steps):
        """What a hold burns is there again for the chain that takes its place."""
        row = grant(cast, minutes=120, price=Decimal(30), starts_at=TUESDAY, ends_at=WEDNESDAY)
        wish = Booking(
            cast.microscope.pk, Period(at("2026-03-10 12:00"), at("2026-03-10 14:00")), None, "self"
        )
        hold_take(By(cast.actor("wang"), NOW), booking=wish)
        assert left(row) == 0
        times = [at("2026-03-10 12:00"), at("2026-03-10 13:00")]
        self.chain(cast, "wang", steps, starts=times)
        made = Reservation.objects.get(instrument=cast.microscope, state="confirmed")
        assert lines(made) == [("kept", 120)]
        assert left(row) == 0

    def test_what_it_would_cost_is_what_it_costs(self, cast, steps):
        grant(cast, minutes=1440, price=Decimal(30), starts_at=MONDAY, ends_at=WEDNESDAY)
        within = Period(MONDAY, WEDNESDAY)
        way = load_chains(cast.actor("wang"), None, steps, within, NOW, most=1).ways[0]
        self.chain(cast, "wang", steps, starts=[stage.period.start for stage in way.stages])
        made = Reservation.objects.get(instrument=cast.microscope)
        assert lines(made) == [("kept", 120)]
        assert way.stages[1].quote.total == made.quotes.get().total


def test_an_equivalent_is_shown_at_the_agreed_price(cast):
    other = cast.instrument(name="Another", name_zh="另一台")
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", who="sun")
    grant(cast, instrument=other, minutes=120, price=Decimal(30), starts_at=TUESDAY, ends_at=WEDNESDAY)
    with pytest.raises(RulesRefuse) as refused:
        reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    [shown] = refused.value.refusals[0].equivalents
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=other)
    assert lines(made) == [("kept", 120)]
    assert shown.payable == made.quotes.get().payable


class TestWaiting:
    def test_what_is_kept_is_offered_to_its_holder_only(self, cast):
        instrument = narrow(cast)
        grant(cast, instrument=instrument, holder=cast.optics, minutes=120)
        wait(cast, instrument, "wang")
        assert not WaitingOffer.objects.exists()
        wait(cast, instrument, "hu", now=NOW + timedelta(seconds=1))
        wishes_look(now=NOW + timedelta(minutes=6))
        assert WaitingOffer.objects.get().reservation.user == cast.hu

    def test_what_the_holder_cancels_goes_to_nobody_else(self, cast):
        instrument = narrow(cast)
        row = grant(cast, instrument=instrument, minutes=120)
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
        wait(cast, instrument, "sun")
        reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
        wishes_look(now=NOW + timedelta(minutes=6))
        assert (WaitingOffer.objects.count(), left(row)) == (0, 120)

    @pytest.mark.parametrize("way", ["ended", "fewer", "released"])
    def test_what_is_no_longer_kept_is_offered_to_those_who_wait(self, cast, way):
        instrument = narrow(cast)
        row = grant(cast, instrument=instrument, minutes=120, released_minutes=12 * 60)
        wait(cast, instrument, "sun", minutes=60)
        now, zhao = NOW, By(cast.actor("zhao"), NOW)
        assert not WaitingOffer.objects.exists()
        if way == "ended":
            kept_hours_end(zhao, kept_id=row.pk, reason="Not wanted")
        elif way == "fewer":
            kept_hours_change(zhao, kept_id=row.pk, minutes=60, reason="Less")
        else:
            now = at("2026-03-05 22:00")
        wishes_look(now=now + timedelta(minutes=6))
        assert WaitingOffer.objects.get().reservation.user == cast.sun

    def test_an_offer_burns_what_is_kept_until_it_runs_out(self, cast):
        instrument = narrow(cast)
        row = grant(cast, instrument=instrument, minutes=120)
        wait(cast, instrument, "wang")
        assert left(row) == 0
        until = WaitingOffer.objects.get().reservation.deadline_at
        assert left(row, until) == 120


class TestImport:
    def bring(self, cast, who, *times, **values):
        rows = [
            f"Transmission electron microscope,2026-03-06 {start},2026-03-06 {end}" for start, end in times
        ]
        return bookings_import(
            By(cast.actor(who), NOW),
            content="\n".join(["instrument,starts,ends", *rows]).encode(),
            file_name="old.csv",
            organisation=None,
            **values,
        )

    def test_rows_of_others_add_up(self, cast):
        grant(cast, minutes=480)
        times = [("08:00", "11:00"), ("14:00", "17:00")]
        with pytest.raises(RowsRefused) as refused:
            self.bring(cast, "sun", *times)
        assert [codes(o.refusals) for o in refused.value.report.outcomes] == [[], ["kept-for-holder"]]
        assert starts() == []
        assert self.bring(cast, "sun", *times, on_refused="skip").booked == 1
        assert starts() == [at("2026-03-06 08:00")]

    def test_rows_of_the_holder_burn_one_after_the_other_at_the_agreed_price(self, cast):
        row = grant(cast, minutes=240, price=Decimal(30))
        report = self.bring(cast, "wang", ("08:00", "11:00"), ("14:00", "17:00"))
        made = Reservation.objects.order_by("start_at")
        assert [lines(each) for each in made] == [[("kept", 180)], [("kept", 60), ("standard", 120)]]
        assert [o.quote.total for o in report.outcomes] == [r.quotes.get().total for r in made]
        assert left(row) == 0
