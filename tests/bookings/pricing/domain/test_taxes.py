"""Where the payer owes the tax: between two countries of the Union, with numbers for value added tax."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.pricing.domain.taxes import UNION, is_reverse_charge, is_vat

NUMBERS = {"DE": "DE 123456789", "FR": "FR12345678901", "GR": "EL123456789", "ES": "ESX1234567X"}


@pytest.mark.parametrize(
    ("number", "country", "fits"),
    [
        ("DE123456789", "DE", True),
        ("de 123.456-789", "DE", True),
        ("EL123456789", "GR", True),
        ("FR12345678901", "DE", False),
        ("DE", "DE", False),
        ("DEABCDEFGHI", "DE", False),  # no digit
        ("DE12345678901234", "DE", False),
        ("DE１２３４５６７８９", "DE", False),
        ("123456789", "DE", False),
        ("", "", False),
        ("DE12", "DE", False),
        ("DE00", "DE", False),
        ("DE000000000", "DE", False),
        ("DE12345678", "DE", False),
        ("ATU12345678", "AT", True),
        ("AT12345678", "AT", False),
        ("NL123456789B01", "NL", True),
        ("IE1234567WA", "IE", True),
        ("RO12", "RO", True),
        ("XI123456789", "IE", False),
        ("12100000485001086E", "CN", False),
        ("GB 123 4567 89", "GB", True),
    ],
)
def test_the_form_of_a_number(number, country, fits):
    assert is_vat(number, country) == fits


def reversed_for(host_country, payer_country, **numbers):
    found = {"host": NUMBERS.get(host_country, "X"), "payer": NUMBERS.get(payer_country, "X")} | numbers
    return is_reverse_charge(
        host_country=host_country,
        payer_country=payer_country,
        host_tax_number=found["host"],
        payer_tax_number=found["payer"],
    )


def test_between_two_countries_of_the_union_with_two_numbers():
    assert reversed_for("DE", "FR") and reversed_for("GR", "ES")
    assert not reversed_for("DE", "DE")
    assert not reversed_for("DE", "FR", payer="")  # a consumer, or no number: taxed at home
    assert not reversed_for("DE", "FR", host="")
    assert not reversed_for("DE", "FR", payer="DE123456789")
    for other in ("GB", "CH", "CN", "US", ""):
        numbers = {"host": f"{other}123456789", "payer": "FR12345678901"}
        assert not reversed_for(other, "FR", **numbers)
        assert not reversed_for("FR", other, host="FR12345678901", payer=f"{other}123456789")


@given(
    st.sampled_from(["CN", "HK", "GB", "", *sorted(UNION)]),
    st.sampled_from(["CN", "", *sorted(UNION)]),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_never_at_home_or_outside_the_union_whatever_the_numbers(host, payer, one, other):
    found = is_reverse_charge(
        host_country=host, payer_country=payer, host_tax_number=one, payer_tax_number=other
    )
    if found:
        assert host != payer and {host, payer} <= UNION
        assert is_vat(one, host) and is_vat(other, payer)
