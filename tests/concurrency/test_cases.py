"""Purchase cases and ratings under several at once: one decision and one rating stand."""

from functools import partial

import pytest

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.models import KeptHours, SessionRating, UsageSession
from bookings.reserving.services.reservations import reservation_request
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase
from bookings.reviews.services import cases
from bookings.reviews.services.opinions import Opinion, expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from bookings.usage.services.ratings import rating_answer, session_rate
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import HOUR, booking, codes, time_of, won
from tests.factories.cast import NOW
from tests.factories.reviews import submitted

pytestmark = pytest.mark.concurrency
SHARE = cases.Decision("share_instead", ["usable-by-sharing"], "The hours are there.")
APPROVE = cases.Decision("approved", ["area-full"], "As the figures say.")
REFUSE = cases.Decision("refused", ["usable-by-sharing"], "As the figures say.")


def deciding(by, case, decision):
    return partial(cases.case_decide, by, case_id=case.pk, decision=decision)


def promising(cast, pledge, hours):
    answer = PledgeAnswer(answer="promise", hours=hours, from_date=NOW.date())
    return partial(pledge_answer, By(cast.actor("zhao"), NOW), pledge_id=pledge.pk, answer=answer)


def test_a_case_is_advised_on_promised_for_and_decided_at_once(real_cast, race, rounds):
    """One decision stands, made on enough opinions; what is shared instead is what was promised
    before it, and nothing is kept for a case that was approved."""
    cast = real_cast
    xu, chen, alice = (By(cast.actor(name), NOW) for name in ("xu", "chen", "alice"))
    for _ in range(rounds(4)):
        case = submitted(cast)
        # Hosts are asked by two at once, of what is frozen once.
        results = race([partial(cases.hosts_ask, xu, case_id=case.pk)] * 2)
        assert len(won(results)) == 1
        pledge = HostPledge.objects.get(case=case, instrument=cast.microscope)
        promising(cast, pledge, 300)()
        cases.case_review(xu, case_id=case.pk)
        expert = expert_ask(xu, case_id=case.pk, person="alice@nowhere.example")
        interest_declare(alice, expert_id=expert.pk, interest="")
        opinion = Opinion("share", ["usable-by-sharing"], "The microscope in Hefei does it.")
        advising = partial(opinion_give, alice, expert_id=expert.pk, opinion=opinion)
        results = race(
            [
                deciding(xu, case, SHARE),
                deciding(xu, case, APPROVE),
                advising,
                advising,
                promising(cast, pledge, 200),
            ]
        )
        decisions = won(results[:2])
        assert len(decisions) <= 1
        assert bool(decisions) <= bool(won(results[2:4]))
        if not decisions:  # it was asked for before there was an opinion
            assert set(codes(results[:2])) == {"too-few-opinions"}
            decisions = [deciding(xu, case, SHARE)()]
        case = PurchaseCase.objects.get(pk=case.pk)
        pledge.refresh_from_db()
        kept = KeptHours.objects.filter(pk=pledge.kept_hours_id, ended_at=None)
        if case.decision == "share_instead":
            assert kept.get().minutes == 60 * pledge.hours
        else:
            assert (case.decision, kept.exists()) == ("approved", False)
        assert CaseExpert.objects.exclude(advice="").filter(case=case).count() == 1
        # An appeal against the order, or a second appeal: one of them.
        other = cases.case_order if case.decision == "approved" else None
        results = race(
            [
                partial(cases.case_appeal, chen, case_id=case.pk, reason="We disagree."),
                partial(other, chen, case_id=case.pk)
                if other
                else partial(cases.case_appeal, chen, case_id=case.pk, reason="We do."),
            ]
        )
        assert len(won(results)) == 1
        # Decided anew by two at once: what the first decision kept is kept no longer.
        if not isinstance(results[0], Refused) or other is None:
            results = race([deciding(xu, case, REFUSE), deciding(xu, case, APPROVE)])
            assert len(won(results)) == 1
        assert not KeptHours.objects.filter(ended_at=None).exists()


def test_rated_and_answered_at_once(real_cast, race, rounds, instrument):
    """Two ratings and two answers of one session: one rating stands with all its marks."""
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        reservation_check_in(By(wang, start), reservation_id=made.pk)
        reservation_check_out(By(wang, start + HOUR), reservation_id=made.pk)
        later = start + 2 * HOUR

        def rate(mark, pk=made.pk, later=later):
            return session_rate(By(wang, later), reservation_id=pk, rating=mark, usable=mark)

        def answer(text, pk=made.pk, later=later):
            return rating_answer(By(zhao, later), reservation_id=pk, answer=text)

        results = race([partial(rate, 1), partial(rate, 5), partial(answer, "a"), partial(answer, "b")])
        assert len(won(results[:2])) == 1
        assert codes(results[:2]) == ["rated-already"]
        assert set(codes(results[2:])) <= {"nothing-rated"}
        row = SessionRating.objects.get(session__reservation=made)
        session = UsageSession.objects.get(reservation=made)
        assert (session.rating, row.usable) in {(1, 1), (5, 5)}
        assert bool(row.answer) == bool(won(results[2:]))
