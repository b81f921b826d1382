"""The band of a price, which the register tells instead of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.planning.domain.register import band_of


@pytest.mark.parametrize(
    ("price", "least", "most"),
    [
        ("1", 0, 500_000),
        ("499999.999", 0, 500_000),
        ("500000", 500_000, 1_000_000),
        ("2000000", 2_000_000, 5_000_000),
        ("20000000", 20_000_000, None),
    ],
)
def test_a_band_has_its_lower_end(price, least, most):
    assert band_of(Decimal(price)) == (least, most)


@given(st.decimals(0, 10**12, places=3))
def test_a_price_lies_in_its_band(price):
    least, most = band_of(price)
    assert least <= price and (most is None or price < most)
