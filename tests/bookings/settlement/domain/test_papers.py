"""What a statement prints by country: accounts, notes on tax, and amounts in Chinese capitals."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.organisations import country_of
from bookings.record.domain.money import round_half_up
from bookings.settlement.domain import papers
from bookings.settlement.domain.papers import account_of, in_capitals, stated_tax, tax_note

BANK = {
    "bank_name": "Bank, Branch",
    "account_number": "0001",
    "iban": "GB82WEST12345698765432",
    "bic": "WESTGB22",
    "bank_account": "Sort code 1",
}


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "人民币零元整"),
        ("0.05", "人民币伍分"),
        ("0.50", "人民币伍角整"),
        ("0.58", "人民币伍角捌分"),
        ("1", "人民币壹元整"),
        ("10", "人民币壹拾元整"),
        ("1.05", "人民币壹元零伍分"),
        ("107.50", "人民币壹佰零柒元伍角整"),
        ("674.50", "人民币陆佰柒拾肆元伍角整"),
        ("1409.52", "人民币壹仟肆佰零玖元伍角贰分"),
        ("10001", "人民币壹万零壹元整"),
        ("100000000", "人民币壹亿元整"),
        ("100010000.10", "人民币壹亿零壹万元壹角整"),
        ("1000000000000", "人民币壹万亿元整"),
        ("-268", "人民币负贰佰陆拾捌元整"),
    ],
)
def test_amounts_in_capitals(amount, words):
    assert in_capitals(Decimal(amount)) == words


UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def read(words):
    """Read capitals as a bank does: digits times places, 万 and 亿 multiply what stands before them."""
    words = words.removeprefix("人民币")
    sign = -1 if words.startswith("负") else 1
    words = words.removeprefix("负").removesuffix("整")
    yuan, _, cents = words.rpartition("元")
    total = section = digit = 0
    for sign_of in yuan:
        if sign_of in UNITS:
            section += digit * UNITS[sign_of]
            digit = 0
        elif sign_of == "万":
            section, digit = (section + digit) * 10**4, 0
        elif sign_of == "亿":
            total, section, digit = (total + section + digit) * 10**8, 0, 0
        else:
            digit = "零壹贰叁肆伍陆柒捌玖".index(sign_of)
    value = Decimal(total + section + digit)
    for word, part in (("角", "0.1"), ("分", "0.01")):
        before, found, _ = cents.partition(word)
        if found:
            value += "零壹贰叁肆伍陆柒捌玖".index(before[-1]) * Decimal(part)
    return sign * value


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=2))
def test_capitals_read_back_are_the_amount(amount):
    words = in_capitals(amount)
    assert read(words) == amount
    assert "零零" not in words and "零元" not in words.removeprefix("人民币零元").replace("负零元", "")


@pytest.mark.parametrize(
    ("host", "payer", "names"),
    [
        ("CN", "CN", ["bank_name", "account_number", "bank_account"]),
        ("GB", "CN", ["bank_name", "iban", "bic", "bank_account"]),
        ("GB", "", ["bank_name", "iban", "bic", "bank_account"]),
    ],
)
def test_the_account_by_the_payers_country(host, payer, names):
    rows = account_of(BANK, host, payer)
    assert [name for name, _ in rows] == names
    assert dict(rows).get("iban", "GB82 WEST 1234 5698 7654 32") == "GB82 WEST 1234 5698 7654 32"


def test_what_has_been_entered_is_printed_in_any_case():
    abroad = account_of({"account_number": "1", "bic": "B"}, "CN", "GB")
    assert abroad == [("account_number", "1"), ("bic", "B")]
    assert account_of({"iban": "GB82"}, "GB", "GB") == [("iban", "GB82")]
    assert account_of({"bank_account": "lines"}, "", "") == [("bank_account", "lines")]
    assert account_of({}, "CN", "CN") == []


@given(
    st.fixed_dictionaries({name: st.sampled_from(["", "X"]) for name in BANK}),
    *[st.sampled_from(["", "CN", "GB", "DE"])] * 2,
)
def test_an_account_that_was_entered_is_never_left_out(bank, host, payer):
    shown = {name for name, _ in account_of(bank, host, payer)}
    entered = {name for name in ("iban", "account_number") if bank[name]}
    assert bool(shown & {"iban", "account_number"}) == bool(entered)
    assert "bic" in shown or not bank["bic"] or (host == payer and "account_number" in shown)


@pytest.mark.parametrize(
    ("host", "payer", "is_reversed", "tax", "said"),
    [
        ("DE", "FR", True, "0", "reverse_charge"),
        ("DE", "FR", True, "19.00", "reverse_charge"),  # on some of its charges
        ("DE", "FR", False, "0", ""),
        ("DE", "FR", False, "19.00", ""),
        ("DE", "DE", False, "0", ""),
        ("GB", "CN", False, "0", "abroad"),
        ("CN", "GB", False, "0", "abroad"),
        ("CN", "GB", False, "6.00", ""),
        ("", "GB", False, "0", ""),
    ],
)
def test_the_note_on_a_tax_that_is_not_charged(host, payer, is_reversed, tax, said):
    note = tax_note(host_country=host, payer_country=payer, is_reversed=is_reversed, tax=Decimal(tax))
    assert note == said


@pytest.mark.parametrize(
    ("scheme", "code", "calendar", "country"),
    [
        ("ISO 3166-2", "CN-AH", "", "CN"),
        ("ISO 3166-2", "CN-HK", "", "HK"),
        ("ISO 3166", "GB", "", "GB"),
        ("ISO 3166-2", "GB-SCT", "", "GB"),
        ("GB/T 2260", "340000", "", "CN"),
        ("GB/T 2260", "340100", "", "CN"),
        ("GB/T 2260", "810000", "", "HK"),
        ("own", "delta", "CN", "CN"),
        ("own", "delta", "", ""),
    ],
)
def test_the_country_of_a_region(scheme, code, calendar, country):
    assert country_of(scheme, code, calendar) == country


@given(
    st.lists(st.integers(min_value=-100_000, max_value=10_000_000), max_size=300),
    st.sampled_from(["6", "19", "20", "5.5"]),
)
def test_the_tax_of_many_lines_is_within_the_tolerance_of_en_16931(cents, percent):
    nets = [Decimal(each).scaleb(-2) for each in cents]
    rate = Decimal(percent)
    tax = sum((round_half_up(net * rate / 100, "EUR") for net in nets), Decimal(0))
    net = sum(nets, Decimal(0))
    stated = stated_tax(net, tax, rate, "EUR")
    assert abs(stated - round_half_up(net * rate / 100, "EUR")) < 1
    assert stated == tax or abs(tax - round_half_up(net * rate / 100, "EUR")) >= 1


def test_two_thousand_lines_rounded_the_same_way_state_the_tax_of_the_sum():
    # 0.08 at 6 per cent is 0.0048: nothing on each line, 9.60 on all of them.
    assert stated_tax(Decimal("160.00"), Decimal(0), Decimal(6), "EUR") == Decimal("9.60")
    assert stated_tax(Decimal("160.00"), Decimal("9.00"), Decimal(6), "EUR") == Decimal("9.00")


@pytest.mark.parametrize(
    ("country", "text", "lines", "city", "code"),
    [
        ("CN", "96 Jinzhai Road\nHefei 230026", ["96 Jinzhai Road"], "Hefei", "230026"),
        ("CN", "安徽省合肥市金寨路96号\n230026 合肥市", ["安徽省合肥市金寨路96号"], "合肥市", "230026"),
        ("CN", "金寨路96号\n合肥\n230026", ["金寨路96号"], "合肥", "230026"),
        ("CN", "金寨路96号\n230026", ["金寨路96号"], "", "230026"),
        (
            "CN",
            "学院\n安徽省合肥市金寨路96号\n230026",
            ["学院", "安徽省合肥市金寨路96号"],
            "合肥市",
            "230026",
        ),
        ("CN", "学院\n合肥市金寨路96号 230026", ["学院", "合肥市金寨路96号"], "合肥市", "230026"),
        ("CN", "上海市邯郸路220号\n邮编：200433", ["上海市邯郸路220号"], "上海市", "200433"),
        ("DE", "Weg 1\n80333 München\nGermany", ["Weg 1", "Germany"], "München", "80333"),
        ("DE", "Haus 3\nHauptstr. 1\nD-10115 Berlin", ["Haus 3", "Hauptstr. 1"], "Berlin", "10115"),
        ("FR", "1 rue X\n75005 Paris CEDEX 05", ["1 rue X"], "Paris CEDEX 05", "75005"),
        ("NL", "Weg 1\n1098 XH  Amsterdam", ["Weg 1"], "Amsterdam", "1098 XH"),
        ("GB", "1 Road\nEdinburgh EH8 9YL", ["1 Road"], "Edinburgh", "EH8 9YL"),
        ("GB", "1 Road\nEdinburgh\nEH8 9YL", ["1 Road"], "Edinburgh", "EH8 9YL"),
        ("GB", "1 Road\nInverness", ["1 Road", "Inverness"], "", ""),
        ("CN", "金寨路96号\n安徽", ["金寨路96号", "安徽"], "", ""),
        ("SE", "Vägen 1\n111 22 Stockholm", ["Vägen 1", "111 22 Stockholm"], "", ""),
        ("DE", "10115 Berlin", ["10115 Berlin"], "", ""),
        ("", "a\nb 230026", ["a", "b 230026"], "", ""),
        ("CN", "", [], "", ""),
    ],
)
def test_postal_code_and_city_are_read(country, text, lines, city, code):
    assert papers.address_read(text, country) == papers.PostalAddress(tuple(lines), city, code)


@given(st.sampled_from(["CN", "DE", "FR", "NL", "GB", "SE", ""]), st.text(max_size=80))
def test_no_letter_of_an_address_is_lost(country, text):
    read = papers.address_read(text, country)
    kept = "".join([*read.lines, read.city, read.postal_code])
    assert len(read.lines) <= text.count("\n") + 1
    # Only separators, the letters of a country before its postal code, and the label of one are left out.
    lost = Counter(text) - Counter(kept)
    assert not any(sign.isalnum() and sign.upper() not in "DEFRNL邮编政码" for sign in lost)
