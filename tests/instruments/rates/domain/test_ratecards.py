import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import FieldProblem, Invalid
from instruments.rates.domain import ratecards
from tests.factories.cards import CARD as USUAL

D = Decimal
CASES = json.loads((Path(__file__).parents[3] / "cases" / "fees.json").read_text())
CARD: dict[str, Any] = CASES["quotes"][0]["input"]["card"]
LEAST: dict[str, Any] = {"currency": "CNY", "valid_from": "2026-01-01", "rates": {"internal": "1"}}
BAND = {"code": "night", "weekdays": [1], "opens": "20:00", "closes": "08:00", "multiplier": "0.5"}
NO_DECIMALS = "NaN sNaN Infinity -Infinity inf 1e3 1E2 +1 1. .5 1,5 1_000 ٣ 0x1 1..2 -- x"
OPTION = {"code": "grid", "unit": "each", "price": "35.00"}


def problems_of(**changes: Any) -> list[FieldProblem]:
    card, problems = ratecards.check_rate_card({**LEAST, **changes})
    assert (card is None) == bool(problems)
    return problems


def problem(field: str, code: str, **numbers: str | int) -> FieldProblem:
    return FieldProblem(field, code, numbers)


def test_the_card_of_the_worked_example() -> None:
    assert ratecards.parse_rate_card(CARD) == ratecards.RateCardValues(
        currency="CNY",
        rate_unit="hour",
        valid_from=date(2026, 1, 1),
        valid_until=None,
        rates={
            "internal": D(120),
            "regional": D(200),
            "partner": D(200),
            "external": D(260),
            "industry": D(480),
        },
        billing_increment_minutes=15,
        minimum_minutes=60,
        bands=(
            ratecards.Band("holiday", 0, 1440, D("1.5"), (), True),
            ratecards.Band("night", 1200, 480, D("0.5"), (1, 2, 3, 4, 5, 6, 7), False),
        ),
        tiers=(ratecards.Tier(0, D(1)), ratecards.Tier(480, D("0.8"))),
        daily_cap_minutes=None,
        setup_fee=D(100),
        options=(
            ratecards.Option("operator", "hour", D(150), True),
            ratecards.Option("grid", "each", D(35), False),
        ),
        tax_percent=D(6),
        charge_basis="reserved",
        cancellation=(
            ratecards.CancellationTier(4320, D(0)),
            ratecards.CancellationTier(1440, D(50)),
            ratecards.CancellationTier(0, D(100)),
        ),
        no_show_percent=D(100),
    )


def test_the_canonical_json_is_that_of_the_design() -> None:
    assert ratecards.to_json(ratecards.parse_rate_card(CARD)) == {**CARD, "rate_unit": "hour"}


def test_only_currency_rates_and_first_day_are_required() -> None:
    assert ratecards.to_json(ratecards.parse_rate_card(LEAST)) == {
        **LEAST,
        "rate_unit": "hour",
        "valid_until": None,
        "billing_increment_minutes": 1,
        "minimum_minutes": 0,
        "bands": [],
        "tiers": [],
        "daily_cap_minutes": None,
        "setup_fee": "0",
        "options": [],
        "tax_percent": "0",
        "charge_basis": "reserved",
        "cancellation": [],
        "no_show_percent": "100",
    }
    card = ratecards.RateCardValues("CNY", date(2026, 1, 1), {"internal": D(1)})
    assert ratecards.parse_rate_card(LEAST) == card
    assert hash(ratecards.parse_rate_card(LEAST)) == hash(card)
    assert ratecards.check_rate_card({}) == (
        None,
        [problem("currency", "required"), problem("valid_from", "required"), problem("rates", "required")],
    )


def test_a_card_with_problems_is_refused_with_all_of_them() -> None:
    with pytest.raises(Invalid) as refusal:
        ratecards.parse_rate_card(
            {**LEAST, "currency": "XXX", "colour": 1, "bands": [{**BAND, "opens": "x"}]}
        )
    assert refusal.value.problems == (
        problem("colour", "unknown-field"),
        problem("currency", "unknown-currency"),
        problem("bands[0].opens", "not-a-time"),
    )


@pytest.mark.parametrize("currency", ["cny", "", "XTS", 156, True, ["CNY"], None])
def test_an_unknown_currency_is_refused(currency: object) -> None:
    code = "required" if currency is None else "unknown-currency"
    assert problems_of(currency=currency) == [problem("currency", code)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-0.01", problem("rates.internal", "too-small", least=0)),
        (-1, problem("rates.internal", "too-small", least=0)),
        ("1000000000.01", problem("rates.internal", "too-large", most=10**9)),
        (10**9 + 1, problem("rates.internal", "too-large", most=10**9)),
        ("1.00001", problem("rates.internal", "too-many-decimals", decimals=4)),
        *[(value, problem("rates.internal", "not-a-decimal")) for value in NO_DECIMALS.split()],
        ("", problem("rates.internal", "not-a-decimal")),
        (" 1", problem("rates.internal", "not-a-decimal")),
        ("1\n", problem("rates.internal", "not-a-decimal")),
        ("9" * 5000, problem("rates.internal", "not-a-decimal")),
        (True, problem("rates.internal", "not-a-decimal")),
        (False, problem("rates.internal", "not-a-decimal")),
        (0.5, problem("rates.internal", "not-a-decimal")),
        (float("nan"), problem("rates.internal", "not-a-decimal")),
        ([], problem("rates.internal", "not-a-decimal")),
        (None, problem("rates.internal", "required")),
    ],
)
def test_what_is_no_price_is_refused(value: object, expected: FieldProblem) -> None:
    assert problems_of(rates={"internal": value}) == [expected]


def test_a_number_with_more_digits_than_python_would_print_is_refused() -> None:
    assert problems_of(rates={"internal": 10**5000, "external": -(10**5000)}) == [
        problem("rates.internal", "too-large", most=10**9),
        problem("rates.external", "too-small", least=0),
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        (60, "60"),
        ("73.20", "73.20"),
        ("1.2345", "1.2345"),
        ("1.234500", "1.234500"),
        ("1000000000", "1000000000"),
        (10**9, "1000000000"),
    ],
)
def test_a_price_keeps_its_digits(value: object, kept: str) -> None:
    card = ratecards.parse_rate_card({**LEAST, "rates": {"internal": value}})
    assert ratecards.to_json(card)["rates"] == {"internal": kept}


def test_a_multiplier_a_price_and_a_fee_are_checked_like_a_rate() -> None:
    assert problems_of(
        bands=[{**BAND, "multiplier": "-1"}],
        tiers=[{"after_minutes": 0, "multiplier": True}],
        options=[{**OPTION, "price": "1e3"}],
        setup_fee="-1",
    ) == [
        problem("bands[0].multiplier", "too-small", least=0),
        problem("tiers[0].multiplier", "not-a-decimal"),
        problem("setup_fee", "too-small", least=0),
        problem("options[0].price", "not-a-decimal"),
    ]


def test_a_set_up_fee_cannot_be_finer_than_the_currency() -> None:
    assert problems_of(setup_fee="1.005") == [problem("setup_fee", "too-many-decimals", decimals=2)]
    assert problems_of(setup_fee="1.5", currency="JPY") == [
        problem("setup_fee", "too-many-decimals", decimals=0)
    ]
    assert problems_of(setup_fee="1.000", currency="JPY") == []


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({}, problem("rates", "required")),
        (None, problem("rates", "required")),
        ([], problem("rates", "not-an-object")),
        ({"internal": "1", "friends": "2"}, problem("rates.friends", "unknown-price-group")),
    ],
)
def test_rates_are_by_price_group(rates: object, expected: FieldProblem) -> None:
    assert problems_of(rates=rates) == [expected]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("rate_unit", "day", "unknown-value"),
        ("rate_unit", None, "required"),
        ("charge_basis", "planned", "unknown-value"),
        ("charge_basis", ["used"], "unknown-value"),
        ("valid_from", "2026-02-30", "not-a-date"),
        ("valid_from", "20260101", "not-a-date"),
        ("valid_from", "2026-W01-1", "not-a-date"),
        ("valid_from", "0001-01-01", "not-a-date"),
        ("valid_from", 20260101, "not-a-date"),
        ("valid_until", "2026-01-01", "not-after-valid-from"),
        ("valid_until", "2025-12-31", "not-after-valid-from"),
        ("valid_until", "tomorrow", "not-a-date"),
        ("billing_increment_minutes", 0, "too-small"),
        ("billing_increment_minutes", 1441, "too-large"),
        ("billing_increment_minutes", "15", "not-an-integer"),
        ("billing_increment_minutes", True, "not-an-integer"),
        ("billing_increment_minutes", 15.0, "not-an-integer"),
        ("billing_increment_minutes", None, "required"),
        ("minimum_minutes", -1, "too-small"),
        ("minimum_minutes", 366 * 1440 + 1, "too-large"),
        ("daily_cap_minutes", 0, "too-small"),
        ("daily_cap_minutes", 1501, "too-large"),
        ("tax_percent", "100.0001", "too-large"),
        ("no_show_percent", "-1", "too-small"),
        ("bands", {}, "not-a-list"),
        ("bands", None, "not-a-list"),
        ("options", [OPTION] * 51, "too-many"),
    ],
)
def test_a_field_outside_its_bounds_is_refused(field: str, value: object, code: str) -> None:
    assert [(each.field, each.code) for each in problems_of(**{field: value})] == [(field, code)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("billing_increment_minutes", 1),
        ("billing_increment_minutes", 1440),
        ("minimum_minutes", 0),
        ("minimum_minutes", 366 * 1440),
        ("daily_cap_minutes", 1),
        ("daily_cap_minutes", 1500),
        ("daily_cap_minutes", None),
        ("tax_percent", "0"),
        ("tax_percent", "100"),
        ("valid_until", "2026-01-02"),
        ("options", [{**OPTION, "code": f"o{number}"} for number in range(50)]),
    ],
)
def test_a_field_at_its_bounds_passes(field: str, value: object) -> None:
    assert problems_of(**{field: value}) == []


def test_an_unreadable_date_is_not_also_called_too_early() -> None:
    assert problems_of(valid_from="x", valid_until="2026-01-01") == [problem("valid_from", "not-a-date")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": "standard"}, problem("bands[1].code", "reserved-code")),
        ({"code": "capped"}, problem("bands[1].code", "reserved-code")),
        ({"code": "night"}, problem("bands[1].code", "repeated")),
        ({"code": ""}, problem("bands[1].code", "not-a-code")),
        ({"code": "夜"}, problem("bands[1].code", "not-a-code")),
        ({"code": "x" * 51}, problem("bands[1].code", "not-a-code")),
        ({"code": None}, problem("bands[1].code", "required")),
        ({"opens": "24:00"}, problem("bands[1].opens", "not-a-time")),
        ({"opens": None}, problem("bands[1].opens", "required")),
        ({"opens": "8:00"}, problem("bands[1].opens", "not-a-time")),
        ({"opens": "08:60"}, problem("bands[1].opens", "not-a-time")),
        ({"closes": "24:01"}, problem("bands[1].closes", "not-a-time")),
        ({"closes": "25:00"}, problem("bands[1].closes", "not-a-time")),
        ({"closes": 480}, problem("bands[1].closes", "not-a-time")),
        ({"weekdays": [0]}, problem("bands[1].weekdays[0]", "not-a-weekday")),
        ({"weekdays": [1, 8]}, problem("bands[1].weekdays[1]", "not-a-weekday")),
        ({"weekdays": [True]}, problem("bands[1].weekdays[0]", "not-a-weekday")),
        ({"weekdays": ["1"]}, problem("bands[1].weekdays[0]", "not-a-weekday")),
        ({"weekdays": [2, 2]}, problem("bands[1].weekdays[1]", "repeated")),
        ({"weekdays": []}, problem("bands[1].weekdays", "required")),
        ({"holidays": 1}, problem("bands[1].holidays", "not-a-boolean")),
        ({"days": [1]}, problem("bands[1].days", "unknown-field")),
    ],
)
def test_a_band_that_is_none_is_refused(change: dict[str, Any], expected: FieldProblem) -> None:
    assert problems_of(bands=[BAND, {**BAND, "code": "other", **change}]) == [expected]


def test_a_band_may_open_on_weekdays_and_holidays_and_close_at_24() -> None:
    band = {**BAND, "weekdays": [7, 6], "holidays": True, "opens": "00:00", "closes": "24:00"}
    card = ratecards.parse_rate_card({**LEAST, "bands": [band]})
    assert card.bands == (ratecards.Band("night", 0, 1440, D("0.5"), (6, 7), True),)
    assert ratecards.to_json(card)["bands"] == [{**band, "weekdays": [6, 7]}]


def test_what_is_no_object_in_a_list_is_refused_by_its_place() -> None:
    assert problems_of(bands=[BAND, "night"]) == [problem("bands[1]", "not-an-object")]


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([0], []),
        ([0, 1], []),
        ([60], [problem("tiers[0].after_minutes", "first-not-zero")]),
        ([0, 60, 60], [problem("tiers[2].after_minutes", "not-increasing")]),
        ([0, 60, 30, 90], [problem("tiers[2].after_minutes", "not-increasing")]),
        ([0, "60", 90], [problem("tiers[1].after_minutes", "not-an-integer")]),
    ],
)
def test_tiers_start_at_zero_and_increase(starts: list[object], expected: list[FieldProblem]) -> None:
    tiers = [{"after_minutes": start, "multiplier": "1"} for start in starts]
    assert problems_of(tiers=tiers) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"unit": "day"}, problem("options[1].unit", "unknown-value", allowed="hour, each")),
        ({"unit": None}, problem("options[1].unit", "required")),
        ({"code": "grid"}, problem("options[1].code", "repeated")),
        ({"subsidised": "yes"}, problem("options[1].subsidised", "not-a-boolean")),
        ({"price": None}, problem("options[1].price", "required")),
        ({"names": "Grid"}, problem("options[1].names", "unknown-field")),
    ],
)
def test_an_option_that_is_none_is_refused(change: dict[str, Any], expected: FieldProblem) -> None:
    assert problems_of(options=[OPTION, {**OPTION, "code": "x", **change}]) == [expected]


def test_cancellation_terms_are_sorted_with_the_largest_notice_first() -> None:
    terms = [{"notice_minutes": notice, "percent": "5"} for notice in (0, 4320, 1440)]
    card = ratecards.parse_rate_card({**LEAST, "cancellation": terms})
    assert [tier.notice_minutes for tier in card.cancellation] == [4320, 1440, 0]


def test_cancellation_terms_are_unique_and_within_a_hundred_percent() -> None:
    terms = [
        {"notice_minutes": 60, "percent": "5"},
        {"notice_minutes": 60, "percent": "101"},
        {"notice_minutes": -1, "percent": "100"},
    ]
    assert problems_of(cancellation=terms) == [
        problem("cancellation[1].percent", "too-large", most=100),
        problem("cancellation[2].notice_minutes", "too-small", least=0),
        problem("cancellation[1].notice_minutes", "repeated"),
    ]


def card_from(valid_from: str, valid_until: str | None = None) -> ratecards.RateCardValues:
    return ratecards.parse_rate_card({**LEAST, "valid_from": valid_from, "valid_until": valid_until})


def test_a_card_is_in_force_from_its_first_day_until_before_its_last() -> None:
    card = card_from("2026-01-01", "2026-03-01")
    assert ratecards.card_in_force([card], date(2025, 12, 31)) is None
    assert ratecards.card_in_force([card], date(2026, 1, 1)) is card
    assert ratecards.card_in_force([card], date(2026, 2, 28)) is card
    assert ratecards.card_in_force([card], date(2026, 3, 1)) is None


def test_of_several_cards_the_one_that_began_last_is_in_force() -> None:
    old, new = card_from("2026-01-01"), card_from("2026-02-01")
    same = card_from("2026-02-01")
    day = date(2026, 2, 1)
    assert ratecards.card_in_force([new, old], day) is new
    assert ratecards.card_in_force([old, new], day) is new
    assert ratecards.card_in_force([new, same], day) is same
    assert ratecards.card_in_force([new, old], date(2026, 1, 31)) is old


decimal_strings = st.decimals(min_value=0, max_value=10**9, places=2).map(lambda value: f"{value:f}")
percents = st.decimals(min_value=0, max_value=100, places=1).map(lambda value: f"{value:f}")
codes = st.text("abz-09", min_size=1, max_size=6).map(lambda code: f"x{code}")
walls = st.integers(0, 1439).map(lambda wall: f"{wall // 60:02}:{wall % 60:02}")
band_json = st.fixed_dictionaries(
    {
        "code": codes,
        "weekdays": st.lists(st.integers(1, 7), min_size=1, unique=True),
        "holidays": st.booleans(),
        "opens": walls,
        "closes": walls | st.just("24:00"),
        "multiplier": decimal_strings,
    }
)
card_json = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["CNY", "EUR", "USD"]),
        "valid_from": st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(str),
        "rates": st.dictionaries(
            st.sampled_from(["internal", "partner", "industry"]), decimal_strings, min_size=1
        ),
    },
    optional={
        "rate_unit": st.sampled_from(["hour", "sample"]),
        "valid_until": st.dates(date(2100, 1, 2), date(2200, 1, 1)).map(str),
        "billing_increment_minutes": st.integers(1, 1440),
        "minimum_minutes": st.integers(0, 1440),
        "bands": st.lists(band_json, max_size=3, unique_by=lambda band: str(band["code"])),
        "daily_cap_minutes": st.none() | st.integers(1, 1500),
        "setup_fee": decimal_strings,
        "tax_percent": percents,
        "charge_basis": st.sampled_from(["reserved", "used", "greater"]),
        "cancellation": st.lists(
            st.fixed_dictionaries({"notice_minutes": st.integers(0, 10_000), "percent": percents}),
            max_size=3,
            unique_by=lambda tier: str(tier["notice_minutes"]),
        ),
        "no_show_percent": percents,
    },
)
# A few telling characters: building tables of all of Unicode takes seconds on a cold machine.
texts = st.text("aN0-.:e\n٣夜", max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=6,
)


@given(card_json)
def test_a_card_reads_back_from_its_json(data: dict[str, Any]) -> None:
    card = ratecards.parse_rate_card(data)
    stored = json.loads(json.dumps(ratecards.to_json(card)))
    again = ratecards.parse_rate_card(stored)
    assert again == card
    assert ratecards.to_json(again) == stored
    for key, value in data.items():
        if key not in ("bands", "cancellation"):
            assert stored[key] == value


@given(st.sampled_from(sorted(CARD)), json_values)
def test_no_json_breaks_the_check(key: str, value: object) -> None:
    card, problems = ratecards.check_rate_card({**CARD, key: value})
    assert (card is None) == bool(problems)
    assert all(each.field.startswith(key) for each in problems if key != "valid_from")


TODAY = date(2026, 3, 5)
DAY = timedelta(days=1)
OPEN_ENDED = ratecards.parse_rate_card(USUAL)


def d(text):
    return date.fromisoformat(f"2026-{text}") if text else None


def ask(first, last, *others, used=False):
    """The versions ended, or (field, code, numbers) of the refusal."""
    card = replace(OPEN_ENDED, valid_from=d(first), valid_until=d(last))
    versions = [ratecards.Version(n + 1, d(a), d(b)) for n, (a, b) in enumerate(others)]
    try:
        return [v.version for v in ratecards.require_room(card, versions, TODAY, lambda _: used)]
    except Invalid as refused:
        problem = refused.problems[0]
        return problem.field, problem.code, dict(problem.numbers)


@pytest.mark.parametrize(
    ("first", "last", "others", "ended"),
    [
        ("05-01", None, [], []),
        # the open end of the one before gives way
        ("05-01", None, [("01-01", None)], [1]),
        ("05-01", "06-01", [("01-01", None)], [1]),
        # next to each other
        ("06-01", None, [("01-01", "05-01"), ("05-01", "06-01")], []),
        ("01-01", "05-01", [("05-01", None)], []),
        # the same first day
        ("05-01", None, [("05-01", None)], [1]),
        # days gone by without a price are gone
        ("03-05", None, [("01-01", "02-01")], []),
        ("02-15", None, [("01-01", "02-01")], []),
    ],
)
def test_room(first, last, others, ended):
    assert ask(first, last, *others) == ended


@pytest.mark.parametrize(
    ("first", "last", "others", "refusal"),
    [
        ("01-01", "03-05", [], ("valid_until", "in-the-past", {})),
        ("04-01", None, [("01-01", "05-01")], ("valid_from", "overlaps-version", {"version": 1})),
        ("04-01", None, [("05-01", None)], ("valid_from", "overlaps-version", {"version": 1})),
        ("04-01", "05-02", [("05-01", None)], ("valid_from", "overlaps-version", {"version": 1})),
        (
            "05-02", None, [("01-01", "05-01")],
            ("valid_from", "leaves-gap", {"version": 1, "day": "2026-05-01"}),
        ),
        (
            "03-06", None, [("01-01", "02-01")],
            ("valid_from", "leaves-gap", {"version": 1, "day": "2026-03-05"}),
        ),
        (
            "04-01", "04-30", [("05-01", None)],
            ("valid_until", "leaves-gap", {"version": 1, "day": "2026-05-01"}),
        ),
    ],
)  # fmt: skip
def test_no_room(first, last, others, refusal):
    assert ask(first, last, *others) == refusal


@pytest.mark.parametrize(
    ("first", "before", "earliest"),
    [
        ("05-01", "05-01", "2026-05-02"),  # it would vanish
        ("03-04", "01-01", "2026-03-05"),  # bookings of yesterday were by it
    ],
)
def test_what_was_used_gives_way_only_later(first, before, earliest):
    numbers = {"version": 1, "day": earliest}
    assert ask(first, None, (before, None), used=True) == ("valid_from", "version-used", numbers)
    assert ask(first, None, (before, None)) == [1]
    assert ask(earliest[5:], None, (before, None), used=True) == [1]


days = st.integers(0, 40).map(lambda n: TODAY + n * DAY)


@given(st.lists(st.tuples(days, st.none() | days), max_size=8))
def test_whatever_is_published_no_day_has_two_prices_and_none_between_has_none(asked):
    """Each that is not refused is published: what then holds never overlaps nor leaves a gap."""
    held: list[ratecards.Version] = []
    for number, (first, last) in enumerate(asked, 1):
        if last is not None and last <= first:
            continue
        card = replace(OPEN_ENDED, valid_from=first, valid_until=last)
        try:
            ended = ratecards.require_room(card, held, TODAY, lambda _: False)
        except Invalid:
            continue
        kept = [v for v in held if v not in ended]
        kept += [replace(v, valid_until=first) for v in ended if v.valid_from < first]
        held = [*kept, ratecards.Version(number, first, last)]
        held.sort(key=lambda v: v.valid_from)
        for one, other in pairwise(held):
            assert one.valid_until == other.valid_from
