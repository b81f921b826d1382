"""The code's prices are those of the oracle, which was written without reading the rule in fees.py."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.pricing.domain import quotes
from bookings.pricing.domain.fees import GroupNotServed, cancellation_base, charge_input, quote, taxed_for
from tests.oracle import fees_by_way as oracle

CASES = Path(__file__).parents[1] / "cases"
MODES = ("self", "assisted", "entrusted", "remote")
GROUPS = ("internal", "partner", "external")
# Half of them around a change of clocks: forward, back, by half an hour, at midnight.
ZONES = {
    "Asia/Shanghai": ["2026-03-06", "2026-05-02"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05"],
    "America/Havana": ["2025-03-09", "2025-11-02"],
}
SUMS = ("billed_minutes", "subtotal", "tax", "total", "eligible", "voucher", "covered", "payable")


def frozen(asked: dict[str, Any]) -> quotes.QuoteInput:
    """The inputs as bookings keep them: with the card of their way of working, taxed for who pays."""
    inputs = quotes.input_from_json(asked)
    return replace(inputs, card=taxed_for(inputs.card.for_mode(inputs.service_mode), inputs.price_group))


def lines_of(answered: quotes.Quote) -> list[dict[str, Any]]:
    told = [vars(line).items() for line in answered.lines]
    return [
        {key: value for key, value in line if value is not None and not key.startswith("name")}
        for line in told
    ]


def compare(asked: dict[str, Any]) -> None:
    may_refuse = oracle.refusals(asked)
    if may_refuse:
        with pytest.raises((GroupNotServed, Invalid)) as refused:
            quote(frozen(asked))
        error = refused.value
        codes = {each.code for each in error.problems} if isinstance(error, Invalid) else {error.code}
        assert oracle.OTHER in may_refuse or codes <= may_refuse
    else:
        agree(quote(frozen(asked)), oracle.price(asked))


def agree(answered: quotes.Quote, expected: dict[str, Any]) -> None:
    assert lines_of(answered) == expected["lines"]
    assert {name: getattr(answered, name) for name in SUMS} == {name: expected[name] for name in SUMS}
    assert cancellation_base(answered) == expected["base"]


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[str]:
    whole = st.integers(least * 10**places, most * 10**places)
    return whole.map(lambda number: f"{Decimal(number).scaleb(-places):f}")


WALLS = [0, 1, 60, 90, 119, 120, 150, 180, 480, 1200, 1410, 1439]


def wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def bands(draw: st.DrawFn) -> list[dict[str, Any]]:
    walls = st.sampled_from(WALLS) | st.integers(0, 1439)
    days = [{"weekdays": [1, 2, 3, 4, 5, 6, 7]}, {"weekdays": [5, 6], "holidays": True}, {"holidays": True}]
    return [
        {
            "code": f"b{index}",
            "opens": wall(draw(walls)),
            "closes": wall(draw(walls | st.just(1440))),
            "multiplier": draw(st.sampled_from(["0.5", "1.5", "0", "1"])),
            **draw(st.sampled_from(days)),
        }
        for index in range(draw(st.integers(0, 3)))
    ]


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    later = sorted(draw(st.sets(st.integers(1, 1500), max_size=2)))
    multipliers = st.sampled_from(["1", "0.8", "0.3333", "0", "1.25"])
    return [{"after_minutes": after, "multiplier": draw(multipliers)} for after in ([0, *later])]


def terms(currency: str) -> st.SearchStrategy[dict[str, Any]]:
    """What a card or a row of its usage may state, each or not."""
    return st.fixed_dictionaries(
        {},
        optional={
            "billing_increment_minutes": st.sampled_from([1, 7, 15, 60]),
            "minimum_minutes": st.sampled_from([0, 1, 50, 120, 180]),
            "bands": bands(),
            "tiers": st.just([]) | tiers(),
            "daily_cap_minutes": st.none() | st.integers(1, 1500),
            "setup_fee": decimals(0, 200, 0 if currency == "JPY" else 2) | st.just("0"),
        },
    )


def rates() -> st.SearchStrategy[dict[str, str]]:
    prices = st.sampled_from(["200.00", "73.20", "0.01", "333.3333", "0"])
    served = st.sets(st.sampled_from(GROUPS), min_size=1) | st.just(set(GROUPS))
    return served.flatmap(lambda groups: st.fixed_dictionaries(dict.fromkeys(sorted(groups), prices)))


@st.composite
def usage(draw: st.DrawFn, currency: str) -> dict[str, Any]:
    """The rates of a card: one for all ways of working, or rows of them."""
    if draw(st.integers(0, 3)) == 0:
        return {"rates": draw(rates())}
    left = draw(st.permutations(MODES))
    rows = []
    while left and (not rows or draw(st.booleans())):
        count = draw(st.sampled_from([1, 1, 2, 3]))
        modes, left = left[:count], left[count:]
        row: dict[str, Any] = {"modes": modes, "rates": draw(rates()), **draw(terms(currency))}
        if draw(st.booleans()):
            row["unit"] = "sample" if modes == ["entrusted"] else "hour"
        rows.append(row)
    return {"usage": rows}


@st.composite
def options(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = []
    for index in range(draw(st.integers(0, 5))):
        option: dict[str, Any] = {
            "code": f"o{index}",
            "unit": draw(st.sampled_from(["hour", "each"])),
            "price": draw(st.sampled_from(["150.00", "35", "33.3333", "0.0049", "0"])),
        }
        when = draw(st.sampled_from(["", "required", "offered", "on_use"]))
        option |= {"when": when} if when else {}
        if when == "required" and draw(st.booleans()):
            numbers = decimals(0, 5, 4 if option["unit"] == "hour" else 0)
            option["quantity"] = draw(st.just("billed") | numbers)
        if draw(st.booleans()):
            option["modes"] = sorted(draw(st.sets(st.sampled_from(MODES), max_size=3)))
        if draw(st.booleans()):
            option["subsidised"] = draw(st.booleans())
        chosen.append(option)
    return chosen


def grants(currency: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    money = decimals(0, 500, 0 if currency == "JPY" else 2)
    grant = st.fixed_dictionaries(
        {
            "code": st.sampled_from("ABC"),
            "percent": st.sampled_from(["12.5", "30", "50", "100"]),
            "cap_per_booking": st.none() | money,
            "remaining": money | st.just("9999"),
            "expires": st.none() | st.sampled_from(["2026-06-30", "2026-12-31"]),
        }
    )
    return st.lists(grant, max_size=3, unique_by=lambda each: each["code"])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    currency = draw(st.sampled_from(["CNY", "JPY"]))
    card = {"currency": currency, "valid_from": "2020-01-01", "options": draw(options())}
    card |= (
        draw(terms(currency))
        | draw(usage(currency))
        | {"tax_percent": draw(st.sampled_from(["0", "6", "8.875"]))}
    )
    priced = [mode for row in card.get("usage", [{"modes": MODES}]) for mode in row["modes"]]
    mode = draw(st.sampled_from(priced) | st.sampled_from(priced) | st.sampled_from(MODES))
    if "rates" in card and mode == "entrusted" and draw(st.booleans()):
        card["rate_unit"] = "sample"
    zone = draw(st.sampled_from(sorted(ZONES)))
    noon = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))).replace(tzinfo=UTC)
    start = noon + timedelta(minutes=draw(st.integers(-36 * 60, 24 * 60)))
    end = start + timedelta(minutes=draw(st.integers(0, 240) | st.integers(0, 3000)))
    seconds = draw(st.integers(0, 59)), draw(st.integers(0, 59))
    if start == end:
        seconds = min(seconds), max(seconds)
    row = next((row for row in card.get("usage", [card]) if mode in row.get("modes", [mode])), card)
    is_by_sample = "sample" in (row.get("unit"), row.get("rate_unit"))

    def some_of(when: str) -> dict[str, str]:
        fitting = [
            option
            for option in card["options"]
            if (option.get("when", "offered") == when and mode in (option.get("modes") or MODES))
        ]
        if draw(st.integers(0, 9)) == 0:
            fitting = card["options"]  # whether or not they may be asked for
        wanted = [option for option in fitting if draw(st.booleans())]
        return {
            option["code"]: draw(decimals(0, 9, 2 if option["unit"] == "hour" else 0)) for option in wanted
        }

    return {
        "card": card,
        "timezone": zone,
        "start": (start + timedelta(seconds=seconds[0])).isoformat(),
        "end": (end + timedelta(seconds=seconds[1])).isoformat(),
        "price_group": draw(st.sampled_from(sorted(row.get("rates", GROUPS))) | st.sampled_from(GROUPS)),
        "service_mode": mode,
        "quantity": str(draw(st.integers(1, 9))) if is_by_sample else None,
        "options": some_of("offered"),
        "added": some_of("on_use"),
        "agreement_discount_percent": draw(st.sampled_from(["10", "12.5", "0", "100"])),
        "grants": draw(grants(currency)),
        "public_holidays": sorted(
            (noon + timedelta(days)).date().isoformat() for days in draw(st.sets(st.integers(-2, 3)))
        ),
    }


@given(requests())
def test_prices_are_those_of_the_oracle(asked: dict[str, Any]) -> None:
    note(json.dumps(asked))
    compare(asked)


@given(requests(), st.sampled_from(["reserved", "used", "greater"]), st.data())
def test_charges_after_use_are_those_of_the_oracle(
    asked: dict[str, Any], basis: str, data: st.DataObject
) -> None:
    added, asked = asked["added"], {**asked, "added": {}}
    asked["card"] = {**asked["card"], "charge_basis": basis}
    assume(not oracle.refusals({**asked, "added": added}))
    start = datetime.fromisoformat(asked["start"])
    check_in = start + timedelta(seconds=data.draw(st.integers(-900, 7200)))
    used = check_in, check_in + timedelta(seconds=data.draw(st.integers(0, 90_000)))
    if data.draw(st.integers(0, 9)) == 0:
        used = None
    note(json.dumps(asked))
    told = used and (used[0].isoformat(), used[1].isoformat())
    expected = oracle.charged(asked, told, added)
    due = charge_input(frozen(asked), usage=used, added={code: Decimal(many) for code, many in added.items()})
    if expected is None:
        assert due is None
    else:
        assert due is not None
        agree(quote(due), oracle.price(expected))


WAYS: dict[str, Any] = json.loads((CASES / "fees_by_way.json").read_text())
PLAIN: dict[str, Any] = json.loads((CASES / "fees.json").read_text())


def whole(case: dict[str, Any]) -> dict[str, Any]:
    """The request of a case that says only what it changes."""
    card = WAYS["card"] | case.get("card", {})
    card |= {"options": case["options"]} if "options" in case else {}
    return {"card": card, "added": {}} | WAYS["input"] | case.get("input", {})


def test_the_oracle_has_the_worked_examples_of_the_page() -> None:
    assert oracle.price(whole({}))["total"] == Decimal("787.05")
    answered = oracle.price({"service_mode": "self", "added": {}} | PLAIN["quotes"][0]["input"])
    assert [str(answered[name]) for name in ("total", "covered", "payable")] == ["940.75", "266.25", "674.50"]


@pytest.mark.parametrize(
    "case", [*WAYS["quotes"], *WAYS["refused"]], ids=lambda case: case.get("name") or str(case["input"])
)
def test_cases_by_way_of_working(case: dict[str, Any]) -> None:
    compare(whole(case))


@pytest.mark.parametrize("case", PLAIN["quotes"], ids=lambda case: case["name"])
def test_cases_of_one_rate(case: dict[str, Any]) -> None:
    compare({"service_mode": "self", "added": {}} | case["input"])


def of_row(**terms: Any) -> dict[str, Any]:
    """A card whose one row states these terms."""
    return {"usage": [{"modes": ["assisted"], "rates": {"partner": "200.00"}, **terms}]}


def band(opens: str, closes: str) -> dict[str, Any]:
    days = {"weekdays": [5, 7], "multiplier": "0.5"}
    return of_row(bands=[{"code": "band", "opens": opens, "closes": closes, **days}])


def berlin(day: str) -> dict[str, Any]:
    """Three hours around 01:00 UTC, when the clock changes."""
    return {"timezone": "Europe/Berlin", "start": f"{day}T00:00+00:00", "end": f"{day}T03:00+00:00"}


@pytest.mark.parametrize(
    ("card", "changes"),
    [
        (of_row(daily_cap_minutes=None) | {"daily_cap_minutes": 30}, {}),  # a row may take the cap away
        (of_row(tiers=[], bands=[], setup_fee="0") | {"setup_fee": "7.00"}, {}),
        (band("09:30", "09:30"), {}),  # a whole day
        (band("11:09", "11:10") | {"minimum_minutes": 180}, {}),  # what is added repeats the last minute
        (band("11:10", "12:00") | {"minimum_minutes": 180}, {}),
        (band("02:30", "05:00"), berlin("2026-10-25")),  # what the clock shows twice
        (band("01:00", "02:30"), berlin("2026-10-25")),
        (band("02:30", "05:00"), berlin("2026-03-29")),  # what it leaves out
        (band("00:00", "02:30"), berlin("2026-03-29")),
    ],
)
def test_corners(card: dict[str, Any], changes: dict[str, Any]) -> None:
    compare(whole({"card": card, "input": changes}))
