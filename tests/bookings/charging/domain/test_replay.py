"""Stored quotes and charges computed again."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bookings.charging.domain import replay as replay_rules
from bookings.charging.domain.corrections import charged_again
from bookings.charging.domain.replay_steps import ReplayStep, replay
from bookings.pricing.domain.charges import Ending, charge
from bookings.pricing.domain.fees import quote
from bookings.pricing.domain.quotes import QuoteInput, input_from_json, input_to_json, quote_to_json
from instruments.rates.domain.ratecards import CancellationTier
from tests.bookings.pricing.domain.test_fees import CASES, EXAMPLE, inputs

D = Decimal
LATE = (CancellationTier(4320, D(0)), CancellationTier(1440, D("33.3")), CancellationTier(0, D(95)))


def stored_quote(asked: QuoteInput) -> replay_rules.StoredQuote:
    """As the database gives it back."""
    answer = quote(asked)
    return replay_rules.StoredQuote(
        inputs=json.loads(json.dumps(input_to_json(asked))),
        result=json.loads(json.dumps(quote_to_json(answer, explained=True))),
        currency=answer.currency,
        total=answer.total,
        payable=answer.payable,
    )


def stored_charge(asked: QuoteInput, ending: Ending) -> replay_rules.StoredCharge | None:
    made = charge(asked, ending)
    if made is None:
        return None
    return replay_rules.StoredCharge(
        kind=made.kind,
        inputs=json.loads(json.dumps(made.inputs)),
        result=json.loads(json.dumps(made.result)),
        currency=made.currency,
        amounts=replay_rules.Amounts(made.tax, made.total, made.covered, made.payable),
    )


@st.composite
def endings(draw: st.DrawFn) -> tuple[QuoteInput, Ending]:
    """A booking with cancellation terms, and one of the ways it may have ended."""
    asked = draw(inputs())
    basis = draw(st.sampled_from(["reserved", "used", "greater"]))
    card = replace(asked.card, charge_basis=basis, cancellation=LATE, no_show_percent=D("66.6"))
    # Use is charged from the input of the quote: holidays outside of what it keeps do not count.
    asked = input_from_json(json.loads(json.dumps(input_to_json(replace(asked, card=card)))))
    minutes = st.integers(-600, 600).map(lambda n: timedelta(minutes=n))
    check_in = asked.start + draw(minutes)
    check_out = check_in + abs(draw(minutes))
    return asked, Ending(
        state=draw(st.sampled_from(["completed", "cancelled", "expired", "no_show"])),
        ended_at=asked.start - timedelta(seconds=draw(st.integers(-9000, 500_000))),
        was_confirmed=True,
        is_ended_by_host=False,
        usage=draw(st.sampled_from([None, (check_in, check_out)])),
        cut_at=draw(st.sampled_from([None, check_in, check_out])),
        least_percent=draw(st.sampled_from([D(0), D("12.500"), D("100.000")])),
        shortening_fee=draw(st.sampled_from([D(0), D(7), D(250)])),
        is_second_thought=draw(st.booleans()),
    )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, item in enumerate(value) for leaf in leaves(item, (*path, key))]
    return [path]


@given(inputs())
def test_a_quote_agrees(asked: QuoteInput) -> None:
    assert replay_rules.quote_differences(stored_quote(asked)) == []


@pytest.mark.parametrize("case", CASES["quotes"], ids=lambda case: case["name"])
def test_every_worked_case_agrees_when_replayed(case: dict[str, Any]) -> None:
    stored = stored_quote(input_from_json(case["input"]))
    assert replay_rules.quote_differences(stored) == []
    assert {key: stored.result[key] for key in ("total", "payable")} == {
        key: case["expected"][key] for key in ("total", "payable")
    }


@given(endings())
def test_a_charge_agrees_however_it_ended(ended: tuple[QuoteInput, Ending]) -> None:
    stored = stored_charge(*ended)
    assume(stored is not None)
    assert stored is not None
    assert replay_rules.charge_differences(stored) == []
    answer = replay(stored)
    assert answer.agrees
    assert answer.steps
    assert all(step.agrees for step in answer.steps), answer.steps


@given(endings(), st.data())
def test_whatever_is_altered_of_a_result_is_named(
    ended: tuple[QuoteInput, Ending], data: st.DataObject
) -> None:
    stored = stored_charge(*ended)
    assume(stored is not None)
    assert stored is not None
    result = deepcopy(dict(stored.result))
    path = data.draw(st.sampled_from(leaves(result)))
    place: Any = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = "999.99"
    found = replay_rules.charge_differences(replace(stored, result=result))
    named = "result" + "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in path)
    assert [(each.field, each.stored) for each in found] == [(named, "999.99")]
    assert not replay(replace(stored, result=result)).agrees


@pytest.mark.parametrize("column", ["tax", "total", "covered", "payable"])
def test_a_column_that_was_altered_is_named(column: str) -> None:
    stored = stored_charge(EXAMPLE, Ending("completed", EXAMPLE.end, True, False))
    assert stored is not None
    was = getattr(stored.amounts, column)
    altered = replace(stored, amounts=replace(stored.amounts, **{column: was + D("0.001")}))
    assert replay_rules.charge_differences(altered) == [
        replay_rules.Difference(column, f"{was + D('0.001'):f}", f"{was:.2f}")
    ]


def test_inputs_that_were_altered_come_out_otherwise() -> None:
    stored = stored_quote(EXAMPLE)
    card = {**stored.inputs["card"], "setup_fee": "99.00"}
    found = replay_rules.quote_differences(replace(stored, inputs={**stored.inputs, "card": card}))
    assert replay_rules.Difference("result.total", "940.75", "939.69") in found
    assert {each.field for each in found} >= {"total", "payable", "result.subtotal"}


def test_inputs_that_cannot_be_read_are_a_difference_and_no_crash() -> None:
    stored = stored_charge(EXAMPLE, Ending("completed", EXAMPLE.end, True, False))
    assert stored is not None
    broken = replace(stored, inputs={"card": {}})
    assert [each.field for each in replay_rules.charge_differences(broken)] == ["inputs"]
    assert replay(broken).steps == ()
    assert not replay(broken).agrees
    other_rules = replace(stored, inputs={**stored.inputs, "rules_version": 2})
    assert "no rules of version 2" in str(replay_rules.charge_differences(other_rules)[0].recomputed)


WAS = replay_rules.Amounts(D("53.25"), D("940.75"), D("266.25"), D("674.50"))


def reversal(**changes: Any) -> replay_rules.StoredCharge:
    result = {
        "tax": "-53.25", "total": "-940.75", "covered": "-266.25", "payable": "-674.50",
    }  # fmt: skip
    inputs = {"charge": "01920000-0000-7000-8000-000000000000"}
    stored = replay_rules.StoredCharge("reversal", inputs, result, "CNY", WAS.negated(), WAS)
    return replace(stored, **changes)


def test_a_reversal_is_the_opposite_of_what_it_takes_back() -> None:
    answer = replay(reversal())
    assert answer.agrees
    assert [step.kind for step in answer.steps] == ["tax", "total", "voucher", "payable"]
    less = reversal(amounts=replace(WAS.negated(), payable=D("-674.49")))
    assert replay_rules.charge_differences(less) == [replay_rules.Difference("payable", "-674.49", "-674.50")]
    told = dict(reversal().result) | {"total": "-940.74"}
    assert replay_rules.charge_differences(reversal(result=told)) == [
        replay_rules.Difference("result.total", "-940.74", "-940.75")
    ]
    assert [each.field for each in replay_rules.charge_differences(reversal(reverses=None))] == ["inputs"]


def melting(**changes: Any) -> replay_rules.StoredCharge:
    """Of two hours half an hour was used by others."""
    inputs = {
        "charge": "01920000-0000-7000-8000-000000000000",
        "fee": "100.01",
        "tax": "6.00",
        "period": ["2026-03-06T02:00:00+00:00", "2026-03-06T04:00:00+00:00"],
        "used": [["2026-03-06T03:00:00+00:00", "2026-03-06T03:30:00+00:00"]],
    }
    result = {
        "tax": "-1.50", "total": "-26.50", "covered": "0.00", "payable": "-26.50",
        "minutes": 120, "used_minutes": 30, "fee": "-25.00",
    }  # fmt: skip
    amounts = replay_rules.Amounts(D("-1.50"), D("-26.50"), D(0), D("-26.50"))
    return replace(replay_rules.StoredCharge("melting", inputs, result, "CNY", amounts, WAS), **changes)


def test_what_melted_follows_from_the_minutes_others_used() -> None:
    answer = replay(melting())
    assert answer.agrees
    assert [(step.kind, step.exact, step.recomputed) for step in answer.steps] == [
        ("melted", "-25.0025", "-25.00"),
        ("tax", "-1.5", "-1.50"),
        ("total", None, "-26.50"),
    ]
    longer = [["2026-03-06T03:00:00+00:00", "2026-03-06T04:00:00+00:00"]]
    found = replay_rules.charge_differences(melting(inputs={**melting().inputs, "used": longer}))
    assert replay_rules.Difference("result.used_minutes", "30", "60") in found
    assert replay_rules.Difference("payable", "-26.50", "-53.00") in found


@given(endings(), st.sampled_from([D("12.5"), D(40)]))
def test_a_charge_that_was_waived_in_part_agrees(ended: tuple[QuoteInput, Ending], percent: Decimal) -> None:
    stored = stored_charge(*ended)
    assume(stored is not None)
    assert stored is not None
    made = charged_again(stored.kind, {**stored.inputs, "waive_percent": str(percent)})
    waived = replay_rules.StoredCharge(
        kind=made.kind,
        inputs=json.loads(json.dumps(made.inputs)),
        result=json.loads(json.dumps(made.result)),
        currency=made.currency,
        amounts=replay_rules.Amounts(made.tax, made.total, made.covered, made.payable),
    )
    answer = replay(waived)
    assert answer.agrees
    assert all(step.agrees for step in answer.steps), answer.steps
    assert "waiver" in {step.kind for step in answer.steps}


def test_a_kind_without_a_rule_does_not_pass_for_one_that_agrees() -> None:
    stored = replay_rules.StoredCharge(
        "of-tomorrow", {}, {}, "CNY", replay_rules.Amounts(D(0), D(0), D(0), D(0))
    )
    assert not replay(stored).is_known
    assert not replay(stored).agrees


def test_the_worked_example_explained() -> None:
    stored = stored_charge(EXAMPLE, Ending("completed", EXAMPLE.end, True, False))
    assert stored is not None
    steps = {(step.kind, step.code): step for step in replay(stored).steps}
    assert steps["usage", "night"] == ReplayStep(
        kind="usage",
        code="night",
        of={"minutes": "135", "rate": "200", "multiplier": "0.5"},
        exact="225",
        recomputed="225.00",
        stored="225.00",
    )
    assert steps["agreement", ""].of == {"percent": "10", "base": "625.00"}
    assert steps["tax", ""].exact == "53.25"
    voucher = next(step for step in replay(stored).steps if step.kind == "voucher")
    assert (voucher.exact, voucher.recomputed) == ("266.25", "266.25")
    assert {"percent", "base", "left", "cap"} == set(voucher.of)


def test_a_late_cancellation_explained() -> None:
    asked = replace(EXAMPLE, card=replace(EXAMPLE.card, cancellation=LATE))
    ended_at = asked.start - timedelta(minutes=2000)
    stored = stored_charge(asked, Ending("cancelled", ended_at, True, False))
    assert stored is not None
    steps = replay(stored).steps
    assert [step.kind for step in steps] == [
        "usage", "usage", "setup", "agreement", "base", "fee", "tax", "total",
    ]  # fmt: skip
    assert steps[4].recomputed == "662.50"
    assert steps[5].of == {"percent": "33.3", "base": "662.50", "notice": "2000"}
    assert (steps[5].exact, steps[5].stored) == ("220.6125", "220.61")
    earlier = {**stored.inputs, "ended_at": (asked.start - timedelta(minutes=1000)).isoformat()}
    assert "result.percent" in {d.field for d in replay(replace(stored, inputs=earlier)).differences}


@pytest.mark.parametrize(("least", "percent"), [("95.000", "95"), ("100.000", "100")])
def test_what_a_move_made_due_reads_the_same_from_the_database(least: str, percent: str) -> None:
    """Also in charges that were stored as the database had it."""
    asked = replace(EXAMPLE, card=replace(EXAMPLE.card, cancellation=LATE))
    ended_at = asked.start - timedelta(minutes=2000)
    ending = Ending("cancelled", ended_at, True, False, least_percent=D(least))
    stored = stored_charge(asked, ending)
    assert stored is not None
    assert stored.result["percent"] == percent
    of_before = replace(stored, result={**stored.result, "percent": least})
    assert replay_rules.charge_differences(stored) == replay_rules.charge_differences(of_before) == []
    assert replay_rules.charge_differences(replace(stored, result={**stored.result, "percent": "94"})) != []
