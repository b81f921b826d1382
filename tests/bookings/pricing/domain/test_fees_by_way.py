"""Prices by way of working: cases computed by hand, and properties (docs/fees.md)."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import FieldProblem, Invalid
from bookings.pricing.domain import quotes
from bookings.pricing.domain.charges import Ending
from bookings.pricing.domain.fees import (
    GroupNotServed,
    cancellation_base,
    charge_input,
    check_added,
    quote,
    taxed_for,
)
from bookings.pricing.domain.what_if import Past, reprice
from instruments.rates.domain.ratecards import SERVICE_MODES, parse_rate_card, to_json
from tests.bookings.pricing.domain.test_fees import inputs

D = Decimal
CASES = json.loads((Path(__file__).parents[3] / "cases" / "fees_by_way.json").read_text())


def asked(case: dict[str, Any]) -> quotes.QuoteInput:
    card = CASES["card"] | case.get("card", {})
    card |= {"options": case["options"]} if "options" in case else {}
    return quotes.input_from_json({"card": card} | CASES["input"] | case.get("input", {}))


@pytest.mark.parametrize("case", CASES["quotes"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    answer = quotes.quote_to_json(quote(asked(case)))
    lines: Any = answer["lines"]
    told = [":".join(filter(None, (line["kind"], line.get("code"), line["amount"]))) for line in lines]
    assert (answer["billed_minutes"], told) == (case["billed_minutes"], case["lines"].split())
    assert answer["total"] == answer["payable"] == case["total"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: str(case["input"]))
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        quote(asked(case))
    assert {each.field: each.code for each in refusal.value.problems} == case["problems"]


def test_a_group_is_served_by_way_of_working() -> None:
    card = parse_rate_card(
        CASES["card"]
        | {"usage": [*CASES["card"]["usage"][:2], {"modes": ["entrusted"], "rates": {"industry": "1"}}]}
    )
    assert card.serves("partner", "self") and not card.serves("partner", "entrusted")
    assert card.serves("industry") and not card.serves("external")
    assert card.first_mode(["remote", "entrusted", "self"], "partner") == "self"
    assert card.first_mode(["remote", "entrusted", "self"], "external") == "entrusted"
    with pytest.raises(GroupNotServed):
        quote(replace(asked({"input": {"service_mode": "entrusted"}}), card=card))


def test_options_do_not_count_towards_cancelling() -> None:
    assert cancellation_base(quote(asked({}))) == D("405.00")


def test_vouchers_cover_a_required_option_that_is_subsidised() -> None:
    grant = {"code": "V", "percent": "100", "cap_per_booking": None, "remaining": "9999", "expires": None}
    answer = quote(asked({"input": {"grants": [grant], "added": {"grid": "1"}}}))
    assert answer.eligible == answer.covered == D("742.50")  # the grid is not


def test_a_use_cut_short_pays_its_part_of_what_is_required_and_all_that_was_added() -> None:
    fixed = {"code": "kit", "unit": "each", "price": "10.00", "when": "required", "quantity": "4"}
    given = asked({"options": [*CASES["card"]["options"], fixed], "input": {"end": "2026-03-06T11:00+08:00"}})
    check_in, cut_at = given.start, given.start + timedelta(minutes=30)
    due = charge_input(given, usage=(check_in, cut_at), cut_at=cut_at, added={"grid": D(2)})
    assert due is not None
    assert [(line.code, line.quantity) for line in quote(due).lines if line.kind == "option"] == [
        ("operator", D("0.5000")),
        ("kit", D(1)),
        ("grid", D(2)),
    ]
    assert quote(quotes.input_from_json(quotes.input_to_json(due))) == quote(due)


def test_what_if_prices_the_past_by_its_way_of_working() -> None:
    given = asked({})
    ending = Ending("completed", given.end, True, False)
    past = Past(given.card, quotes.input_to_json(given), "CNY", D(0), (given.start, given.end), ending, True)  # type: ignore[arg-type]
    assert reprice(past, given.card) == D("787.05")
    alone = parse_rate_card(CASES["card"] | {"usage": CASES["card"]["usage"][:1]})
    assert reprice(past, alone) == "mode-not-priced"


@given(inputs(), st.sampled_from(SERVICE_MODES), st.data())
def test_a_row_prices_its_way_as_a_card_of_its_own_would(
    plain: quotes.QuoteInput, mode: str, data: st.DataObject
) -> None:
    """A card by way of working gives, for each way, the price of the plain card that states the same."""
    told: Any = to_json(plain.card)
    terms = (
        "billing_increment_minutes",
        "minimum_minutes",
        "bands",
        "tiers",
        "daily_cap_minutes",
        "setup_fee",
    )
    stated = data.draw(st.sets(st.sampled_from(terms)))
    other = {"minimum_minutes": 777, "setup_fee": "9", "daily_cap_minutes": 3}
    row = {"modes": [mode], "rates": told["rates"]} | {name: told[name] for name in stated}
    elsewhere = {"modes": [each for each in SERVICE_MODES if each != mode], "rates": {"internal": "1"}}
    whole = {name: value for name, value in told.items() if name not in ("rates", "rate_unit")}
    whole |= {name: value for name, value in other.items() if name in stated} | {"usage": [elsewhere, row]}
    card = parse_rate_card(whole)
    assert parse_rate_card(json.loads(json.dumps(to_json(card)))) == card
    by_way = replace(plain, card=card, service_mode=mode)
    assert quote(by_way) == quote(replace(plain, service_mode=mode))
    frozen = replace(by_way, card=taxed_for(card.for_mode(mode), plain.price_group))
    again = quotes.input_from_json(json.loads(json.dumps(quotes.input_to_json(frozen))))
    assert quote(again) == quote(frozen)


@given(inputs(), st.decimals(0, 99, places=4) | st.none(), st.booleans())
def test_what_is_required_adds_its_line_and_nothing_else(
    plain: quotes.QuoteInput, quantity: Decimal | None, is_subsidised: bool
) -> None:
    told: Any = to_json(plain.card)
    required = {"code": "must", "unit": "hour", "price": "12.3456", "when": "required"}
    required |= {"subsidised": is_subsidised} | ({} if quantity is None else {"quantity": str(quantity)})
    card = parse_rate_card(told | {"options": [*told["options"], required]})
    before, after = quote(plain), quote(replace(plain, card=card))
    [line] = [line for line in after.lines if line.code == "must"]
    assert [line for line in after.lines if line.code != "must"] == list(before.lines)
    options = [line for line in after.lines if line.kind == "option"]
    assert options[0] == line
    if quantity is None:
        assert abs(line.quantity * 60 - before.billed_minutes) <= D("0.003")  # type: ignore[operator]
    else:
        assert line.quantity == quantity
    assert after.subtotal == before.subtotal + line.amount
    assert after.eligible == before.eligible + (line.amount if is_subsidised else 0)


def test_a_problem_of_a_row_names_its_place() -> None:
    rows = [
        {"modes": ["self", "assisted"], "rates": {"internal": "1"}},
        {"modes": ["self"], "unit": "sample"},
    ]
    with pytest.raises(Invalid) as refusal:
        parse_rate_card(
            {"currency": "CNY", "valid_from": "2026-01-01", "usage": rows, "rates": {"internal": "1"}}
        )
    assert list(refusal.value.problems) == [
        FieldProblem("usage[1].modes[0]", "mode-repeated"),
        FieldProblem("usage[1].rates", "required"),
        FieldProblem("usage", "rates-or-usage"),
    ]


def test_what_is_added_at_check_out_is_plausible_for_the_use() -> None:
    by_hour = {"code": "help", "unit": "hour", "price": "150.00", "when": "on_use"}
    given = asked({"options": [*CASES["card"]["options"], by_hour]})
    reserved = (given.end - given.start) / timedelta(hours=1)
    usage = (given.start, given.start + timedelta(minutes=30))

    def problems(**added: Decimal) -> list[FieldProblem]:
        try:
            check_added(replace(given, added=added), usage)
        except Invalid as refused:
            return list(refused.problems)
        return []

    most = D(f"{max(reserved * 2, quote(given).billed_minutes / 30):.2f}")
    assert not problems(help=most, grid=D(10_000))
    assert problems(help=most + D("0.01"), grid=D(10_001)) == [
        FieldProblem("options.help", "hours-beyond-use", {"hours": f"{most:.2f}"}),
        FieldProblem("options.grid", "too-large", {"most": 10_000}),
    ]
