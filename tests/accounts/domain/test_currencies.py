"""How amounts are written: with the decimals of their currency, and no digit lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.currencies import MINOR_DIGITS, in_decimals


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("12", "CNY", "12.00"),
        ("12.500", "CNY", "12.50"),
        ("0.0125", "CNY", "0.0125"),
        ("1250.000", "JPY", "1250"),
        ("7", "KWD", "7.000"),
        ("-0.5", "EUR", "-0.50"),
        ("1E+3", "CNY", "1000.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(value: str, currency: str, written: str) -> None:
    assert in_decimals(Decimal(value), currency) == written


@given(st.decimals(-(10**12), 10**12, places=4), st.sampled_from(sorted(MINOR_DIGITS)))
def test_no_digit_is_lost(value: Decimal, currency: str) -> None:
    written = in_decimals(value, currency)
    assert Decimal(written) == value
    assert len(written.partition(".")[2]) >= MINOR_DIGITS[currency]
