"""Weights by day, severity, and the score of an exception."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.audit.domain.audit import RULES
from bookings.audit.domain.risk import (
    FIRST,
    Weight,
    amount_share,
    check_weight,
    number_share,
    score,
    share_of,
    weight_on,
    weights_of,
)

TODAY = date(2026, 3, 4)


def test_every_rule_has_a_weight():
    assert set(FIRST) == set(RULES)


@pytest.mark.parametrize(
    ("amount", "currency", "share"),
    [
        ("0", "CNY", 10), ("99.99", "CNY", 10), ("100", "CNY", 25), ("1000", "CNY", 50),
        ("-10000", "CNY", 75), ("100000", "EUR", 100), ("9999", "JPY", 10), ("10000", "JPY", 25),
    ],
)  # fmt: skip
def test_amounts_go_in_steps(amount, currency, share):
    assert amount_share(Decimal(amount), currency) == share


@pytest.mark.parametrize(
    ("rule", "numbers", "share"),
    [
        ("used-without-booking", {"minutes": 240, "state": "completed"}, 50),
        ("used-without-booking", {"minutes": 4800}, 100),
        ("made-after-use", {"minutes": 6}, 10),
        ("overrides", {"rules": "notice"}, 25),
        ("overrides", {"rules": "horizon, notice, quota"}, 75),
        ("other-than-card", {"fields": "fee", "count": 9}, 100),
        ("related-parties", {"people": 1}, 50),
        ("self-approval", {"count": 1}, 50),
        ("stale-listing", {"days": 730}, 50),
        ("hours-far-from-norm", {"percent": "4.0"}, 80),
        ("hours-far-from-norm", {"percent": "250.0"}, 50),
        ("voucher-near-cap", {"percent": 97}, 50),
        ("voucher-near-cap", {"percent": 101}, 100),
        ("books-not-trail", {"only": "books"}, 100),
        ("manual-correction", {"was": "x"}, 10),
    ],
)
def test_numbers_say_how_severe_it_is(rule, numbers, share):
    assert number_share(rule, numbers) == share


def test_the_higher_of_numbers_and_amount_counts():
    assert share_of("overrides", {"rules": "notice"}, Decimal(20_000), "CNY") == 75
    assert share_of("overrides", {"rules": "a, b, c, d"}, Decimal(20), "CNY") == 100
    assert share_of("overrides", {"rules": "notice"}, None, "") == 25


def test_the_score_is_rounded_half_up_and_never_nought():
    assert (score(80, 75), score(10, 25), score(1, 10), score(100, 100)) == (60, 3, 1, 100)


@given(st.integers(1, 100), st.integers(10, 100))
def test_a_score_grows_with_both_and_stays_below_the_weight(weight, share):
    found = score(weight, share)
    assert 1 <= found <= max(weight, 1)
    assert found >= score(max(weight - 1, 1), share) and found >= score(weight, max(share - 1, 10))


def test_a_weight_holds_from_its_day():
    weights = weights_of([("overrides", date(2026, 5, 1), 90), ("overrides", date(2026, 4, 1), 60)])
    days = (date(2026, 3, 31), date(2026, 4, 1), date(2026, 5, 2))
    assert [weight_on(weights, "overrides", day) for day in days] == [FIRST["overrides"], 60, 90]
    assert weight_on(weights, "gone", TODAY) == 50
    assert weights["overrides"][0] == Weight(date.min, FIRST["overrides"])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"rule": "other"}, "unknown-choice"),
        ({"weight": 0}, "out-of-range"),
        ({"weight": 101}, "out-of-range"),
        ({"valid_from": date(2026, 3, 3)}, "in-the-past"),
    ],
)
def test_a_weight_that_cannot_be(wrong, code):
    values = {"rule": "overrides", "weight": 50, "valid_from": TODAY, "today": TODAY}
    check_weight(**values)
    with pytest.raises(Invalid) as refused:
        check_weight(**values | wrong)
    assert refused.value.problems[0].code == code
