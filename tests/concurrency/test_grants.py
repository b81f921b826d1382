"""Vouchers hold whoever books, grants or lowers at the same moment: what is granted stays within
the programme's budget, what is set aside within the grant."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.domain.roles import By
from bookings.funding.services.grants import GrantChange, grant_change
from bookings.models import Earmark, Quote, VoucherGrant, VoucherProgramme
from bookings.pricing.services.agreements import agreement_sign
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won
from tests.factories.agreements import agree, grant, programme, propose
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency
D = Decimal
EACH = D(140)  # half of an hour in Anhui under the agreement: 200 - 20 + 100 set-up


@pytest.fixture
def instruments(real_cast):
    """Four, so that nothing but the grant stands between their bookings."""
    return [real_cast.instrument(name=f"Open {n}", hours=ALWAYS) for n in range(4)]


@pytest.fixture
def vouchers(real_cast):
    agree(real_cast)
    return programme(real_cast)


def sums(given):
    """What the grant says, which is what its earmarks say."""
    given.refresh_from_db()
    rows = Earmark.objects.filter(grant=given)
    held = rows.aggregate(held=Sum("held"))["held"] or 0
    assert given.held == held
    assert given.amount >= given.held + given.redeemed
    return given.held


def test_twenty_bookings_and_a_grant_for_three(real_cast, race, rounds, instruments, vouchers):
    """Three are covered whole, the others not at all; all are booked."""
    cast = real_cast
    wang = cast.actor("wang")
    for round_ in range(rounds(10)):
        given = grant(cast, vouchers, str(3 * EACH))
        start, now = time_of(6 * round_)
        results = race(
            [
                lambda i=i, start=start, now=now: reservation_request(
                    By(wang, now), booking=booking(instruments[i % 4], start + (i // 4) * HOUR)
                )
                for i in range(20)
            ]
        )
        assert (len(won(results)), codes(results)) == (20, [])
        assert sums(given) == 3 * EACH
        covered = Quote.objects.filter(reservation__in=[made.pk for made in results])
        amounts = sorted(D(quote.result["covered"]) for quote in covered)
        assert amounts == [D(0)] * 17 + [EACH] * 3
        assert Earmark.objects.filter(grant=given, held=EACH).count() == 3
    consistent()


def test_booking_and_cancelling(real_cast, race, rounds, instruments, vouchers):
    """What one gives back another takes; nothing is lost, nothing is there twice."""
    cast = real_cast
    wang = cast.actor("wang")
    given = grant(cast, vouchers, str(3 * EACH))
    for round_ in range(rounds(10)):
        start, now = time_of(6 * round_)
        made = [reservation_request(By(wang, now), booking=booking(instruments[i], start)) for i in range(3)]
        assert sums(given) == 3 * EACH
        cancels = [
            lambda pk=row.pk, now=now: reservation_cancel(By(wang, now), reservation_id=pk, reason="")
            for row in made
        ]
        books = [
            lambda i=i, start=start, now=now: reservation_request(
                By(wang, now), booking=booking(instruments[i % 4], start + (1 + i // 4) * HOUR)
            )
            for i in range(8)
        ]
        results = race([*cancels, *books])
        assert len(won(results)) == 11
        held = sums(given)
        assert held <= 3 * EACH
        later = results[3:]
        assert (
            held
            == EACH
            * Earmark.objects.filter(
                grant=given, reservation__in=[row.pk for row in later], released_at=None
            ).count()
        )
        for row in later:
            reservation_cancel(By(wang, now), reservation_id=row.pk, reason="")
        assert sums(given) == 0


def test_lowered_while_it_is_used(real_cast, race, rounds, instruments, vouchers):
    """Either it is lowered and covers less, or what was set aside keeps it where it is."""
    cast = real_cast
    wang, xu = cast.actor("wang"), cast.actor("xu")
    for round_ in range(rounds(5)):
        given = grant(cast, vouchers, str(2 * EACH))
        start, now = time_of(6 * round_)
        results = race(
            [
                lambda pk=given.pk: grant_change(By(xu, NOW), grant_id=pk, change=GrantChange(amount=EACH)),
                *(
                    lambda i=i, start=start, now=now: reservation_request(
                        By(wang, now), booking=booking(instruments[i], start)
                    )
                    for i in range(4)
                ),
            ]
        )
        lowered = not codes(results)
        assert codes(results) in ([], ["invalid"])
        assert sums(given) == (EACH if lowered else 2 * EACH)
        assert given.amount == (EACH if lowered else 2 * EACH)


def test_grants_against_the_budget_of_a_programme(real_cast, race, rounds):
    """Room for three: three are made, whoever asks."""
    cast = real_cast
    xu = cast.actor("xu")
    for round_ in range(rounds(5)):
        made = programme(cast, code=f"p{round_}", budget=D(1000))
        results = race([lambda made=made: grant(cast, made, "300") for _ in range(12)])
        given = won(results)
        assert (len(given), codes(results)) == (3, ["invalid"] * 9)
        assert len({row.code for row in given}) == 3
        # A hundred is left: of three who raise by sixty, one does.
        results = race(
            [
                lambda pk=row.pk: grant_change(By(xu, NOW), grant_id=pk, change=GrantChange(amount=D(360)))
                for row in given
            ]
        )
        assert (len(won(results)), codes(results)) == (1, ["invalid"] * 2)
        row = VoucherProgramme.objects.get(pk=made.pk)
        grants = VoucherGrant.objects.filter(programme=made).aggregate(all=Sum("amount"))
        assert row.granted == grants["all"] == 960


def test_signed_by_both_at_once(real_cast, race, rounds):
    """It is in force whoever came last, and each signed once."""
    cast = real_cast
    people = [cast.actor("coordinator"), cast.actor("xu")] * 3
    for round_ in range(rounds(5)):
        days = {"valid_from": date(2026 + round_, 1, 1), "valid_until": date(2027 + round_, 1, 1)}
        made = propose(cast, code=f"a{round_}", now=NOW - timedelta(days=1), **days)
        results = race(
            [lambda who=who, pk=made.pk: agreement_sign(By(who, NOW), agreement_id=pk) for who in people]
        )
        assert len(won(results)) == 2
        assert set(codes(results)) <= {"signed-already", "wrong-state"}
        made.refresh_from_db()
        assert (made.signed_at, made.version) == (NOW, 3)


def test_two_alike_signed_at_once(real_cast, race, rounds):
    """Of two agreements of the same regions and days one is in force."""
    cast = real_cast
    for round_ in range(rounds(5)):
        days = {"valid_from": date(2026 + round_, 1, 1), "valid_until": date(2027 + round_, 1, 1)}
        proposals = [propose(cast, code=f"{name}{round_}", **days) for name in ("a", "b")]
        for each in proposals:
            agreement_sign(By(cast.actor("coordinator"), NOW), agreement_id=each.pk)
        results = race(
            [
                lambda pk=each.pk: agreement_sign(By(cast.actor("xu"), NOW), agreement_id=pk)
                for each in proposals
            ]
        )
        assert (len(won(results)), codes(results)) == (1, ["invalid"])
