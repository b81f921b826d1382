"""The same with all that takes time for more than one booking at once: several instruments in
one request, series, chains, the waiting list. Between them everything of `test_stateful` goes on.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from accounts.domain.roles import By
from bookings.models import Chain, Reservation, Series, WaitingOffer, WaitingWish
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services import waiting
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import effective_state
from bookings.record.domain.steps import Gap, Placed, gaps_from_json, is_in_order
from bookings.reserving.selectors.moves import LIVE
from bookings.reserving.services.reservations import reservations_request
from bookings.series.services.series import series_book, series_cancel
from bookings.series.services.series_moves import series_move
from tests.conftest import DEEP
from tests.flows import test_stateful

PERSON, INSTRUMENT = st.sampled_from(test_stateful.PEOPLE), st.integers(0, 2)
RULES = ["FREQ=DAILY;COUNT=3", "FREQ=WEEKLY;COUNT=2", "FREQ=DAILY;INTERVAL=2;COUNT=2"]
SCOPE = st.sampled_from(["this", "following", "all"])
GAPS = st.sampled_from([Gap(0, 0), Gap(0, None), Gap(30, 120), Gap(0, 60)])


class Together(test_stateful.Bookings):
    """What `Bookings` does, and what makes, moves or offers many."""

    def written(self):
        more = (Series, Chain, WaitingWish, WaitingOffer)
        return (*super().written(), *(model.objects.count() for model in more))

    @rule(
        who=PERSON,
        wanted=st.lists(
            st.tuples(INSTRUMENT, test_stateful.STARTS, test_stateful.LENGTHS), min_size=2, max_size=4
        ),
    )
    def ask_for_several(self, who, wanted):
        bookings = [self.booking(*one) for one in wanted]
        made = self.attempt(
            "several", lambda: reservations_request(By(self.actors[who], self.now), bookings=bookings)
        )
        assert made is None or len(made) == len(wanted)

    # Series

    @rule(
        who=PERSON,
        instrument=INSTRUMENT,
        start=test_stateful.STARTS,
        length=test_stateful.LENGTHS,
        text=st.sampled_from(RULES),
        on_conflict=st.sampled_from(["skip", "refuse"]),
    )
    def repeat(self, who, instrument, start, length, text, on_conflict):
        booking = self.booking(instrument, start, length)
        made = self.attempt(
            "series",
            lambda: series_book(
                By(self.actors[who], self.now), booking=booking, rule=text, on_conflict=on_conflict
            ),
        )
        assert made is None or on_conflict == "skip" or not made.skipped

    def of_a_series(self, index):
        rows = [r for r in self.all_reservations() if r.series_id]
        return rows[index % len(rows)] if rows else None

    @rule(
        who=test_stateful.WHO,
        index=test_stateful.INDEX,
        scope=SCOPE,
        by=st.integers(-6, 6),
        longer=st.integers(-1, 1),
    )
    def move_series(self, who, index, scope, by, longer):
        found = self.of_a_series(index)
        if found is None:
            return
        end = max(
            found.end_at + (by + longer) * test_stateful.SLOT, found.start_at + (by + 1) * test_stateful.SLOT
        )
        self.attempt(
            "move series",
            lambda: series_move(
                By(self.actor_for(who, found), self.now),
                series_id=found.series_id,
                scope=scope,
                reservation_id=found.pk,
                period=Period(found.start_at + by * test_stateful.SLOT, end),
                reason="the pump is serviced",
            ),
        )

    @rule(who=test_stateful.WHO, index=test_stateful.INDEX, scope=SCOPE)
    def cancel_series(self, who, index, scope):
        found = self.of_a_series(index)
        if found is None:
            return
        self.attempt(
            "cancel series",
            lambda: series_cancel(
                By(self.actor_for(who, found), self.now),
                series_id=found.series_id,
                scope=scope,
                reservation_id=found.pk,
                reason="ill",
            ),
        )

    # Chains

    @rule(
        who=PERSON,
        order=st.permutations([0, 1, 2]),
        steps=st.integers(2, 3),
        lengths=st.lists(st.integers(1, 3), min_size=3, max_size=3),
        gaps=st.lists(GAPS, min_size=3, max_size=3),
        start=test_stateful.STARTS,
        is_fixed=st.booleans(),
    )
    def chain(self, who, order, steps, lengths, gaps, start, is_fixed):
        wishes = [
            StepWish(self.instruments[i].pk, 30 * length, "self", gap)
            for i, length, gap in zip(order[:steps], lengths, gaps, strict=False)
        ]
        first = self.period(start, 1).start
        starts, moment = [], first
        for wish in wishes:
            starts.append(
                moment + (wish.gap.least * test_stateful.MINUTE if starts else 0 * test_stateful.MINUTE)
            )
            moment = starts[-1] + wish.minutes * test_stateful.MINUTE
        self.attempt(
            "chain",
            lambda: chain_book(
                By(self.actors[who], self.now),
                steps=wishes,
                organisation=None,
                purpose="research",
                purpose_text="",
                within=Period(first, first + timedelta(days=2)),
                starts=starts if is_fixed else None,
            ),
        )

    @rule(who=test_stateful.WHO, index=test_stateful.INDEX)
    def cancel_chain(self, who, index):
        rows = [r for r in self.all_reservations() if r.chain_id]
        if not rows:
            return
        found = rows[index % len(rows)]
        self.attempt(
            "cancel chain",
            lambda: chain_cancel(
                By(self.actor_for(who, found), self.now), chain_id=found.chain_id, reason="ill"
            ),
        )

    # The waiting list

    @rule(
        who=PERSON,
        instrument=INSTRUMENT,
        start=test_stateful.STARTS,
        window=st.integers(1, 48),
        length=st.integers(1, 4),
        any_equivalent=st.booleans(),
    )
    def wish(self, who, instrument, start, window, length, any_equivalent):
        earliest = self.period(start, 1).start
        self.attempt(
            "wish",
            lambda: waiting.wish_make(
                By(self.actors[who], self.now),
                values=waiting.WishValues(
                    instrument_id=self.instruments[instrument].pk,
                    organisation=None,
                    service_mode="self",
                    earliest=earliest,
                    latest=earliest + (window + length) * test_stateful.SLOT,
                    minutes=30 * length,
                    any_equivalent=any_equivalent,
                ),
            ),
        )

    @rule(index=test_stateful.INDEX, who=test_stateful.WHO)
    def withdraw(self, index, who):
        wishes = list(WaitingWish.objects.order_by("-created_at", "-id"))
        if not wishes:
            return
        wish = wishes[index % len(wishes)]
        self.attempt(
            "withdraw",
            lambda: waiting.wish_withdraw(By(self.actor_for(who, wish), self.now), wish_id=wish.pk),
        )

    @rule(instrument=INSTRUMENT)
    def offer(self, instrument):
        made = waiting.slot_offer(instrument_id=self.instruments[instrument].pk, now=self.now)
        self.happened["offer"] += made is not None

    @rule()
    def look(self):
        self.happened["found by looking"] += waiting.wishes_look(now=self.now)
        self.happened["wishes settled"] += waiting.wishes_settle(now=self.now)
        assert waiting.wishes_settle(now=self.now) == 0

    # What holds after every step

    @invariant()
    def limits_hold(self):
        """What the waiting list offers does not count among the three."""
        offered = set(WaitingOffer.objects.values_list("reservation_id", flat=True))
        self.check_limits(without=offered)

    @invariant()
    def steps_follow_each_other(self):
        for made in Chain.objects.all():
            rows = Reservation.objects.filter(chain=made).order_by("step")
            placed = [Placed(r.step, Period(r.start_at, r.end_at)) for r in rows if r.state in LIVE]
            assert is_in_order(placed, gaps_from_json(made.gaps))

    @invariant()
    def places_of_a_series_are_its_own(self):
        seen = Counter(Reservation.objects.exclude(series=None).values_list("series_id", "occurrence_at"))
        assert max(seen.values(), default=1) == 1

    @invariant()
    def a_wish_has_one_offer_and_never_the_same_again(self):
        offers = defaultdict(list)
        for made in WaitingOffer.objects.select_related("reservation"):
            offers[made.wish_id].append(made.reservation)
        taken = set(
            Reservation.objects.filter(waiting_offer__isnull=False, quotes__isnull=False).values_list(
                "pk", flat=True
            )
        )
        for rows in offers.values():
            states = [effective_state(r.state, r.deadline_at, self.now) for r in rows]
            assert states.count("held") <= 1
            # What was taken may have been moved since.
            let_go = [r for r in rows if r.pk not in taken]
            for one, other in combinations(let_go, 2):
                assert one.instrument_id != other.instrument_id or not Period(one.start_at, one.end_at).meets(
                    Period(other.start_at, other.end_at)
                )


@pytest.mark.django_db
def test_whatever_is_done_together_in_whatever_order(cast):
    Together.cast = cast
    Together.instruments = [
        cast.instrument(name=name, hours=test_stateful.ALWAYS, policy=policy)
        for name, policy in test_stateful.POLICIES.items()
    ]
    Together.actors = {name: cast.actor(name) for name in test_stateful.EVERYBODY}
    Together.happened = Counter()
    run_state_machine_as_test(
        Together,
        settings=settings(
            max_examples=100 if DEEP else 6,
            stateful_step_count=60 if DEEP else 30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # What never came about was not tried.
    usual = {"ask"}
    rare = {
        "several",
        "series",
        "chain",
        "wish",
        "move series",
        "cancel series",
        "cancel chain",
        "withdraw",
        "offer",
        "wishes settled",
    }
    happened = {name for name, count in Together.happened.items() if count}
    assert not (usual | rare if DEEP else usual) - happened, Together.happened
