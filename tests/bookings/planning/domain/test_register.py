"""What the register tells: the band of a price, and texts without names."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.planning.domain.register import MASK, band_of, without_names


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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Wang Li uses it; WANG LI, too.", "… uses it; …, too."),
        ("由王丽负责。", "由…负责。"),
        ("Lightning and annealing stay as they are.", "Lightning and annealing stay as they are."),
        ("Ann, write to ann.b@example.org", "…, write to …"),
        ("Two days a week.\nReports each year.", "Two days a week.\nReports each year."),
    ],
)
def test_names_and_addresses_are_masked(text, masked):
    assert without_names(text, ["Wang Li", "Wang", "王丽", "Ann", "Li", "x", ""]) == masked


@given(st.text(min_size=2, alphabet="abc 王丽.*").filter(lambda name: len(name.strip()) > 1))
def test_nothing_is_left_of_a_name_that_stands_alone(name):
    assert without_names(f", {name.strip()}, ", [name]) == f", {MASK}, "
