from decimal import ROUND_DOWN, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.record.domain import money

D = Decimal

currencies = st.sampled_from(["CNY", "USD", "JPY", "KWD"])
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "CNY", "0.01"),
        ("0.0049999999999999999999999999999999999", "CNY", "0.00"),
        ("2.675", "EUR", "2.68"),
        ("2.665", "USD", "2.67"),  # half-even would give 2.66
        ("-0.005", "GBP", "-0.01"),
        ("-0.004", "GBP", "0.00"),
        ("6693.75", "JPY", "6694"),
        ("0.5", "KRW", "1"),
        ("1.5", "KRW", "2"),
        ("1.0005", "KWD", "1.001"),
        ("1E+3", "CNY", "1000.00"),
        ("1E+3", "JPY", "1000"),
    ],
)
def test_rounds_half_up_to_the_minor_unit(amount: str, currency: str, rounded: str) -> None:
    assert str(money.round_half_up(D(amount), currency)) == rounded
    assert money.format_amount(D(amount), currency) == rounded


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("CNY", 2), ("EUR", 2), ("USD", 2), ("GBP", 2), ("HKD", 2), ("JPY", 0), ("KRW", 0)],
)
def test_minor_digits(currency: str, digits: int) -> None:
    assert money.minor_digits(currency) == digits


@pytest.mark.parametrize("currency", ["", "XXX", "cny"])
def test_an_unknown_currency_is_an_error(currency: str) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        money.round_half_up(D(1), currency)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.50", "0.5"),
        ("1.00", "1"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0", "0"),
        ("-0.0", "0"),
        ("0.000", "0"),
        ("-12.50", "-12.5"),
        ("0.0000001", "0.0000001"),
    ],
)
def test_plain_numbers_have_no_exponent_and_no_trailing_zeros(value: str, text: str) -> None:
    assert money.format_number(D(value)) == text


def test_a_proportion_is_rounded_once_whatever_the_callers_context() -> None:
    with localcontext(Context(prec=3, rounding=ROUND_DOWN)):
        assert money.proportion(D("123456.78"), 50, 60, "USD") == D("102880.65")
        assert money.percentage(D("33.3333"), D("123456.78"), "USD") == D("41152.22")
        assert money.format_amount(D("123456.785"), "USD") == "123456.79"


def test_a_quotient_just_below_a_tie_is_not_taken_for_one() -> None:
    # 28 digits, the usual precision, would make a tie of it.
    amount = D("999999999999999999999999999.00499999999999999999")
    assert money.round_half_up(amount, "CNY") == D("999999999999999999999999999.00")
    assert money.proportion(amount, 60, 60, "CNY") == D("999999999999999999999999999.00")


@given(amounts, st.integers(0, 100_000), st.integers(1, 100_000), currencies)
def test_a_proportion_is_within_half_a_unit_of_the_truth_and_ties_go_away_from_zero(
    amount: Decimal, numerator: int, denominator: int, currency: str
) -> None:
    unit = Fraction(1, 10 ** money.minor_digits(currency))
    truth = Fraction(amount) * numerator / denominator
    error = Fraction(money.proportion(amount, numerator, denominator, currency)) - truth
    assert abs(error) <= unit / 2
    if abs(error) == unit / 2:
        assert (error > 0) == (truth > 0)


@given(amounts, currencies)
def test_rounding_twice_changes_nothing_and_amounts_read_back(amount: Decimal, currency: str) -> None:
    rounded = money.round_half_up(amount, currency)
    text = money.format_amount(amount, currency)
    assert money.round_half_up(rounded, currency) == rounded == D(text)
    assert len(text.partition(".")[2]) == money.minor_digits(currency)
    assert text.strip("-0.") or not text.startswith("-")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("106", "106", ""),
        ("106.00", "106", ""),
        ("1,079.68", "1079.68", ""),
        ("1.079,68", "1079.68", ""),
        ("1 079,68", "1079.68", ""),
        ("1079,68", "1079.68", ""),
        ("1,079", "1079", ""),
        ("0,5", "0.5", ""),
        ("cny 106.00", "106", "CNY"),
        ("106.00 EUR", "106", "EUR"),
        ("￥１０６.００", "106", ""),
        ("106 元", "106", ""),
        ("106元整", "106", ""),
        ("RMB 106", "106", "CNY"),
        ("人民币1,079.68元", "1079.68", "CNY"),
        ("HK$ 106.00", "106", "HKD"),
        ("1'079.68", "1079.68", ""),
        ("12,345", "12345", ""),
        ("1079,680", "1079.68", ""),
        ("-12.50", "-12.5", ""),
        ("\N{MINUS SIGN}12.50", "-12.5", ""),
    ],
)
def test_amounts_as_people_type_them(text, amount, currency):
    assert money.amount_named(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.00", "0001", "2026-0001", "Wang", "106 abc", "106 CNY HKD", "1e5", "NaN", "9" * 16, "1.2.3"],
)
def test_no_amounts(text):
    assert money.amount_named(text) is None


@given(st.decimals(Decimal("0.01"), Decimal("999999999.99"), places=2))
def test_every_written_amount_is_read_again(amount):
    for text in (f"{amount}", f"{amount:,}", f"CNY {amount:,}"):
        named = money.amount_named(text)
        assert named is not None and named[0] == amount


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("73383", ("73383", "73384", "")),
        ("73,383", ("73383", "73384", "")),
        ("CNY 73,383", ("73383", "73384", "CNY")),
        ("-12 元", ("12", "13", "")),
        ("73383.80", ("73383.80", None, "")),
        ("73383.00", ("73383", None, "")),
        ("73,383.0 CNY", ("73383", None, "CNY")),
        ("12,00 €", ("12", None, "EUR")),
    ],
)
def test_a_whole_number_finds_what_begins_with_it(text, found):
    amount, below, currency = money.amounts_searched(text)
    low, high, unit = found
    assert (amount, below, currency) == (Decimal(low), None if high is None else Decimal(high), unit)


def test_no_amount_finds_no_amount():
    assert money.amounts_searched("0") is None and money.amounts_searched("Fudan") is None


@given(st.decimals(Decimal("0.01"), Decimal(10**9), places=2))
def test_the_whole_part_of_an_amount_finds_it(amount):
    if amount >= 1:
        low, below, _ = money.amounts_searched(str(int(amount)))
        assert low <= amount < below
    low, below, _ = money.amounts_searched(f"{amount:,.2f}")
    assert (low, below) == (amount, None)
