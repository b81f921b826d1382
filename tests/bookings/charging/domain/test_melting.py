"""A late-cancellation fee melts by what others used of the freed time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.charging.domain.melting import fee_that_melts, melt, used_minutes
from bookings.record.domain.money import round_half_up

D = Decimal
START = datetime(2026, 3, 6, 2, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def spans(*pairs: tuple[float, float]) -> list[tuple[datetime, datetime]]:
    return [(at(a), at(b)) for a, b in pairs]


@pytest.mark.parametrize(
    ("used", "minutes"),
    [
        ([], 0),
        ([(0, 120)], 120),
        ([(-60, 180)], 120),
        ([(-60, 0), (120, 180)], 0),
        ([(10, 30), (20, 50)], 40),  # a minute counts once
        ([(20, 50), (10, 30), (15, 25)], 40),
        ([(10, 30), (60, 90)], 50),
        ([(10.99, 30.99)], 20),  # seconds are cut off at both ends
        ([(30, 30)], 0),
    ],
)
def test_minutes_that_others_used(used: list[tuple[float, float]], minutes: int) -> None:
    assert used_minutes((at(0), at(120)), spans(*used)) == minutes


@pytest.mark.parametrize(
    ("fee", "tax", "used", "fee_off", "tax_off"),
    [
        ("620.00", "37.20", [(0, 60)], "310.00", "18.60"),
        ("620.00", "37.20", [(0, 120)], "620.00", "37.20"),
        ("620.00", "37.20", [], "0", "0"),
        # 100 x 83/120 = 69.1666... stays as 69.17; of the tax 6 x 83/120 = 4.15.
        ("100.00", "6.00", [(0, 37)], "30.83", "1.85"),
        ("0.01", "0.00", [(0, 61)], "0.01", "0.00"),
        ("0.01", "0.00", [(0, 60)], "0.00", "0.00"),  # half a cent stays a cent
    ],
)
def test_what_remains_is_rounded_once(
    fee: str, tax: str, used: list[tuple[float, float]], fee_off: str, tax_off: str
) -> None:
    melted = melt(fee=D(fee), tax=D(tax), currency="CNY", period=(at(0), at(120)), used=spans(*used))
    assert (melted.fee, melted.tax) == (D(fee_off), D(tax_off))


def test_in_a_currency_without_cents() -> None:
    melted = melt(fee=D(1000), tax=D(100), currency="JPY", period=(at(0), at(90)), used=spans((0, 30)))
    assert (melted.fee, melted.tax) == (333, 33)


def test_what_was_waived_does_not_melt_again() -> None:
    assert fee_that_melts(D("620.00"), tax_percent=D(6), waived_percent=D(50), currency="CNY") == (
        D("310.00"),
        D("18.60"),
    )


moments = st.integers(-200, 400)


@given(
    fee=st.integers(0, 10**7).map(lambda cents: D(cents) / 100),
    tax_percent=st.sampled_from([D(0), D(6), D("13.5")]),
    minutes=st.integers(1, 300),
    used=st.lists(st.tuples(moments, moments).map(sorted), max_size=6),
)
def test_never_more_than_the_fee_and_exactly_the_share(
    fee: Decimal, tax_percent: Decimal, minutes: int, used: list[list[int]]
) -> None:
    tax = round_half_up(fee * tax_percent / 100, "CNY")
    period = (at(0), at(minutes))
    given_spans = spans(*((a, b) for a, b in used))
    melted = melt(fee=fee, tax=tax, currency="CNY", period=period, used=given_spans)
    taken = {m for a, b in used for m in range(max(a, 0), min(b, minutes))}
    assert melted.used == len(taken)
    assert 0 <= melted.fee <= fee and 0 <= melted.tax <= tax
    left = fee - melted.fee
    assert left == round_half_up(fee * (minutes - len(taken)) / minutes, "CNY")
    # More use never melts less, and the order in which it is told does not matter.
    more = melt(fee=fee, tax=tax, currency="CNY", period=period, used=[*given_spans[::-1], (at(0), at(1))])
    assert more.fee >= melted.fee
