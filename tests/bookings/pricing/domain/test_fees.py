import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.domain.errors import FieldProblem, Invalid
from bookings.availability.domain.bands import band_spans, minute_of
from bookings.availability.domain.kept_hours import PricedPart
from bookings.pricing.domain import quotes
from bookings.pricing.domain.charges import is_second_thought, second_thoughts_end
from bookings.pricing.domain.fees import (
    CancellationFee,
    GroupNotServed,
    cancellation_base,
    cancellation_terms,
    charge_input,
    no_show_fee,
    on_top,
    price_group,
    quote,
)
from bookings.pricing.domain.vouchers import GrantValues
from bookings.record.domain.money import round_half_up
from instruments.rates.domain.ratecards import Band, Option, RateCardValues, Tier, parse_rate_card

D = Decimal
MINUTE = timedelta(minutes=1)
CASES = json.loads((Path(__file__).parents[3] / "cases" / "fees.json").read_text())
EXAMPLE = quotes.input_from_json(CASES["quotes"][0]["input"])
WORKED_CARD = EXAMPLE.card

RATES = {"internal": D("73.20"), "partner": D("60"), "external": D("0.01")}
PLAIN = RateCardValues(currency="USD", valid_from=date(2020, 1, 1), rates=RATES)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def ask(card: RateCardValues = PLAIN, **changes: Any) -> quotes.QuoteInput:
    """An hour of a Monday noon in Chicago, price group internal."""
    asked = quotes.QuoteInput(
        card=card,
        time_zone="America/Chicago",
        start=utc("2025-06-02T12:00-05:00"),
        end=utc("2025-06-02T13:00-05:00"),
        price_group="internal",
    )
    return replace(asked, **changes)


def usage(answer: quotes.Quote) -> list[tuple[str | None, int | None, Decimal | None, Decimal]]:
    return [
        (line.code, line.minutes, line.multiplier, line.amount)
        for line in answer.lines
        if line.kind == "usage"
    ]


def problems_of(asked: quotes.QuoteInput) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        quote(asked)
    return [(problem.field, problem.code) for problem in refusal.value.problems]


# The cases handed down, to the cent


@pytest.mark.parametrize("case", CASES["quotes"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    answer = quotes.quote_to_json(quote(quotes.input_from_json(case["input"])))
    assert {key: answer[key] for key in case["expected"]} == case["expected"]
    assert set(answer) - set(case["expected"]) == {"currency", "price_group", "eligible"}


@pytest.mark.parametrize("case", CASES["cancellations"], ids=lambda case: case["name"])
def test_cancellation_case(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    fee = cancellation_terms(
        parse_rate_card(given_["card"]),
        base=D(given_["base"]),
        start=utc(given_["start"]),
        cancelled_at=utc(given_["cancelled_at"]),
    )
    assert (str(fee.percent), str(fee.fee), str(fee.tax)) == (
        expected["percent"],
        expected["fee"],
        expected["tax"],
    )


# Price group


@pytest.mark.parametrize(
    ("payer_id", "payer_kind", "payer_region_id", "has_agreement", "group"),
    [
        ("host", "enterprise", "here", True, "internal"),
        ("other", "enterprise", "here", True, "industry"),
        ("other", "enterprise", "there", True, "industry"),
        ("other", "university", "here", True, "regional"),
        ("other", "university", "there", True, "partner"),
        ("other", "university", "there", False, "external"),
    ],
)
def test_the_first_rule_that_holds_gives_the_price_group(
    payer_id: str, payer_kind: str, payer_region_id: str, has_agreement: bool, group: str
) -> None:
    assert group == price_group(
        host_id="host",
        payer_id=payer_id,
        payer_kind=payer_kind,
        host_region_id="here",
        payer_region_id=payer_region_id,
        has_agreement=has_agreement,
    )


def test_a_group_without_a_rate_is_refused() -> None:
    with pytest.raises(GroupNotServed) as refusal:
        quote(ask(price_group="industry"))
    assert refusal.value.code == "audience-not-served"
    assert refusal.value.numbers == {"price_group": "industry"}


def test_a_rate_of_zero_serves_the_group_for_nothing() -> None:
    answer = quote(ask(replace(PLAIN, rates={"internal": D(0)})))
    assert usage(answer) == [("standard", 60, D(1), D(0))]
    assert answer.payable == 0


# Minutes


@pytest.mark.parametrize(
    ("start", "end", "increment", "minimum", "billed"),
    [
        ("12:00", "12:50", 15, 0, 60),
        ("12:00", "13:00", 15, 0, 60),
        ("12:00", "13:01", 15, 0, 75),
        ("12:00", "12:50", 15, 70, 70),
        ("12:00", "12:50", 1, 60, 60),
        ("12:00", "12:00", 15, 0, 0),
        ("12:00", "12:00", 15, 20, 20),
        ("12:00:59", "12:01:00", 1, 0, 1),
        ("12:00:00", "12:00:59.999999", 1, 0, 0),
        ("12:00:59", "12:02:01", 1, 0, 2),
    ],
)
def test_billed_minutes(start: str, end: str, increment: int, minimum: int, billed: int) -> None:
    card = replace(PLAIN, billing_increment_minutes=increment, minimum_minutes=minimum)
    answer = quote(ask(card, start=utc(f"2025-06-02T{start}-05:00"), end=utc(f"2025-06-02T{end}-05:00")))
    assert answer.billed_minutes == billed
    assert sum(line.minutes or 0 for line in answer.lines) == billed


def test_a_period_of_no_minutes_costs_no_usage_but_the_set_up() -> None:
    answer = quote(ask(replace(PLAIN, setup_fee=D("12.50")), end=ask().start))
    assert answer.lines == (quotes.QuoteLine("setup", D("12.50")),)


def test_a_period_of_no_minutes_takes_the_band_of_its_start_for_the_minimum() -> None:
    noon = Band("noon", 12 * 60, 12 * 60 + 1, D("0.5"), EVERY_DAY)
    card = replace(PLAIN, bands=(noon,), minimum_minutes=30)
    assert usage(quote(ask(card, end=ask().start))) == [("noon", 30, D("0.5"), D("18.30"))]


def test_added_minutes_repeat_the_last_minutes_band_and_count_for_the_tiers() -> None:
    morning = Band("morning", 0, 13 * 60, D("0.5"), EVERY_DAY)
    card = replace(
        PLAIN, bands=(morning,), tiers=(Tier(0, D(1)), Tier(90, D(2))), billing_increment_minutes=120
    )
    assert usage(quote(ask(card))) == [
        ("morning", 90, D("0.5"), D("54.90")),
        ("morning", 30, D("1.0"), D("36.60")),
    ]


def test_added_minutes_keep_the_last_minutes_local_day() -> None:
    card = replace(PLAIN, daily_cap_minutes=70, minimum_minutes=120)
    asked = ask(card, start=utc("2025-06-02T23:00-05:00"), end=utc("2025-06-03T00:00-05:00"))
    assert usage(quote(asked)) == [("standard", 70, D(1), D("85.40")), ("capped", 50, None, D(0))]


# Bands


def test_the_first_band_that_covers_a_minute_wins() -> None:
    first = Band("first", 12 * 60 + 30, 12 * 60 + 40, D(3), EVERY_DAY)
    second = Band("second", 12 * 60 + 20, 12 * 60 + 50, D(2), EVERY_DAY)
    assert usage(quote(ask(replace(PLAIN, bands=(first, second))))) == [
        ("standard", 30, D(1), D("36.60")),
        ("second", 20, D(2), D("48.80")),
        ("first", 10, D(3), D("36.60")),
    ]
    assert usage(quote(ask(replace(PLAIN, bands=(second, first))))) == [
        ("standard", 30, D(1), D("36.60")),
        ("second", 30, D(2), D("73.20")),
    ]


def test_a_band_over_midnight_belongs_to_the_day_it_opens() -> None:
    night = Band("night", 20 * 60, 8 * 60, D("0.5"), (1,))
    monday = ask(
        replace(PLAIN, bands=(night,)), start=utc("2025-06-02T19:00-05:00"), end=utc("2025-06-03T09:00-05:00")
    )
    tuesday = replace(monday, start=monday.start + timedelta(1), end=monday.end + timedelta(1))
    assert usage(quote(monday)) == [
        ("standard", 120, D(1), D("146.40")),
        ("night", 720, D("0.5"), D("439.20")),
    ]
    assert usage(quote(tuesday)) == [("standard", 840, D(1), D("1024.80"))]


def test_a_band_that_closes_when_it_opens_lasts_a_day() -> None:
    card = replace(PLAIN, bands=(Band("round", 720, 720, D(2), (1,)),))
    asked = ask(card, start=utc("2025-06-02T11:59-05:00"), end=utc("2025-06-03T12:01-05:00"))
    assert [(code, minutes) for code, minutes, _, _ in usage(quote(asked))] == [
        ("standard", 2),
        ("round", 1440),
    ]


def test_a_holiday_band_opens_on_holidays_and_on_its_weekdays() -> None:
    quiet = Band("quiet", 0, 1440, D("0.5"), (7,), holidays=True)
    only = Band("only", 0, 1440, D("0.25"), (), holidays=True)
    holiday = frozenset({date(2025, 6, 2)})
    assert usage(quote(ask(replace(PLAIN, bands=(quiet,))))) == [("standard", 60, D(1), D("73.20"))]
    assert usage(quote(ask(replace(PLAIN, bands=(quiet,)), public_holidays=holiday))) == [
        ("quiet", 60, D("0.5"), D("36.60"))
    ]
    assert usage(quote(ask(replace(PLAIN, bands=(only, quiet)), public_holidays=holiday))) == [
        ("only", 60, D("0.25"), D("18.30"))
    ]
    sunday = ask(
        replace(PLAIN, bands=(only, quiet)),
        start=utc("2025-06-01T12:00-05:00"),
        end=utc("2025-06-01T13:00-05:00"),
        public_holidays=holiday,
    )
    assert usage(quote(sunday)) == [("quiet", 60, D("0.5"), D("36.60"))]


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes", "minutes"),
    [
        # docs/availability.md, Clock cases
        ("America/Chicago", date(2025, 3, 9), 0, 1440, 1380),
        ("America/Chicago", date(2025, 11, 2), 0, 1440, 1500),
        ("America/Chicago", date(2025, 11, 1), 1320, 120, 300),
        ("America/Chicago", date(2025, 3, 8), 1320, 240, 300),
        ("America/Chicago", date(2025, 3, 9), 90, 210, 60),
        ("America/Chicago", date(2025, 3, 9), 900, 990, 90),
        ("Australia/Lord_Howe", date(2025, 10, 5), 0, 1440, 1410),
        ("Africa/Casablanca", date(2025, 2, 23), 0, 1440, 1500),
        # both ends repeated: the first 01:15 to the second 01:45
        ("America/Chicago", date(2025, 11, 2), 75, 105, 90),
        # an end that does not exist moves forward: 02:30 is 03:30
        ("America/Chicago", date(2025, 3, 9), 60, 150, 90),
        # swallowed: 02:30 is 03:30, after 03:00
        ("America/Chicago", date(2025, 3, 9), 150, 180, 0),
    ],
)
def test_a_band_across_a_clock_change(zone: str, day: date, opens: int, closes: int, minutes: int) -> None:
    band = Band("band", opens, closes, D(2), (), holidays=True)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(1)
    asked = ask(
        replace(PLAIN, bands=(band,)),
        time_zone=zone,
        start=start,
        end=start + timedelta(4),
        public_holidays=frozenset({day}),
    )
    counted = {code: counted for code, counted, _, _ in usage(quote(asked))}
    assert counted.get("band", 0) == minutes
    assert counted["standard"] == 4 * 1440 - minutes


def test_a_band_reaches_over_a_day_that_does_not_exist() -> None:
    # Samoa had no 30 December: 08:00 of that day is 08:00 of the 31st.
    night = Band("night", 20 * 60, 8 * 60, D("0.5"), (), holidays=True)
    asked = ask(
        replace(PLAIN, bands=(night,)),
        time_zone="Pacific/Apia",
        start=utc("2011-12-31T07:00+14:00"),
        end=utc("2011-12-31T09:00+14:00"),
        public_holidays=frozenset({date(2011, 12, 29)}),
    )
    assert [(code, minutes) for code, minutes, _, _ in usage(quote(asked))] == [
        ("night", 60),
        ("standard", 60),
    ]


# Tiers and the daily cap


def test_tiers_count_by_position_in_the_booking() -> None:
    late = Band("late", 12 * 60 + 30, 1440, D(2), EVERY_DAY)
    card = replace(PLAIN, bands=(late,), tiers=(Tier(0, D(1)), Tier(20, D("0.5")), Tier(50, D("0.5"))))
    # Alike multipliers are still two tiers, and two lines.
    assert usage(quote(ask(card))) == [
        ("standard", 20, D(1), D("24.40")),
        ("standard", 10, D("0.5"), D("6.10")),
        ("late", 20, D(1), D("24.40")),
        ("late", 10, D(1), D("12.20")),
    ]


def test_minutes_free_under_the_cap_still_count_for_the_tiers() -> None:
    card = replace(PLAIN, daily_cap_minutes=60, tiers=(Tier(0, D(1)), Tier(180, D("0.5"))))
    asked = ask(card, start=utc("2025-06-02T22:00-05:00"), end=utc("2025-06-03T02:00-05:00"))
    assert usage(quote(asked)) == [("standard", 120, D(1), D("146.40")), ("capped", 120, None, D(0))]
    longer = replace(asked, start=utc("2025-06-02T21:00-05:00"))
    assert usage(quote(longer)) == [
        ("standard", 60, D(1), D("73.20")),
        ("standard", 60, D("0.5"), D("36.60")),
        ("capped", 180, None, D(0)),
    ]


def test_the_cap_counts_the_local_day_not_the_utc_day() -> None:
    card = replace(PLAIN, daily_cap_minutes=60)
    asked = ask(card, start=utc("2025-06-02T18:00-05:00"), end=utc("2025-06-02T20:00-05:00"))
    assert usage(quote(asked)) == [("standard", 60, D(1), D("73.20")), ("capped", 60, None, D(0))]


def test_a_band_whose_minutes_are_all_free_has_no_line() -> None:
    night = Band("night", 22 * 60, 1440, D("0.5"), EVERY_DAY)
    card = replace(PLAIN, bands=(night,), daily_cap_minutes=60)
    asked = ask(card, start=utc("2025-06-02T21:00-05:00"), end=utc("2025-06-03T01:00-05:00"))
    assert usage(quote(asked)) == [("standard", 120, D(1), D("146.40")), ("capped", 120, None, D(0))]


# Samples


def sample_card() -> RateCardValues:
    return replace(
        PLAIN,
        rate_unit="sample",
        minimum_minutes=60,
        daily_cap_minutes=1,
        setup_fee=D(5),
        bands=(Band("all", 0, 1440, D(9), EVERY_DAY),),
        tiers=(Tier(0, D(7)),),
    )


def test_samples_are_quantity_times_rate_and_nothing_else() -> None:
    asked = ask(
        sample_card(),
        service_mode="entrusted",
        quantity=D(3),
        price_group="partner",
        agreement_discount_percent=D(10),
    )
    answer = quotes.quote_to_json(quote(asked))
    assert answer["lines"] == [
        {"kind": "usage", "code": "sample", "rate": "60", "quantity": "3", "amount": "180.00"},
        {"kind": "setup", "amount": "5.00"},
        {"kind": "agreement", "percent": "10", "amount": "-18.00"},
    ]
    assert (answer["billed_minutes"], answer["subtotal"]) == (0, "167.00")


@pytest.mark.parametrize(
    ("service_mode", "quantity", "expected"),
    [
        ("self", D(1), [("service_mode", "priced-per-sample")]),
        ("entrusted", None, [("samples", "required")]),
        ("entrusted", D("1.5"), [("samples", "too-many-decimals")]),
        ("entrusted", D(-1), [("samples", "too-small")]),
        ("entrusted", D("NaN"), [("samples", "not-a-decimal")]),
        ("entrusted", D("Infinity"), [("samples", "not-a-decimal")]),
    ],
)
def test_samples_that_cannot_be_counted_are_refused(
    service_mode: str, quantity: Decimal | None, expected: list[tuple[str, str]]
) -> None:
    asked = ask(sample_card(), service_mode=service_mode, quantity=quantity)
    assert problems_of(asked) == expected


# Options, agreement, tax


def option_card() -> RateCardValues:
    return replace(
        PLAIN,
        options=(
            Option("operator", "hour", D("10.005"), subsidised=True),
            Option("grid", "each", D("35"), subsidised=False),
            Option("tea", "each", D(0), subsidised=False),
        ),
    )


def test_option_lines_follow_the_card_and_are_rounded() -> None:
    answer = quote(ask(option_card(), options={"tea": D(2), "grid": D(4), "operator": D("1.50")}))
    assert answer.lines[1:] == (
        quotes.QuoteLine("option", D("15.01"), "operator", quantity=D("1.5"), price=D("10.005")),
        quotes.QuoteLine("option", D(140), "grid", quantity=D(4), price=D(35)),
        quotes.QuoteLine("option", D(0), "tea", quantity=D(2), price=D(0)),
    )
    assert answer.subtotal == D("228.21")
    assert answer.eligible == D("88.21")


def test_an_option_of_quantity_zero_has_no_line() -> None:
    assert len(quote(ask(option_card(), options={"grid": D(0)})).lines) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"x": D(1)}, [("options.x", "unknown-option")]),
        ({"grid": D("1.5")}, [("options.grid", "too-many-decimals")]),
        ({"grid": D("-1")}, [("options.grid", "too-small")]),
        ({"operator": D("1.005")}, [("options.operator", "too-many-decimals")]),
        ({"operator": D("NaN")}, [("options.operator", "not-a-decimal")]),
        ({"operator": D("sNaN")}, [("options.operator", "not-a-decimal")]),
        ({"operator": D("-Infinity")}, [("options.operator", "not-a-decimal")]),
        ({"operator": D("1000000.01")}, [("options.operator", "too-large")]),
        (
            {"x": D(1), "grid": D("0.1")},
            [("options.x", "unknown-option"), ("options.grid", "too-many-decimals")],
        ),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Decimal], expected: list[tuple[str, str]]) -> None:
    assert problems_of(ask(option_card(), options=options)) == expected


@pytest.mark.parametrize("quantity", ["1.25", "1.250", "1000000", "1E+2"])
def test_hours_have_up_to_two_decimals(quantity: str) -> None:
    answer = quote(ask(option_card(), options={"operator": D(quantity)}))
    assert answer.lines[1].quantity == D(quantity)


@pytest.mark.parametrize(
    ("quantity", "code", "numbers"),
    [
        ("0.001", "too-many-decimals", {"decimals": 2}),
        ("-1", "too-small", {"least": 0}),
        ("1000001", "too-large", {"most": 10**6}),
    ],
)
def test_an_impossible_quantity_says_what_would_pass(
    quantity: str, code: str, numbers: dict[str, int]
) -> None:
    with pytest.raises(Invalid) as refusal:
        quote(ask(option_card(), options={"operator": D(quantity)}))
    assert refusal.value.problems == (FieldProblem("options.operator", code, numbers),)


def test_the_agreement_is_for_partners_and_usage_alone() -> None:
    card = replace(PLAIN, setup_fee=D(10), tax_percent=D("19"))
    partner = quote(ask(card, price_group="partner", agreement_discount_percent=D("12.555")))
    assert partner.lines[-1] == quotes.QuoteLine("agreement", D("-7.53"), percent=D("12.555"), base=D(60))
    assert (partner.subtotal, partner.tax, partner.total) == (D("62.47"), D("11.87"), D("74.34"))
    assert quote(ask(card, agreement_discount_percent=D(10))).lines[-1].kind == "setup"
    assert quote(ask(card, price_group="partner")).lines[-1].kind == "setup"


def test_a_bid_below_the_card_takes_a_part_of_all_but_options_after_the_agreement() -> None:
    card = replace(PLAIN, setup_fee=D(5), options=(Option("grid", "each", D(35), subsidised=False),))
    asked = ask(
        card, price_group="partner", agreement_discount_percent=D(10), options={"grid": D(1)},
        bid_discount_percent=D("12.5"),
    )  # fmt: skip
    by_card, answer = quote(replace(asked, bid_discount_percent=D(0))), quote(asked)
    base = by_card.subtotal - 35
    taken = round_half_up(base / 8, card.currency)
    assert answer.lines[-1] == quotes.QuoteLine("bid", -taken, percent=D("12.5"), base=base)
    assert answer.subtotal == by_card.subtotal - taken and answer.eligible == by_card.eligible - taken
    assert cancellation_base(answer) == base - taken
    assert quotes.input_from_json(quotes.input_to_json(asked)) == asked
    assert "bid_discount_percent" not in quotes.input_to_json(replace(asked, bid_discount_percent=D(0)))


def test_the_explained_json_says_what_options_and_agreement_were_made_of() -> None:
    lines: Any = quotes.quote_to_json(quote(EXAMPLE), explained=True)["lines"]
    assert lines[3:] == [
        {"kind": "option", "code": "operator", "quantity": "1.5", "amount": "225.00", "price": "150.00"},
        {"kind": "agreement", "percent": "10", "amount": "-62.50", "base": "625.00"},
    ]


def test_the_voucher_covers_what_is_eligible_before_tax() -> None:
    card = replace(option_card(), setup_fee=D(20), tax_percent=D(10))
    grant = GrantValues("V", D(100), None, D(10_000), None)
    answer = quote(ask(card, options={"operator": D(1), "grid": D(1)}, grants=(grant,)))
    assert (answer.eligible, answer.voucher, answer.covered) == (D("103.21"), "V", D("103.21"))
    assert (answer.total, answer.payable) == (D("152.03"), D("48.82"))


# What cannot be quoted


@pytest.mark.parametrize("field", ["start", "end"])
def test_an_instant_without_an_offset_is_refused(field: str) -> None:
    naive: dict[str, Any] = {field: ask().start.replace(tzinfo=None)}
    assert problems_of(ask(**naive)) == [(field, "naive-time")]


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    assert problems_of(ask(end=ask().start - timedelta(microseconds=1))) == [("end", "end-before-start")]


# Cancelling and missing


def test_the_base_is_usage_agreement_and_set_up() -> None:
    answer = quote(EXAMPLE)
    assert cancellation_base(answer) == D("662.50")
    assert answer.subtotal == D("887.50")


@pytest.mark.parametrize(
    ("notice", "percent"),
    [
        (timedelta(minutes=4320), 0),
        (timedelta(minutes=4320, seconds=-1), 50),
        # to the second: fractions of one do not matter
        (timedelta(minutes=4320, microseconds=-1), 0),
        (timedelta(minutes=1440), 50),
        (timedelta(minutes=1439), 100),
        (timedelta(0), 100),
        (timedelta(days=-9), 100),
    ],
)
def test_the_first_tier_with_enough_notice_applies(notice: timedelta, percent: int) -> None:
    start = utc("2026-03-06T18:00+08:00")
    fee = cancellation_terms(WORKED_CARD, base=D("662.50"), start=start, cancelled_at=start - notice)
    assert fee.percent == percent


def test_a_card_without_cancellation_terms_or_with_too_few_charges_nothing() -> None:
    start = ask().start
    free = CancellationFee(D(0), D(0), D(0))
    assert cancellation_terms(PLAIN, base=D(9), start=start, cancelled_at=start) == free
    partial = replace(WORKED_CARD, cancellation=WORKED_CARD.cancellation[:2])
    late = cancellation_terms(partial, base=D(9), start=start, cancelled_at=start)
    assert late == replace(free, under_minutes=1440)


def test_after_a_move_cancelling_costs_at_least_what_it_would_have() -> None:
    start = utc("2026-03-06T18:00+08:00")

    def fee(cancelled_at: datetime) -> CancellationFee:
        return cancellation_terms(
            WORKED_CARD, base=D("0.03"), start=start, cancelled_at=cancelled_at, minimum_percent=D(50)
        )

    # 0.015 is 0.02, and 6 % of that is nothing
    long_before = CancellationFee(D(50), D("0.02"), D("0.00"), "moved")
    assert fee(start - timedelta(days=30)) == long_before
    assert fee(start).percent == 100


def test_a_no_show_costs_the_cards_percent_and_tax() -> None:
    card = replace(WORKED_CARD, no_show_percent=D(80))
    assert no_show_fee(card, D("662.50")) == CancellationFee(D(80), D("530.00"), D("31.80"))


# What is charged

RESERVED = (utc("2025-06-02T12:00Z"), utc("2025-06-02T13:00Z"))
EARLY = (utc("2025-06-02T11:50Z"), utc("2025-06-02T12:50Z"))
LATE = (utc("2025-06-02T12:10Z"), utc("2025-06-02T13:10Z"))


@pytest.mark.parametrize(
    ("basis", "used", "charged"),
    [
        ("reserved", None, RESERVED),
        ("reserved", LATE, RESERVED),
        ("used", None, None),
        ("used", EARLY, EARLY),
        ("used", LATE, LATE),
        ("greater", None, None),
        ("greater", EARLY, RESERVED),
        ("greater", LATE, (RESERVED[0], LATE[1])),
    ],
)
def test_the_charged_period(basis: str, used: Any, charged: Any) -> None:
    quoted = ask(replace(PLAIN, charge_basis=basis), start=RESERVED[0], end=RESERVED[1])
    due = charge_input(quoted, usage=used)
    assert due == (charged and replace(quoted, start=charged[0], end=charged[1]))


# Cut short by the host


@pytest.mark.parametrize("case", CASES["cut_short"], ids=lambda case: case["name"])
def test_cut_short_case(case: dict[str, Any]) -> None:
    booked = next(known["input"] for known in CASES["quotes"] if known["name"] == case["of"])
    card = booked["card"] | case["changes"].get("card", {})
    check_in, check_out = case["usage"].split()
    due = charge_input(
        quotes.input_from_json(booked | case["changes"] | {"card": card}),
        usage=(utc(check_in), utc(check_out)),
        cut_at=utc(case["cut_at"]),
    )
    assert due is not None
    answer = quotes.quote_to_json(quote(due))
    answer["lines"] = " ".join(line.pop("amount") for line in answer["lines"])  # type: ignore
    assert {key: answer[key] for key in case["expected"]} == case["expected"]


# Second thoughts

MADE = utc("2025-06-02T08:00Z")


@pytest.mark.parametrize(
    ("minutes", "seconds", "until_start", "is_free"),
    [
        (0, 0, 120, True),
        (10, 0, 120, True),
        (10, 1, 120, False),  # later than ten minutes
        (5, 0, 65, False),  # sixty minutes before the start, not more
        (4, 59, 65, True),
        (0, -1, 120, False),
    ],
)
def test_second_thoughts(minutes: int, seconds: int, until_start: int, is_free: bool) -> None:
    now = MADE + timedelta(minutes=minutes, seconds=seconds)
    start = MADE + timedelta(minutes=until_start)
    assert is_second_thought(made_at=MADE, start=start, now=now) is is_free


@given(st.integers(-60, 700), st.integers(0, 5000))
def test_second_thoughts_are_free_until_they_end(seconds: int, minutes: int) -> None:
    now, start = MADE + timedelta(seconds=seconds), MADE + timedelta(minutes=minutes)
    end = second_thoughts_end(made_at=MADE, start=start)
    if is_second_thought(made_at=MADE, start=start, now=now):
        assert MADE <= now <= end
    assert is_second_thought(made_at=MADE, start=start, now=max(MADE, end) + MINUTE) is False


# Properties

# Around a change of clocks and away from one: forward, back, by half an hour, at midnight.
ZONES = {
    "America/Chicago": ["2025-03-09", "2025-11-02"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05"],
    "Africa/Casablanca": ["2025-02-23", "2025-04-06"],
    "America/Havana": ["2025-03-09", "2025-11-02"],
    "Asia/Beirut": ["2025-03-30", "2025-10-26"],
    "Asia/Shanghai": ["2026-03-06"],
}


@st.composite
def bands_strategy(draw: st.DrawFn) -> tuple[Band, ...]:
    # Walls crowd around the changes, so that bands meet them.
    walls = st.sampled_from([0, 1, 30, 59, 60, 89, 90, 119, 120, 150, 180, 1380, 1410]) | (
        st.integers(0, 1439)
    )
    days = [(EVERY_DAY, False), ((6, 7), True), ((7,), False), ((), True)]
    bands = []
    for index in range(draw(st.integers(0, 3))):
        weekdays, holidays = draw(st.sampled_from(days))
        bands.append(
            Band(
                code=f"b{index}",
                opens=draw(walls),
                closes=draw(walls | st.just(1440)),
                multiplier=draw(st.sampled_from([D("0.5"), D("1.5"), D("0")])),
                weekdays=weekdays,
                holidays=holidays,
            )
        )
    return tuple(bands)


def grants_strategy(currency: str) -> st.SearchStrategy[tuple[GrantValues, ...]]:
    digits = 0 if currency == "JPY" else 2
    money = st.integers(0, 50_000).map(lambda units: D(units).scaleb(-digits))
    grant = st.builds(
        GrantValues,
        code=st.sampled_from("ABC"),
        percent=st.sampled_from([D("12.5"), D(50), D(100)]),
        cap_per_booking=st.none() | money,
        remaining=money,
        expires=st.none() | st.sampled_from([date(2026, 6, 30), date(2026, 12, 31)]),
    )
    return st.lists(grant, max_size=3).map(tuple)


@st.composite
def inputs(draw: st.DrawFn) -> quotes.QuoteInput:
    zone = draw(st.sampled_from(sorted(ZONES)))
    noon = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))).replace(tzinfo=UTC)
    start = noon + draw(st.integers(-36 * 60, 24 * 60)) * MINUTE
    tier_starts = draw(st.lists(st.integers(1, 1500), max_size=2, unique=True).map(sorted))
    card = RateCardValues(
        currency=draw(st.sampled_from(["USD", "JPY"])),
        valid_from=date(2020, 1, 1),
        rates={"internal": draw(st.sampled_from([D("73.20"), D("0.01"), D("333.3333")])), "partner": D(60)},
        billing_increment_minutes=draw(st.sampled_from([1, 7, 15, 60])),
        minimum_minutes=draw(st.sampled_from([0, 1, 50, 180])),
        bands=draw(bands_strategy()),
        tiers=tuple(
            Tier(after, D(1) / (index + 1) if index != 2 else D("0.3333"))
            for index, after in enumerate([0, *tier_starts])
        ),
        daily_cap_minutes=draw(st.none() | st.integers(1, 1500)),
        setup_fee=D(draw(st.integers(0, 2))),
        options=(
            Option("operator", "hour", D("33.3333"), subsidised=True),
            Option("grid", "each", D(35), subsidised=False),
        ),
        tax_percent=draw(st.sampled_from([D(0), D(6), D("8.875")])),
    )
    return quotes.QuoteInput(
        card=card,
        time_zone=zone,
        start=start + timedelta(seconds=draw(st.integers(0, 59))),
        end=start + draw(st.integers(0, 3000)) * MINUTE + timedelta(seconds=59),
        price_group=draw(st.sampled_from(["internal", "partner"])),
        options=draw(
            st.fixed_dictionaries(
                {}, optional={"operator": st.just(D("1.25")), "grid": st.integers(0, 3).map(D)}
            )
        ),
        agreement_discount_percent=draw(st.sampled_from([D(0), D("12.5"), D(100)])),
        bid_discount_percent=draw(st.sampled_from([D(0), D("33.33"), D(100)])),
        grants=draw(grants_strategy(card.currency)),
        public_holidays=draw(
            st.frozensets(st.integers(-2, 3).map(lambda days: (noon + timedelta(days)).date()))
        ),
    )


@cache
def clock(zone: str, around: datetime) -> dict[datetime, list[int]]:
    """The minutes of the days around, by what the wall clock showed: read, not computed."""
    shown: dict[datetime, list[int]] = {}
    for minute in range(-6 * 1440, 7 * 1440):
        instant = around + minute * MINUTE
        wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC, fold=0)
        shown.setdefault(wall, []).append(int(instant.timestamp()) // 60)
    return shown


def naive_windows(asked: quotes.QuoteInput, days: list[date]) -> list[tuple[int, int, int]]:
    """(opens, closes, band) of each band opening, found by looking at the clock."""
    changes = [utc(f"{day}T00:00Z") for day in ZONES[asked.time_zone]]
    around = min(changes, key=lambda change: abs(change - asked.start))
    shown = clock(asked.time_zone, around)

    def passes(wall: datetime) -> list[int]:
        missing = timedelta(0)
        while wall - missing not in shown:
            missing += MINUTE
        if not missing:
            return shown[wall]
        gap = timedelta(0)
        before = wall - missing
        while before + MINUTE + gap not in shown:
            gap += MINUTE
        return shown[wall + gap]

    windows = []
    for day in days:
        for index, band in enumerate(asked.card.bands):
            if day.isoweekday() in band.weekdays or (band.holidays and day in asked.public_holidays):
                midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)  # as a wall
                length = band.closes - band.opens
                closes = band.opens + (length if length > 0 else length + 1440)
                windows.append(
                    (
                        min(passes(midnight + band.opens * MINUTE)),
                        max(passes(midnight + closes * MINUTE)),
                        index,
                    )
                )
    return windows


def naive_usage(asked: quotes.QuoteInput) -> list[tuple[str, int, Decimal | None, Decimal]]:
    """Steps 1 and 2 of docs/fees.md read literally, minute by minute."""
    card, zone = asked.card, ZoneInfo(asked.time_zone)
    start, end = int(asked.start.timestamp()) // 60, int(asked.end.timestamp()) // 60
    rounded = end - start
    while rounded % card.billing_increment_minutes:
        rounded += 1
    first = asked.start.astimezone(zone).date()
    windows = naive_windows(asked, [first + timedelta(days) for days in range(-2, 5)])

    charged: Counter[tuple[int | None, int]] = Counter()
    of_day: Counter[date] = Counter()
    free = 0
    for position in range(max(card.minimum_minutes, rounded)):
        minute = max(start, min(start + position, end - 1))
        band = min((i for opens, closes, i in windows if opens <= minute < closes), default=None)
        tier = max(i for i, tier in enumerate(card.tiers) if tier.after_minutes <= position)
        day = datetime.fromtimestamp(minute * 60, zone).date()
        if card.daily_cap_minutes is not None and of_day[day] == card.daily_cap_minutes:
            free += 1
        else:
            of_day[day] += 1
            charged[band, tier] += 1
    lines: list[tuple[str, int, Decimal | None, Decimal]] = []
    for (band, tier), minutes in charged.items():
        multiplier = D(1) if band is None else card.bands[band].multiplier
        multiplier *= card.tiers[tier].multiplier
        amount = card.rates[asked.price_group] * multiplier * minutes / 60
        code = "standard" if band is None else card.bands[band].code
        lines.append((code, minutes, multiplier, round_half_up(amount, card.currency)))
    return [*lines, ("capped", free, None, D(0))] if free else lines


@given(st.data())
def test_a_use_cut_short_costs_no_more_than_uncut_nor_than_its_time(data: st.DataObject) -> None:
    asked = data.draw(inputs())
    basis = data.draw(st.sampled_from(["reserved", "used", "greater"]))
    asked = replace(asked, card=replace(asked.card, charge_basis=basis))
    check_in = asked.start + timedelta(seconds=data.draw(st.integers(-900, 90_000)))
    cut_at = check_in + timedelta(seconds=data.draw(st.integers(0, 90_000)))
    check_out = min(check_in + timedelta(seconds=data.draw(st.integers(0, 90_000))), cut_at)
    due = charge_input(asked, usage=(check_in, check_out), cut_at=cut_at)
    uncut = charge_input(asked, usage=(check_in, check_out))
    assert due is not None and uncut is not None
    charged = quote(due)
    assert charged.total <= quote(uncut).total
    minutes = (cut_at - check_in) // MINUTE
    if minutes == 0:
        assert charged.total == 0
    if due.cut_at is not None:  # else the whole costs less, by an odd card
        assert check_in <= due.start == due.end or check_in <= due.start < due.end <= cut_at
        assert charged.billed_minutes <= minutes
        assert all(due.options[code] <= asked.options[code] for code in asked.options)
    # Options are charged for their part of the booking, whichever part that is.
    bare = charge_input(replace(asked, options={}), usage=(check_in, check_out), cut_at=cut_at)
    if asked.card.rate_unit == "hour":
        time = replace(asked, options={}, start=check_in, end=cut_at, cut_at=cut_at)
        assert bare is not None and quote(bare).total <= quote(time).total
    again = quotes.input_from_json(json.loads(json.dumps(quotes.input_to_json(due))))
    assert quote(again) == charged


@given(inputs())
def test_usage_equals_the_rules_read_minute_by_minute(asked: quotes.QuoteInput) -> None:
    assert usage(quote(asked)) == naive_usage(asked)


@given(inputs())
def test_sums_are_exact_and_minutes_are_all_accounted_for(asked: quotes.QuoteInput) -> None:
    answer = quote(asked)
    card = asked.card
    assert sum(line.amount for line in answer.lines) == answer.subtotal
    assert answer.subtotal + answer.tax == answer.total
    assert answer.total - answer.covered == answer.payable
    assert answer.tax == round_half_up(answer.subtotal * card.tax_percent / 100, card.currency)
    assert 0 <= answer.covered <= answer.eligible <= answer.subtotal
    amounts = [*(line.amount for line in answer.lines), answer.tax, answer.covered]
    assert all(amount == round_half_up(amount, card.currency) for amount in amounts)

    elapsed = int(asked.end.timestamp()) // 60 - int(asked.start.timestamp()) // 60
    billed = answer.billed_minutes
    assert sum(line.minutes or 0 for line in answer.lines) == billed
    assert billed >= max(elapsed, card.minimum_minutes)
    if billed != card.minimum_minutes:
        assert billed % card.billing_increment_minutes == 0
        assert billed - elapsed < card.billing_increment_minutes

    chosen = [grant for grant in asked.grants if grant.code == answer.voucher]
    assert bool(chosen) == (answer.covered > 0)
    if chosen:
        caps = [
            grant.remaining if grant.cap_per_booking is None else grant.cap_per_booking for grant in chosen
        ]
        assert answer.covered <= max(caps)
        assert answer.covered <= max(grant.remaining for grant in chosen)


@given(inputs())
def test_the_order_of_grants_options_and_rates_does_not_matter(asked: quotes.QuoteInput) -> None:
    card = replace(asked.card, rates=dict(list(asked.card.rates.items())[::-1]))
    turned = replace(
        asked, card=card, grants=asked.grants[::-1], options=dict(list(asked.options.items())[::-1])
    )
    assert quote(turned) == quote(asked)


@given(inputs())
@example(EXAMPLE)
@example(ask(sample_card(), service_mode="entrusted", quantity=D(3), start=utc("2025-06-02T12:00:01.5Z")))
def test_a_stored_input_replays_to_the_cent(asked: quotes.QuoteInput) -> None:
    stored = json.loads(json.dumps(quotes.input_to_json(asked)))
    again = quotes.input_from_json(stored)
    assert replace(again, public_holidays=asked.public_holidays) == asked
    assert quote(again) == quote(asked)
    assert quotes.quote_to_json(quote(again)) == quotes.quote_to_json(quote(asked))
    assert quotes.input_to_json(again) == stored


def test_only_holidays_that_can_matter_are_stored() -> None:
    days = frozenset(date(2025, 5, 25) + timedelta(days) for days in range(20))
    stored = quotes.input_to_json(ask(public_holidays=days))
    # From two days before (a band may run into the first day) to a fortnight after (use may
    # outlast the reservation).
    assert stored["public_holidays"] == [
        day.isoformat() for day in sorted(days) if date(2025, 5, 31) <= day <= date(2025, 6, 16)
    ]


def test_an_input_of_other_rules_is_not_replayed_by_these() -> None:
    with pytest.raises(ValueError, match="version 2"):
        quotes.input_from_json({**quotes.input_to_json(EXAMPLE), "rules_version": 2})


@given(inputs(), st.integers(0, 3000))
def test_splitting_a_period_changes_each_line_by_less_than_one_minor_unit(
    asked: quotes.QuoteInput, at: int
) -> None:
    card = replace(
        asked.card, billing_increment_minutes=1, minimum_minutes=0, tiers=(), daily_cap_minutes=None
    )
    whole = replace(asked, card=card)
    middle = min(asked.end, asked.start + at * MINUTE)
    totals: Counter[str | None] = Counter()
    minutes: Counter[str | None] = Counter()
    for part in (replace(whole, end=middle), replace(whole, start=middle)):
        for code, counted, _, amount in usage(quote(part)):
            totals[code] += amount  # type: ignore[assignment]
            minutes[code] += counted or 0
    unit = D(1) if card.currency == "JPY" else D("0.01")
    for code, counted, _, amount in usage(quote(whole)):
        assert minutes.pop(code) == counted
        assert abs(totals[code] - amount) <= unit
    assert not minutes


@given(inputs())
def test_the_callers_decimal_context_does_not_matter(asked: quotes.QuoteInput) -> None:
    expected = quote(asked)
    base = cancellation_base(expected)
    with localcontext(Context(prec=3)):
        assert quote(asked) == expected
        assert cancellation_base(expected) == base


def test_a_long_period_is_cut_into_days_and_bands_not_minutes() -> None:
    asked = replace(EXAMPLE, end=EXAMPLE.start + timedelta(days=30))
    assert quote(asked).billed_minutes == 30 * 1440
    start, end = minute_of(asked.start), minute_of(asked.end)
    zone = ZoneInfo(asked.time_zone)
    # midnight, 08:00 and 20:00 of each day
    assert len(band_spans(asked.card.bands, zone, frozenset(), start, end)) == 90 + 1


# Kept hours


def test_minutes_that_use_kept_hours_have_their_own_price() -> None:
    asked = ask(replace(PLAIN, daily_cap_minutes=30))
    start = asked.start
    part = PricedPart(start, start + timedelta(minutes=40), D("30.00"))
    given = replace(asked, kept=(part,))
    answer = quote(given)
    rest = (asked.end - start) // timedelta(minutes=1) - 40
    assert usage(answer)[0] == ("kept", 40, D(1), D("20.00"))
    assert sum(line.minutes or 0 for line in answer.lines[1:]) == rest
    assert quotes.input_from_json(quotes.input_to_json(given)) == given
    # What lies outside the charged period costs nothing.
    assert quote(replace(given, start=part.end)) == quote(replace(asked, start=part.end))


def test_no_discount_on_what_has_its_own_price() -> None:
    asked = ask(PLAIN, price_group="partner", agreement_discount_percent=D(10))
    part = PricedPart(asked.start, asked.end, D("30.00"))
    [line, discount] = quote(replace(asked, kept=(part,))).lines
    assert (line.code, discount.amount, discount.base) == ("kept", D(0), D(0))


def test_hours_of_who_operates_come_on_top_where_somebody_else_operates():
    card = option_card()
    hourly = tuple(option for option in card.options if option.unit == "hour")
    assert hourly
    assert [on_top(card, mode) for mode in ("assisted", "entrusted")] == [hourly, hourly]
    assert [on_top(card, mode) for mode in ("self", "remote", "")] == [(), (), ()]


@pytest.mark.parametrize(
    ("minutes", "changes", "expected"),
    [
        (59, {}, 60),
        (60, {}, 0),
        (30, {"cut_at": "2026-03-06T10:30:00+00:00"}, 0),
        (30, {"card": {"rate_unit": "sample", "minimum_minutes": 60}}, 0),
        (30, {"card": {}}, 0),
    ],
)
def test_the_minimum_is_named_where_it_makes_the_price(minutes, changes, expected):
    start = datetime(2026, 3, 6, 10, tzinfo=UTC)
    given = {"start": start.isoformat(), "end": (start + minutes * MINUTE).isoformat()}
    given |= {"card": {"rate_unit": "hour", "minimum_minutes": 60}} | changes
    assert quotes.minimum_charged(given) == expected
