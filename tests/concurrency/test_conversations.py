"""A proposed time taken while others act at the same moment."""

import pytest

from accounts.domain.roles import By
from bookings.conversation.models import Comment, ProposedTime, Thread
from bookings.conversation.services.comments import comment_write
from bookings.conversation.services.proposals import proposal_accept, proposal_make
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from tests.concurrency.races import HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


@pytest.fixture
def proposed(real_cast, instrument):
    """A booking of a round, and the time two hours later that the host proposes for it."""
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")

    def make(round_):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        period = Period(start + 2 * HOUR, start + 3 * HOUR)
        proposal = proposal_make(By(zhao, now), reservation_id=made.pk, period=period)
        return made, proposal, period, now

    return make


def taking(actor, proposal, now):
    return lambda: proposal_accept(By(actor, now), proposal_id=proposal.pk)


def test_two_clicks_at_the_same_moment_are_one_move(real_cast, proposed, race, rounds):
    wang, chen = real_cast.actor("wang"), real_cast.actor("chen")
    for round_ in range(rounds(2)):
        made, proposal, period, now = proposed(round_)
        results = race([taking(wang, proposal, now), taking(chen, proposal, now)])
        assert len(won(results)) == 1
        assert codes(results) == ["proposal-decided"]
        made.refresh_from_db()
        assert (made.start_at, made.version) == (period.start, 2)
        assert ProposedTime.objects.get(pk=proposal.pk).state == "accepted"
    consistent()


def test_taking_against_cancelling(real_cast, proposed, race, rounds):
    """Either it moves and is cancelled there, or it is cancelled and the proposal has lapsed."""
    wang = real_cast.actor("wang")
    for round_ in range(rounds(2)):
        made, proposal, period, now = proposed(round_)
        taken, cancelled = race(
            [
                taking(wang, proposal, now),
                lambda made=made, now=now: reservation_cancel(
                    By(wang, now), reservation_id=made.pk, reason=""
                ),
            ]
        )
        assert won([cancelled])
        made.refresh_from_db()
        assert made.state == "cancelled"
        if won([taken]):
            assert made.start_at == period.start
        else:
            assert codes([taken]) == ["proposal-lapsed"]
            assert made.start_at == period.start - 2 * HOUR
    consistent()


def test_taking_against_another_booking_of_the_slot(real_cast, instrument, proposed, race, rounds):
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        made, proposal, period, now = proposed(round_)
        results = race(
            [
                taking(wang, proposal, now),
                lambda period=period, now=now: reservation_request(
                    By(sun, now), booking=booking(instrument, period.start)
                ),
            ]
        )
        assert len(won(results)) == 1
        assert codes(results) == ["slot-taken"]
        start = Reservation.objects.get(pk=made.pk).start_at
        state = ProposedTime.objects.get(pk=proposal.pk).state
        if won(results[:1]):
            assert (start, state) == (period.start, "accepted")
        else:
            assert (start, state) == (period.start - 2 * HOUR, "open")
    consistent()


def test_the_first_comments_of_twenty_make_one_conversation(real_cast, instrument, race, rounds):
    people = [real_cast.actor(name) for name in ("wang", "zhao", "chen", "lin")]
    for round_ in range(rounds(10)):
        start, now = time_of(round_)
        made = reservation_request(By(people[0], now), booking=booking(instrument, start))
        results = race(
            [
                lambda n=n, made=made, now=now: comment_write(
                    By(people[n % 4], now), kind="reservation", subject_id=made.pk, text=f"{n}"
                )
                for n in range(20)
            ]
        )
        assert len(won(results)) == 20
        thread = Thread.objects.get(reservation=made)
        assert (thread.version, Comment.objects.filter(thread=thread).count()) == (21, 20)
