"""Paying from several sources: parts that add up, and what refuses."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import Invalid
from bookings.funding.domain import funding
from bookings.funding.domain.funding_sources import SourceTerms, Used, require_terms, state_on

DAY = date(2026, 3, 6)
currencies = st.sampled_from(sorted(MINOR_DIGITS))


@st.composite
def percents(draw: st.DrawFn) -> list[Decimal]:
    """One to ten that add up to 100, each a whole number of thousandths above 0."""
    cuts = draw(st.lists(st.integers(min_value=1, max_value=99_999), max_size=9, unique=True).map(sorted))
    edges = [0, *cuts, 100_000]
    return [Decimal(b - a) / 1000 for a, b in pairwise(edges)]


@st.composite
def amounts(draw: st.DrawFn) -> tuple[Decimal, str]:
    currency = draw(currencies)
    units = draw(st.integers(min_value=-(10**15), max_value=10**15))
    return Decimal(units).scaleb(-MINOR_DIGITS[currency]), currency


@given(amounts(), percents())
def test_parts_add_up_and_are_within_a_unit_of_their_share(
    amount: tuple[Decimal, str], shares: list[Decimal]
) -> None:
    value, currency = amount
    unit = Decimal(1).scaleb(-MINOR_DIGITS[currency])
    parts = funding.split(value, shares, currency)
    assert sum(parts) == value
    for part, percent in zip(parts, shares, strict=True):
        assert part == part.quantize(unit)
        assert abs(part - value * percent / 100) < unit
        assert part == 0 or (part > 0) == (value > 0)


@given(amounts(), percents())
def test_what_is_reversed_is_split_the_same(amount: tuple[Decimal, str], shares: list[Decimal]) -> None:
    value, currency = amount
    assert funding.split(-value, shares, currency) == [
        -part for part in funding.split(value, shares, currency)
    ]


@given(percents())
def test_percents_that_add_up_are_shares(shares: list[Decimal]) -> None:
    funding.require_shares([funding.Share(str(n), percent) for n, percent in enumerate(shares)])
    if len(shares) > 1:
        with pytest.raises(Invalid):
            funding.require_shares([funding.Share(str(n), percent) for n, percent in enumerate(shares[1:])])


def purse(code: str = "A", **values: object) -> funding.Purse:
    fields = {
        "id": UUID(int=1),
        "code": code,
        "currency": "CNY",
        "left": Decimal(100),
        "valid_from": date(2026, 1, 1),
        "valid_until": None,
        "is_suspended": False,
        "may_charge": True,
    }
    return funding.Purse(**(fields | values))  # type: ignore[arg-type]


def refused(found: funding.Purse, payable: str, day: date | None = DAY, **rates: Decimal) -> list[str]:
    shares = [funding.Share(found.code, Decimal(100))]
    parts = funding.parts_of(shares, {found.code: found}, rates, Decimal(payable), "CNY")
    return [refusal.code for refusal in funding.refuse_parts(parts, "CNY", day)]


@pytest.mark.parametrize(
    ("changes", "payable", "codes"),
    [
        ({}, "100.00", []),
        ({}, "100.01", ["funding-short"]),
        ({"left": None}, "1000000", []),
        ({"left": Decimal(-5)}, "0.00", []),
        ({"left": Decimal(-5)}, "0.01", ["funding-short"]),
        ({"is_suspended": True}, "1", ["source-suspended"]),
        ({"valid_from": DAY}, "1", []),
        ({"valid_until": DAY}, "1", ["source-not-valid"]),
        ({"valid_until": date(2026, 3, 7)}, "1", []),
        ({"currency": "EUR"}, "1", ["no-exchange-rate"]),
        ({"currency": "EUR", "is_suspended": True}, "1", ["source-suspended", "no-exchange-rate"]),
    ],
)
def test_what_a_source_refuses(changes: dict, payable: str, codes: list[str]) -> None:
    assert refused(purse(**changes), payable) == codes


def test_time_given_back_asks_only_for_money() -> None:
    found = purse(is_suspended=True, valid_until=DAY)
    assert refused(found, "1", None) == []
    assert refused(found, "101", None) == ["funding-short"]


def test_a_rate_decides_what_is_set_aside() -> None:
    found = purse(currency="JPY", left=Decimal(2000))
    shares = [funding.Share("A", Decimal(100))]
    rates = {"JPY": Decimal("20.006")}
    (part,) = funding.parts_of(shares, {"A": found}, rates, Decimal("100.00"), "CNY")
    assert (part.reserved, part.left) == (Decimal(2001), Decimal(-1))
    assert refused(found, "100.00", JPY=Decimal("20.006")) == ["funding-short"]
    assert refused(found, "100.00", JPY=Decimal("20.004")) == []


def test_what_is_not_theirs_is_as_unknown_as_what_there_is_not() -> None:
    shares = [funding.Share("A", Decimal(50)), funding.Share("B", Decimal(50))]
    with pytest.raises(Invalid) as caught:
        funding.require_known(shares, {"A": purse(may_charge=False)})
    assert [(p.field, p.code) for p in caught.value.problems] == [
        ("funding[0].source", "unknown-source"),
        ("funding[1].source", "unknown-source"),
    ]


def test_every_problem_of_a_source_is_named() -> None:
    terms = SourceTerms("", UUID(int=1), "XXX", DAY, valid_until=DAY)
    with pytest.raises(Invalid) as caught:
        require_terms(terms, Used())
    assert [p.field for p in caught.value.problems] == ["name", "valid_until", "currency"]


@pytest.mark.parametrize(
    ("today", "is_suspended", "state"),
    [
        (date(2026, 3, 5), False, "coming"),
        (date(2026, 3, 6), False, "valid"),
        (date(2026, 3, 9), False, "valid"),
        (date(2026, 3, 10), False, "ended"),
        (date(2026, 3, 10), True, "suspended"),
    ],
)
def test_the_state_of_a_source(today: date, is_suspended: bool, state: str) -> None:
    assert state_on(today, DAY, date(2026, 3, 10), is_suspended=is_suspended) == state
