"""Chains: booked and cancelled as one, moved one by one."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Chain, Occupancy, Quote, Reservation, UnmetDemand
from bookings.plans.selectors.chains import StepWish, load_chain_cancellation, load_chains
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.domain.steps import Gap
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.cast import NOW, at, reserve

WITHIN = Period(at("2026-03-09 00:00"), at("2026-03-11 00:00"))


@pytest.fixture
def saw(cast):
    return cast.instrument(name="Wafer saw", name_zh="划片机")


@pytest.fixture
def steps(cast, saw):
    """Two hours of preparation; half an hour to a day later one hour at the microscope."""
    return [StepWish(saw.pk, 120, "self"), StepWish(cast.microscope.pk, 60, "self", Gap(30, 1440))]


def book(cast, steps, who="wang", within=WITHIN, **values):
    return chain_book(
        By(cast.actor(who), values.pop("now", NOW)),
        steps=steps,
        organisation=None,
        purpose="research",
        purpose_text="",
        within=within,
        **values,
    )


def times(chain):
    rows = Reservation.objects.filter(chain=chain).order_by("step")
    return [(r.step, r.start_at) for r in rows]


def written():
    return (
        Chain.objects.count(),
        Reservation.objects.count(),
        Occupancy.objects.count(),
        Quote.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__regex="^(chain|reservation)").count(),
    )


class TestFind:
    def test_the_first_ways_with_their_price(self, cast, saw, steps):
        reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="sun")
        before = written()
        found = load_chains(cast.actor("wang"), None, steps, WITHIN, NOW)
        assert written() == before
        shown = [[stage.period.start for stage in p.stages] for p in found.ways]
        assert shown[0] == [at("2026-03-09 08:00"), at("2026-03-09 12:00")]
        assert shown[1] == [at("2026-03-09 10:00"), at("2026-03-09 12:30")]
        assert len(shown) == 5
        # 2 h x 260 + 100, and 1 h x 260 + 100; 6 % tax
        assert {c: str(v) for c, v in found.ways[0].totals.items()} == {"CNY": "1038.80"}
        assert [i.name for i in found.instruments] == ["Wafer saw", cast.microscope.name]

    def test_what_is_in_the_way(self, cast, steps):
        found = load_chains(
            cast.actor("wang"), None, steps,
            Period(at("2026-03-09 16:30"), at("2026-03-09 19:00")), NOW,
        )  # fmt: skip
        assert found.ways == ()
        assert all(found.starts)
        weekend = Period(at("2026-03-07 00:00"), at("2026-03-09 00:00"))
        assert load_chains(cast.actor("wang"), None, steps, weekend, NOW).starts == (0, 0)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda s: s[:1], ("steps", "out-of-range")),
            (lambda s: [*s, s[0]], ("steps[2].instrument", "repeated")),
            (lambda s: [s[0], StepWish(s[1].instrument_id, 60, "remote")],
             ("steps[1].service_mode", "not-offered")),
            (lambda s: [s[0], StepWish(s[1].instrument_id, 60, "self", Gap(60, 30))],
             ("steps[1].gap_max", "gap-backwards")),
            (lambda s: [s[0], StepWish(s[1].instrument_id, 60, "self", Gap(-1))],
             ("steps[1].gap_min", "out-of-range")),
        ],
    )  # fmt: skip
    def test_shape(self, cast, steps, change, problem):
        with pytest.raises(Invalid) as refused:
            load_chains(cast.actor("wang"), None, change(steps), WITHIN, NOW)
        assert [(p.field, p.code) for p in refused.value.problems] == [problem]

    def test_who_may_not(self, cast, steps):
        with pytest.raises(NotPermitted):
            load_chains(cast.actor("chen"), None, steps, WITHIN, NOW)
        with pytest.raises(Invalid):
            load_chains(cast.actor("alice"), None, steps, WITHIN, NOW)
        type(cast.microscope).objects.filter(pk=cast.microscope.pk).update(publication="draft")
        with pytest.raises(NotFound):
            load_chains(cast.actor("wang"), None, steps, WITHIN, NOW)


class TestBook:
    def test_the_earliest_way(self, cast, steps):
        chain = book(cast, steps)
        assert times(chain) == [(1, at("2026-03-09 08:00")), (2, at("2026-03-09 10:30"))]
        assert chain.gaps == [[30, 1440]]
        assert written() == (1, 2, 2, 2, 2 + 4, 3)
        entry = TrailEntry.objects.get(action="chain.create")
        assert len(entry.after["reservations"]) == 2

    def test_at_starts_of_ones_own(self, cast, steps):
        chain = book(cast, steps, starts=[at("2026-03-09 10:00"), at("2026-03-10 09:00")])
        assert times(chain) == [(1, at("2026-03-09 10:00")), (2, at("2026-03-10 09:00"))]

    @pytest.mark.parametrize("second", ["2026-03-09 12:00", "2026-03-10 12:30", "2026-03-09 08:00"])
    def test_out_of_order(self, cast, steps, second):
        with pytest.raises(RulesRefuse) as refused:
            book(cast, steps, starts=[at("2026-03-09 10:00"), at(second)])
        assert [(r.booking, r.code) for r in refused.value.refusals] == [(1, "chain-order")]
        assert written() == (0, 0, 0, 0, 0, 0)

    def test_all_or_none(self, cast, steps):
        reserve(cast, "2026-03-09 13:00", "2026-03-09 14:00", who="sun")
        before = written()
        with pytest.raises(RulesRefuse) as refused:
            book(cast, steps, starts=[at("2026-03-09 10:00"), at("2026-03-09 13:00")])
        assert [(r.booking, r.code) for r in refused.value.refusals] == [(1, "slot-taken")]
        assert written() == before
        assert UnmetDemand.objects.get().instrument == cast.microscope

    def test_no_way(self, cast, steps):
        with pytest.raises(WrongState) as none:
            book(cast, steps, within=Period(at("2026-03-09 16:30"), at("2026-03-09 19:00")))
        assert none.value.code == "no-chain"
        with pytest.raises(Invalid):
            book(cast, steps, starts=[at("2026-03-09 10:00")])
        assert written() == (0, 0, 0, 0, 0, 0)

    def test_ones_own_hold_is_given_back(self, cast, saw, steps):
        slot = Period(at("2026-03-09 08:00"), at("2026-03-09 10:00"))
        hold = hold_take(By(cast.actor("wang"), NOW), booking=Booking(saw.pk, slot, None, "self"))
        chain = book(cast, steps)
        hold.refresh_from_db()
        assert (hold.state, times(chain)[0]) == ("cancelled", (1, slot.start))


class TestMove:
    def move(self, cast, chain, step, start, end):
        row = Reservation.objects.get(chain=chain, step=step)
        return reservation_move(
            By(cast.actor("wang"), NOW), reservation_id=row.pk, period=Period(at(start), at(end))
        )

    def test_within_its_pauses(self, cast, steps):
        chain = book(cast, steps)
        self.move(cast, chain, 2, "2026-03-09 15:00", "2026-03-09 16:00")
        assert times(chain)[1] == (2, at("2026-03-09 15:00"))

    @pytest.mark.parametrize(
        ("step", "start", "end"),
        [
            (2, "2026-03-09 10:00", "2026-03-09 11:00"),
            (2, "2026-03-10 11:00", "2026-03-10 12:00"),
            (1, "2026-03-09 08:30", "2026-03-09 10:30"),
            (1, "2026-03-09 08:00", "2026-03-09 10:30"),
        ],
    )
    def test_not_out_of_order(self, cast, steps, step, start, end):
        chain = book(cast, steps)
        before = times(chain)
        with pytest.raises(RulesRefuse) as refused:
            self.move(cast, chain, step, start, end)
        assert [r.code for r in refused.value.refusals] == ["chain-order"]
        assert times(chain) == before

    def test_once_the_other_is_given_up_it_is_free(self, cast, steps):
        chain = book(cast, steps)
        first = Reservation.objects.get(chain=chain, step=1)
        reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=first.pk, reason="")
        self.move(cast, chain, 2, "2026-03-09 08:00", "2026-03-09 09:00")


class TestCancel:
    def test_all_that_is_left(self, cast, steps):
        chain = book(cast, steps)
        done = chain_cancel(By(cast.actor("wang"), NOW), chain_id=chain.pk, reason="")
        assert done.version == 2
        assert set(Reservation.objects.values_list("state", flat=True)) == {"cancelled"}
        assert not Occupancy.objects.exists()
        assert OutboxMessage.objects.filter(kind="charge.due").count() == 2
        with pytest.raises(WrongState) as over:
            chain_cancel(By(cast.actor("wang"), NOW), chain_id=chain.pk, reason="")
        assert over.value.code == "chain-over"

    def test_what_it_costs(self, cast, steps):
        chain = book(cast, steps)
        now = at("2026-03-09 08:00") - timedelta(hours=30)
        found = load_chain_cancellation(cast.actor("wang"), chain.pk, now)
        # Half of 620 and half of 360, and 6 % tax.
        assert {c: (str(f), str(t)) for c, (f, t) in found.sums.items()} == {"CNY": ("490.00", "29.40")}
        host = load_chain_cancellation(cast.actor("zhao"), chain.pk, now)
        assert [str(n) for n in host.sums["CNY"]] == ["0", "0"]

    def test_who_may(self, cast, steps):
        chain = book(cast, steps)
        before = written()
        with pytest.raises(NotFound):
            chain_cancel(By(cast.actor("sun"), NOW), chain_id=chain.pk, reason="")
        with pytest.raises(NotPermitted):
            chain_cancel(By(cast.actor("auditor"), NOW), chain_id=chain.pk, reason="")
        with pytest.raises(Invalid):
            chain_cancel(By(cast.actor("zhao"), NOW), chain_id=chain.pk, reason="")
        with pytest.raises(WrongVersion):
            chain_cancel(By(cast.actor("wang"), NOW, 3), chain_id=chain.pk, reason="")
        assert written() == before
        chain_cancel(By(cast.actor("zhao"), NOW), chain_id=chain.pk, reason="no helium")
        assert not OutboxMessage.objects.filter(kind="charge.due").exists()


class TestTogether:
    def book(self, cast, steps, start="2026-03-09 10:00", who="wang", within=WITHIN):
        chain = chain_book(
            By(cast.actor(who), NOW),
            steps=steps,
            organisation=None,
            purpose="research",
            purpose_text="both beams",
            within=within,
            starts=[at(start)] * len(steps) if start else None,
            together=True,
        )
        assert chain is None
        return Reservation.objects.filter(purpose_text="both beams").order_by("pk")

    def test_moments_at_which_all_are_free(self, cast, saw, steps):
        reserve(cast, "2026-03-09 08:00", "2026-03-09 09:00", who="sun")
        reserve(cast, "2026-03-09 11:00", "2026-03-09 12:00", who="sun", instrument=saw)
        found = load_chains(cast.actor("wang"), None, steps, WITHIN, NOW, together=True).ways
        assert [p.stages[0].period.start for p in found[:2]] == [
            at("2026-03-09 09:00"),
            at("2026-03-09 12:00"),
        ]
        assert {(s.instrument.pk, s.period.minutes) for s in found[0].stages} == {
            (saw.pk, 120),
            (cast.microscope.pk, 60),
        }

    def test_booked_as_bookings_of_their_own(self, cast, saw, steps):
        kept = hold_take(
            By(cast.actor("wang"), NOW),
            booking=Booking(saw.pk, Period(at("2026-03-09 11:00"), at("2026-03-09 12:00")), None, "self"),
        )
        made = self.book(cast, steps)
        kept.refresh_from_db()
        assert kept.state == "cancelled"
        assert [(r.instrument_id, r.state, r.chain_id) for r in made] == [
            (saw.pk, "confirmed", None),
            (cast.microscope.pk, "confirmed", None),
        ]
        assert {r.start_at for r in made} == {at("2026-03-09 10:00")}
        assert [r.end_at for r in made] == [at("2026-03-09 12:00"), at("2026-03-09 11:00")]

    def test_all_or_none(self, cast, saw, steps):
        reserve(cast, "2026-03-09 10:30", "2026-03-09 11:00", who="sun")
        before = written()
        with pytest.raises(RulesRefuse) as refused:
            self.book(cast, steps)
        assert [(r.code, r.booking) for r in refused.value.refusals] == [("slot-taken", 1)]
        assert written() == before
        with pytest.raises(Invalid):
            self.book(cast, steps[:1])

    def test_at_the_first_moment_that_suits_all_where_none_is_named(self, cast, saw, steps):
        reserve(cast, "2026-03-09 08:00", "2026-03-09 09:00", who="sun")
        assert {r.start_at for r in self.book(cast, steps, start=None)} == {at("2026-03-09 09:00")}

    def test_no_moment_suits_all(self, cast, saw, steps):
        weekend = Period(at("2026-03-07 00:00"), at("2026-03-08 00:00"))
        before = written()
        with pytest.raises(WrongState) as refused:
            self.book(cast, steps, start=None, within=weekend)
        assert (refused.value.code, written()) == ("no-chain", before)
