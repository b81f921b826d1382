"""Compute what a charge should have been, by the rule that made it, from corrected inputs.

Nobody enters an amount (docs/fees.md, "After use").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.domain.errors import invalid
from bookings.pricing.domain import charges, fees
from bookings.pricing.domain.quotes import QuoteInput, input_from_json, input_to_json
from bookings.pricing.domain.usage import Usage
from bookings.pricing.domain.vouchers import GrantValues, best_cover
from bookings.record.domain.money import format_amount, format_number, percentage
from instruments.rates.domain.ratecards import ON_USE

HUNDRED = Decimal(100)
# What the inputs of a charge of use have beside those of a quote.
EXTRA = ("shortening_fee", "waive_percent", "usage")


@dataclass(frozen=True)
class Amendment:
    """The corrections of inputs. An input that is None, or an option that is not named, was right.
    `waive_percent` is taken off the result, before tax; with 100 nothing is owed."""

    usage: Usage | None = None
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    waive_percent: Decimal | None = None


@dataclass(frozen=True)
class Amended:
    """The corrected charge: its kind, its inputs and its amounts; `due` is None if nothing is owed any
    more."""

    kind: str
    inputs: Mapping[str, Any]
    due: charges.ChargeMade | None


def charged_again(kind: str, inputs: Mapping[str, Any]) -> charges.ChargeMade:
    """Recompute an original charge from its stored inputs. The result is the same to the cent at any
    time."""
    is_priced = kind in charges.PRICED
    due = charges.use_charge(input_from_json(inputs)) if is_priced else _for_fee(kind, inputs)
    shortening = Decimal(inputs.get("shortening_fee", "0"))
    if shortening:
        quoted = input_from_json(inputs if is_priced else inputs["quote"])
        due = charges.with_shortening(due, quoted, shortening)
    waived = Decimal(inputs.get("waive_percent", "0"))
    if waived:
        due = _waived(due, inputs, waived)
    return replace(due, inputs=dict(inputs))


def _for_fee(kind: str, inputs: Mapping[str, Any]) -> charges.ChargeMade:
    quoted = input_from_json(inputs["quote"])
    ended_at = datetime.fromisoformat(inputs["ended_at"])
    least = Decimal(inputs.get("least_percent", "0"))
    base = fees.cancellation_base(fees.quote(quoted))
    is_second_thought = bool(inputs.get("second_thought"))
    if is_second_thought:
        terms = fees.FREE
    elif kind == "no_show":
        terms = fees.no_show_fee(quoted.card, base)
    elif inputs.get("state") == "expired":
        terms = fees.percent_fee(quoted.card, least, base)
    else:
        terms = charges.cancellation(quoted, ended_at, least)
    if not terms.fee:
        terms = fees.FREE
    state = str(inputs.get("state", "cancelled" if kind == "cancellation" else kind))
    ending = charges.Ending(
        state, ended_at, True, False, least_percent=least, is_second_thought=is_second_thought
    )
    return charges.fee_charge(kind, quoted, ending, terms)


def _waived(due: charges.ChargeMade, inputs: Mapping[str, Any], percent: Decimal) -> charges.ChargeMade:
    """Take a percentage off what is owed before tax, and compute the tax on the rest; a voucher covers its
    part of the rest, as far as it may."""
    currency = due.currency
    card = input_from_json(inputs if due.kind in charges.PRICED else inputs["quote"]).card
    net = due.total - due.tax
    waived = percentage(percent, net, currency)
    tax = percentage(card.tax_percent, net - waived, currency)
    covered = Decimal(0)
    if due.covered:
        eligible = Decimal(due.result["eligible"])
        eligible -= percentage(percent, eligible, currency)
        grants = input_from_json(inputs).grants
        covered = best_cover(grants, eligible, currency)[1]
    total = net - waived + tax
    sums = {"total": total, "payable": total - covered}
    if "covered" in due.result:
        sums["covered"] = covered
    shown = {
        "percent": format_number(percent),
        "amount": format_amount(-waived, currency),
        "tax": format_amount(tax - due.tax, currency),
    }
    return replace(
        due,
        result={
            **due.result,
            **{name: format_amount(value, currency) for name, value in sums.items() if name in due.result},
            "waiver": shown,
        },
        tax=tax,
        total=total,
        payable=total - covered,
    )


def amended(
    kind: str,
    inputs: Mapping[str, Any],
    amendment: Amendment,
    *,
    quoted: QuoteInput,
    grants: tuple[GrantValues, ...] = (),
    cut_at: datetime | None = None,
) -> Amended:
    """Return the charge as it should have been. `quoted`: the frozen quote of the reservation or of the place
    in a course; `grants`: the voucher it was booked with, with what it has left once the charge is reversed;
    `cut_at`: when the host ended the use early.

    With times of use, a missed booking becomes a used one. Of what attending a course cost, only a part can
    be waived. Raise `Invalid` if the amendment does not fit the kind of charge, or changes nothing
    (`nothing-changes`).
    """
    if kind == "cancellation" and amendment.usage is not None:
        raise invalid("check_in", "was-cancelled")
    if kind == "training" and (field := _of_use_only(amendment)):
        raise invalid(field, "was-a-course")
    new_inputs = dict(inputs)
    if kind == "use" or amendment.usage is not None:
        new_inputs = _use_inputs(kind, inputs, amendment, quoted, grants, cut_at)
        kind = "use"
    elif amendment.options or amendment.quantity is not None:
        raise invalid("options" if amendment.options else "samples", "was-not-used")
    if amendment.waive_percent is not None:
        new_inputs.pop("waive_percent", None)
        if not 0 <= amendment.waive_percent <= HUNDRED:
            raise invalid("waive_percent", "out-of-range", least=0, most=100)
        if amendment.waive_percent:
            new_inputs["waive_percent"] = format_number(amendment.waive_percent)
    due = charged_again(kind, new_inputs)
    return Amended(kind, new_inputs, due if due.total else None)


def _of_use_only(amendment: Amendment) -> str:
    """Return the first field of an amendment that only the use of an instrument has; '' if it has none."""
    given = {
        "check_in": amendment.usage is not None,
        "options": bool(amendment.options),
        "samples": amendment.quantity is not None,
    }
    return next((field for field, is_given in given.items() if is_given), "")


def _use_inputs(
    kind: str,
    inputs: Mapping[str, Any],
    amendment: Amendment,
    quoted: QuoteInput,
    grants: tuple[GrantValues, ...],
    cut_at: datetime | None,
) -> dict[str, Any]:
    given = input_from_json(inputs if kind == "use" else inputs["quote"])
    if amendment.usage is not None:
        booked = replace(given, start=quoted.start, end=quoted.end, cut_at=None)
        again = fees.charge_input(booked, usage=amendment.usage, cut_at=cut_at) or given
        if given.cut_at is not None:  # its options have already been reduced to the part used
            again = replace(again, options=given.options, quantity=given.quantity, card=given.card)
        given = again
    on_use = {option.code for option in given.card.options if option.when == ON_USE}
    given = replace(
        given,
        options={**given.options, **{c: n for c, n in amendment.options.items() if c not in on_use}},
        added={**given.added, **{c: n for c, n in amendment.options.items() if c in on_use}},
        quantity=given.quantity if amendment.quantity is None else amendment.quantity,
        grants=grants,
    )
    new_inputs: dict[str, Any] = dict(input_to_json(given))
    new_inputs |= {name: inputs[name] for name in EXTRA if name in inputs}
    if amendment.usage is not None:
        new_inputs["usage"] = [moment.isoformat() for moment in amendment.usage]
    return new_inputs


def with_grants(kind: str, inputs: Mapping[str, Any], grants: tuple[GrantValues, ...]) -> dict[str, Any]:
    """Return the inputs of a charge of use with what its voucher has left by now."""
    if kind != "use":
        return dict(inputs)
    given = replace(input_from_json(inputs), grants=grants)
    extra = {name: inputs[name] for name in EXTRA if name in inputs}
    return {**input_to_json(given), **extra}


def usage_of(inputs: Mapping[str, Any]) -> Usage | None:
    """Return the times of use that a correction has set in the inputs of a charge; None if it has set
    none."""
    if "usage" not in inputs:
        return None
    check_in, check_out = (datetime.fromisoformat(text) for text in inputs["usage"])
    return check_in, check_out


def require_change(
    before: Mapping[str, Any], kind: str, after: Amended, was: Mapping[str, Any], usage: Usage | None
) -> None:
    """Raise `Invalid` (`nothing-changes`) if the corrected charge equals the present one. It says `why` if
    corrected times of `usage` change nothing. `was`: the inputs of the present charge."""
    result = after.due.result if after.due else None
    if after.kind == kind and result == before:
        why: dict[str, str | int] = {}
        if usage:  # only charges of use follow a rate card
            given, billed = input_from_json(after.inputs), before.get("billed_minutes")
            why = _why_the_same(input_from_json(was), given, billed)
        raise invalid("", "nothing-changes", **why)


def _why_the_same(was: QuoteInput, given: QuoteInput, billed: object) -> dict[str, str | int]:
    """Return why other times of use give the same charge, with the card's minutes that cause it; nothing for
    a use that the host ended early."""
    card = given.card
    if card.rate_unit == "sample":
        return {"why": "by-sample"}
    if card.charge_basis == "reserved":
        return {"why": "by-booking"}
    if (was.start, was.end) == (given.start, given.end):
        return {"why": "same-times" if card.charge_basis == "used" else "booking-at-least"}
    if given.cut_at is not None or was.cut_at is not None:
        return {}
    if billed == card.minimum_minutes:
        return {"why": "minimum", "minutes": card.minimum_minutes}
    if given.end - given.start == was.end - was.start:
        return {"why": "same-length"}
    return {"why": "rounding", "minutes": card.billing_increment_minutes}
