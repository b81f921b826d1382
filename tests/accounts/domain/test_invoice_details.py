"""The shape of invoice details, and how little of a bank account a message shows."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from accounts.domain.invoice_details import LENGTHS, masked, parse_invoice_details, told_apart


def problems(**values):
    with pytest.raises(Invalid) as refused:
        parse_invoice_details(values)
    return [(p.field, p.code, dict(p.numbers)) for p in refused.value.problems]


def test_blanks_and_empty_lines_go():
    parsed = parse_invoice_details({"address": "  96 Jinzhai Road\r\n\r\n Hefei\t\n", "tax_number": " 1 "})
    assert parsed == {"address": "96 Jinzhai Road\nHefei", "tax_number": "1"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"legal_name": "x" * 201}, ("legal_name", "too-long", {"most": 200})),
        ({"tax_number": "1\n2"}, ("tax_number", "too-many", {"most": 1})),
        ({"address": "\n".join("abcdefghi")}, ("address", "too-many", {"most": 8})),
        ({"bank_account": "622\u202e226"}, ("bank_account", "bad-character", {})),
        ({"bank_account": "622\u200b226"}, ("bank_account", "bad-character", {})),
        ({"legal_name": "a\0b"}, ("legal_name", "bad-character", {})),
        ({"colour": "red"}, ("colour", "unknown-field", {})),
    ],
)
def test_what_cannot_be_printed_is_refused(values, expected):
    assert problems(**values) == [expected]


def test_all_problems_are_told_at_once():
    assert [p[0] for p in problems(legal_name="x" * 201, tax_number="\x07")] == ["legal_name", "tax_number"]


@given(st.dictionaries(st.sampled_from(sorted(LENGTHS)), st.text(max_size=60)))
def test_what_is_kept_is_kept_the_same_again(values):
    try:
        parsed = parse_invoice_details(values)
    except Invalid:
        return
    assert parse_invoice_details(parsed) == parsed
    for name, text in parsed.items():
        assert len(text) <= LENGTHS[name]
        assert not [s for s in text if s != "\n" and unicodedata.category(s) in {"Cc", "Cf"}]


@given(st.text(max_size=80))
def test_a_message_shows_four_signs_at_most(account):
    assert len(masked(account)) <= 5
    assert masked("中国银行合肥分行\n6222 0260 0100 1234") == "…1234"


@given(st.text("0123", min_size=0, max_size=12), st.text("0123", min_size=0, max_size=12))
def test_what_is_told_of_a_changed_account_differs(before, after):
    old, new = told_apart("iban", before, after)
    assert (old == new) == (before == after)
    assert len(old) <= 6 and len(new) <= 6
