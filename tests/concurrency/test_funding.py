"""Budgets hold whoever books at the same moment; a suspension cuts clean."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.domain.roles import By
from bookings.funding.services.defaults import defaults_give
from bookings.funding.services.funding import source_change, source_resume, source_suspend
from bookings.models import DefaultSource, Earmark, FundingSource, Reservation
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_request,
    reservations_request,
)
from tests.concurrency.races import ALWAYS, FIRST, HOUR, booking, codes, consistent, time_of, won
from tests.factories.funding import paid_by, source

pytestmark = pytest.mark.concurrency
AN_HOUR = Decimal("381.60")  # (260 + 100) + 6 %


@pytest.fixture
def several(real_cast):
    """Instruments, so that nothing but the budget is in anybody's way."""
    return [real_cast.instrument(name=f"No {n}", hours=ALWAYS) for n in range(4)]


def balanced():
    """What is set aside in each source is what its bookings have set aside, and no more than
    its budget."""
    for row in FundingSource.objects.all():
        held = Earmark.objects.filter(source=row).aggregate(held=Sum("held"))["held"] or 0
        assert row.held == held
        assert row.budget is None or row.held + row.spent <= row.budget


def test_twenty_bookings_and_a_budget_for_one(real_cast, several, race, rounds):
    cast = real_cast
    row = source(cast, budget=str(AN_HOUR))
    wang = cast.actor("wang")
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        results = race(
            [
                lambda i=i, s=begin + (i // 4) * HOUR, now=now: reservation_request(
                    By(wang, now), booking=booking(several[i % 4], s, funding=paid_by(row.code))
                )
                for i in range(20)
            ]
        )
        (made,) = won(results)
        assert codes(results) == ["funding-short"] * 19
        balanced()
        assert Earmark.objects.filter(reservation=made).get().held == AN_HOUR
        reservation_cancel(By(wang, now), reservation_id=made.pk, reason="")
        balanced()
    consistent()


def test_two_sources_given_at_once_are_one_default(real_cast, race, rounds):
    rows = [source(real_cast, f"D{n}", is_open=True) for n in range(4)]
    lin = real_cast.actor("lin")
    for _ in range(rounds(5)):
        DefaultSource.objects.all().delete()
        race(
            [
                lambda row=row: defaults_give(By(lin, FIRST), source_id=row.pk, people=["wang@fudan.example"])
                for row in rows
            ]
        )
        assert DefaultSource.objects.count() == 1


def test_a_suspension_among_bookings(real_cast, several, race, rounds):
    """What came before it stands, what comes after is refused."""
    cast = real_cast
    row = source(cast, budget=None)
    wang, lin = cast.actor("wang"), cast.actor("lin")
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        acts = [
            lambda i=i, s=begin + (i // 4) * HOUR, now=now: reservation_request(
                By(wang, now), booking=booking(several[i % 4], s, funding=paid_by(row.code))
            )
            for i in range(8)
        ]
        acts.insert(
            round_ % 9, lambda now=now: source_suspend(By(lin, now), source_id=row.pk, reason="Review")
        )
        results = race(acts)
        made = [each for each in won(results) if isinstance(each, Reservation)]
        assert codes(results) == ["source-suspended"] * (8 - len(made))
        row.refresh_from_db()
        assert row.suspended_at is not None
        balanced()
        source_resume(By(lin, now), source_id=row.pk)
    consistent()


def test_a_budget_lowered_among_bookings(real_cast, several, race, rounds):
    """Either the budget is less and bookings are refused, or they were first and it is not."""
    cast = real_cast
    row = source(cast, budget=str(4 * AN_HOUR))
    wang, lin = cast.actor("wang"), cast.actor("lin")
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        book = [
            lambda i=i, s=begin, now=now: reservation_request(
                By(wang, now), booking=booking(several[i], s, funding=paid_by(row.code))
            )
            for i in range(4)
        ]
        book.append(
            lambda now=now: source_change(By(lin, now), source_id=row.pk, changes={"budget": AN_HOUR})
        )
        results = race(book)
        balanced()
        made = [each for each in won(results) if isinstance(each, Reservation)]
        assert set(codes(results)) <= {"funding-short", "invalid"}
        for each in made:
            reservation_cancel(By(wang, now), reservation_id=each.pk, reason="")
        source_change(By(lin, now), source_id=row.pk, changes={"budget": 4 * AN_HOUR})
    consistent()


def test_sources_named_in_opposite_orders(real_cast, several, race, rounds):
    """Two of several bookings each, whose sources are named crosswise, and cancellations of
    both: nobody waits for ever."""
    cast = real_cast
    for code in ("A", "B"):
        source(cast, code, budget=None, users=("chen",))
    wang = cast.actor("wang")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        pairs = [(0, 1, "A", "B"), (2, 3, "B", "A")]
        results = race(
            [
                lambda pair=pair, start=start, now=now: reservations_request(
                    By(wang, now),
                    bookings=[
                        booking(several[pair[0]], start, funding=paid_by(pair[2])),
                        booking(several[pair[1]], start, funding=paid_by(pair[3])),
                    ],
                )
                for pair in pairs
            ]
        )
        assert len(won(results)) == 2
        race(
            [
                lambda pk=made.pk, now=now: reservation_cancel(By(wang, now), reservation_id=pk, reason="")
                for several_made in won(results)
                for made in several_made
            ]
        )
        balanced()
    assert {row.held for row in FundingSource.objects.all()} == {Decimal(0)}
    consistent()
