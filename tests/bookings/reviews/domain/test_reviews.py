"""The rules of a review: worked cases, properties, states and deadlines."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import WrongState
from bookings.reviews.domain import reviews as rules
from bookings.reviews.domain.reviews import Compared, Costs, Thresholds

CASES = json.loads((Path(__file__).parents[3] / "cases" / "reviews.json").read_text("utf-8"))


def compared(row: dict[str, Any]) -> Compared:
    return Compared(
        row["key"],
        Fraction(row["effective"]),
        Fraction(row["open"]),
        row["fit"],
        row.get("model", ""),
        tuple(row.get("fails", ())),
        row.get("answer", ""),
        Fraction(row.get("promised", 0)),
    )


def fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_a_worked_case_comes_out_to_the_hour_and_cent(case):
    told, expect = case["given"], case["expect"]
    rows = [compared(row) for row in told.get("rows", ())]
    full = Thresholds(
        told.get("full", {}).get("hours", 1200), Decimal(told.get("full", {}).get("percent", 85))
    )
    if "wait" in expect:
        spare = {key: Fraction(hours) for key, hours in told["spare"].items()}
        assert rules.expected_wait(told["waits"], spare) == fraction(expect["wait"])
        return
    costs = {
        name: value if name == "years" else Decimal(value)
        for name, value in told.get("costs", {"price": "1", "years": 1}).items()
    }
    quote = told.get("quote")
    result = rules.figures(
        rows,
        needed=told.get("needed", 400),
        costs=Costs(**costs),
        currency=told.get("currency", "CNY"),
        quote=None if quote is None else Decimal(quote),
        full=full,
        unmet_hours=Fraction(told.get("unmet", 0)),
        split=told.get("split", False),
    )
    found: dict[str, Any] = {
        "mean": result.mean,
        "is_full": result.is_full,
        "usable": list(result.usable),
        "spare": result.spare,
        "coverage": result.coverage,
        "promised": result.promised,
        "own_cost": f"{result.own_cost}",
        "shared": None if result.shared is None else f"{result.shared}",
        "break_even": result.break_even,
        "for": list(result.grounds_for),
        "against": list(result.grounds_against),
        "excluding": rules.excluding(rows),
    }
    for name, value in expect.items():
        if name in ("mean", "spare", "coverage", "promised"):
            value = fraction(value)
        assert found[name] == value, name


hours = st.integers(0, 9000).map(Fraction)
rows = st.lists(
    st.builds(
        Compared,
        key=st.uuids(),
        effective=hours,
        opened=hours,
        fit=st.sampled_from(["meets", "unknown", "fails"]),
        answer=st.sampled_from(["", "promise", "denial"]),
    ),
    max_size=8,
)


@given(rows, st.integers(1, 8784))
def test_silence_covers_as_little_as_a_denial_and_an_answer_never_less(given, needed):
    full = Thresholds()
    covered = rules.coverage(given, needed, full)
    assert 0 <= covered <= 1
    willing = [Compared(r.key, r.effective, r.opened, r.fit, answer="promise") for r in given]
    silent = [Compared(r.key, r.effective, r.opened, r.fit) for r in given]
    assert rules.coverage(silent, needed, full) == 0
    assert covered <= rules.coverage(willing, needed, full)


@given(st.decimals("0.01", "1e9", places=2), st.integers(1, 50), st.decimals("0.01", "10000", places=2))
def test_from_the_break_even_on_an_own_hour_is_no_dearer(price, years, quote):
    costs = Costs(price, years)
    least = rules.break_even(costs, quote)
    yearly = Fraction(price) / years + Fraction(price) * 6 / 100
    assert least is not None
    assert least * Fraction(quote) >= yearly > (least - 1) * Fraction(quote)


@given(rows)
def test_grounds_for_and_against_never_say_the_same(given):
    told = rules.figures(
        given,
        needed=400,
        costs=Costs(Decimal(2_000_000), 5),
        currency="CNY",
        quote=Decimal(500),
        full=Thresholds(),
    )
    assert all(rules.GROUNDS[code] == "for" for code in told.grounds_for)
    assert all(rules.GROUNDS[code] == "against" for code in told.grounds_against)
    assert not {"area-full", "area-not-full"} <= {*told.grounds_for, *told.grounds_against}


@given(st.sampled_from(sorted(rules.ACTS)), st.sampled_from(sorted(rules.OPEN | rules.OVER)))
def test_an_act_leads_from_its_states_alone(name, state):
    states, after = rules.ACTS[name]
    if state in states:
        assert rules.act(name, state) == after
    else:
        with pytest.raises(WrongState, match="case-not-so-far"):
            rules.act(name, state)


@pytest.mark.parametrize(
    "day, days, holidays, last",
    [
        (date(2026, 3, 2), 15, (), date(2026, 3, 23)),  # a Monday: three weeks
        (date(2026, 3, 6), 1, (), date(2026, 3, 9)),  # over a weekend
        (date(2026, 3, 6), 1, (date(2026, 3, 9),), date(2026, 3, 10)),
        (date(2026, 3, 7), 0, (), date(2026, 3, 7)),
    ],
)
def test_working_days_leave_out_weekends_and_holidays(day, days, holidays, last):
    assert rules.working_day_after(day, days, frozenset(holidays)) == last


@pytest.mark.parametrize(
    "day, months, after",
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 11, 30), 12, date(2027, 11, 30)),
        (date(2026, 3, 15), -12, date(2025, 3, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
    ],
)
def test_months_end_where_a_month_is_shorter(day, months, after):
    assert rules.months_after(day, months) == after


def test_a_purchase_counts_as_avoided_from_half_of_what_was_promised():
    assert rules.is_avoided(400 * 60, 200 * 60)
    assert not rules.is_avoided(400 * 60, 200 * 60 - 1)
    assert not rules.is_avoided(0, 0)


def test_two_cases_fill_one_instrument_from_85_per_cent_to_all_of_it():
    assert rules.fills_one(900, 800, Fraction(2000))
    assert not rules.fills_one(900, 799, Fraction(2000))
    assert rules.fills_one(1200, 800, Fraction(2000))
    assert not rules.fills_one(1200, 801, Fraction(2000))


def test_cases_of_a_class_are_split_within_twelve_months():
    day, mine = date(2026, 3, 1), frozenset({"sem", "tem"})
    assert rules.is_split(day, mine, [(date(2025, 3, 2), frozenset({"tem"}))])
    assert not rules.is_split(day, mine, [(date(2025, 3, 1), frozenset({"tem"}))])
    assert not rules.is_split(day, mine, [(date(2026, 2, 1), frozenset({"xrd"}))])


def test_a_denial_as_full_is_contradicted_where_hours_are_left():
    row = Compared("a", Fraction(300), Fraction(2000), answer="denial")
    assert rules.is_contradicted(row, "full", Thresholds())
    assert not rules.is_contradicted(row, "unsuitable", Thresholds())
    full = Compared("a", Fraction(1800), Fraction(2000), answer="denial")
    assert not rules.is_contradicted(full, "full", Thresholds())


def test_grounds_that_contradict_each_other_are_told_at_the_later_one():
    def told(*grounds, own=()):
        return [(p.field, p.code) for p in rules.ground_problems(grounds, own)]

    assert told("area-full", "unmet-demand", "usable-by-sharing") == []
    assert told("area-full", "area-not-full") == [("grounds[1]", "grounds-contradict")]
    assert told("area-not-full", "x", "area-full") == [
        ("grounds[1]", "unknown-ground"),
        ("grounds[2]", "grounds-contradict"),
    ]
    own = [{"code": "own", "contradicts": ["area-full"]}, {"code": "other"}]
    assert told("area-full", "other", "own", own=own) == [("grounds[2]", "grounds-contradict")]


def test_the_figures_never_give_grounds_that_contradict_each_other():
    assert all(
        {rules.GROUNDS[one], rules.GROUNDS[other]} == {"for", "against"} or "none-fits" in {one, other}
        for one, other in rules.CONTRADICTIONS
    )
