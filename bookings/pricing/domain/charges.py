"""Compute what an ended reservation costs, from its frozen quote and what happened.

Rules: docs/fees.md, "Cancelling and missing" and "After use".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import QuoteInput, input_from_json, input_to_json, quote_to_json
from bookings.record.domain.money import format_amount, format_number, percentage
from instruments.rates.domain.ratecards import TRAINING

# How long the payer may dispute a charge.
DISPUTABLE = timedelta(days=7)
# Second thoughts: the time after making a booking, and the least time before its start.
SECOND_THOUGHTS = timedelta(minutes=10)
SECOND_THOUGHTS_NOTICE = timedelta(minutes=60)
# The kinds that say what a reservation costs; all others take back.
ORIGINAL = frozenset({"use", "cancellation", "no_show", "training"})
# Kinds whose inputs are those of a quote; those of other original kinds contain a quote.
PRICED = frozenset({"use", "training"})


@dataclass(frozen=True)
class Ending:
    """The way a reservation ended. `usage` is check-in and check-out, if both are known."""

    state: str
    ended_at: datetime
    was_confirmed: bool
    is_ended_by_host: bool
    usage: tuple[datetime, datetime] | None = None
    cut_at: datetime | None = None  # when the host closed the instrument during the use
    is_second_thought: bool = False  # its person cancelled it just after making it, free of charge
    struck: str = ""  # why the host removed the no-show that it counted as
    # From earlier changes: the minimum percent for cancelling, and the cost of shortening, before tax.
    least_percent: Decimal = Decimal(0)
    shortening_fee: Decimal = Decimal(0)
    # Quantities of options that the host added at check-out.
    added: Mapping[str, Decimal] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ChargeMade:
    """A charge with everything that it follows from: computing it again from `inputs` gives `result`."""

    kind: str
    currency: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    tax: Decimal
    total: Decimal
    payable: Decimal

    @property
    def covered(self) -> Decimal:
        """Return the part of the charge that a voucher pays."""
        return self.total - self.payable


def is_disputable(kind: str, state: str, open_until: datetime | None, now: datetime) -> bool:
    """Say whether the payer may still dispute a charge: until its deadline, even if no job has made it final
    since. A charge that takes another back is final at once."""
    return kind in ORIGINAL and state == "open" and open_until is not None and now < open_until


def is_second_thought(*, made_at: datetime, start: datetime, now: datetime) -> bool:
    """Say whether a booking may still be cancelled free of charge on second thoughts: within ten minutes of
    making it, and more than sixty minutes before its start. The caller checks whose booking it is, whether it
    was moved and whether that day's second thought is used up."""
    return made_at <= now <= made_at + SECOND_THOUGHTS and start - now > SECOND_THOUGHTS_NOTICE


def second_thoughts_end(*, made_at: datetime, start: datetime) -> datetime:
    """Return the moment until which cancelling on second thoughts is free."""
    return min(made_at + SECOND_THOUGHTS, start - SECOND_THOUGHTS_NOTICE)


def charge(quoted: QuoteInput, ending: Ending) -> ChargeMade | None:
    """Return the charge; None if nothing is owed, or if it cannot be computed yet because usage times are
    missing.

    It includes the fee for having shortened the booking late, unless the host ended it. A booking whose
    no-show the host has removed owes nothing unless it was used.
    """
    if ending.struck and ending.usage is None:
        return None
    due = _for_ending(quoted, ending)
    if not ending.shortening_fee or ending.is_ended_by_host:
        return due
    if due is None and (kind := _FEES.get(ending.state)):
        due = fee_charge(kind, quoted, ending, fees.FREE)
    return with_shortening(due, quoted, ending.shortening_fee) if due else None


_FEES = {
    "cancelled": "cancellation",
    "displaced": "cancellation",
    "expired": "cancellation",
    "no_show": "no_show",
}


def with_shortening(due: ChargeMade, quoted: QuoteInput, fee: Decimal) -> ChargeMade:
    """Add the fee for having shortened the booking late, and its tax, to a charge."""
    currency = due.currency
    tax = percentage(quoted.card.tax_percent, fee, currency)
    added = fee + tax
    shown = {"fee": format_amount(fee, currency), "tax": format_amount(tax, currency)}
    sums = {
        name: format_amount(Decimal(due.result[name]) + added, currency)
        for name in ("total", "payable")
        if due.result.get(name) is not None
    }
    return replace(
        due,
        inputs={**due.inputs, "shortening_fee": format_amount(fee, currency)},
        result={**due.result, **sums, "shortening": shown},
        tax=due.tax + tax,
        total=due.total + added,
        payable=due.payable + added,
    )


def _for_ending(quoted: QuoteInput, ending: Ending) -> ChargeMade | None:
    match ending.state:
        case "completed":
            return _for_use(quoted, ending)
        case "cancelled" | "displaced" if ending.is_second_thought:
            return None
        case "cancelled" | "displaced" if ending.was_confirmed and not ending.is_ended_by_host:
            terms = cancellation(quoted, ending.ended_at, ending.least_percent)
            return _fee("cancellation", quoted, ending, terms)
        case "expired" if ending.was_confirmed:
            # It was confirmed and moved, and nobody answered: charge what the move made due.
            base = fees.cancellation_base(fees.quote(quoted))
            terms = fees.percent_fee(quoted.card, ending.least_percent, base)
            return _fee("cancellation", quoted, ending, terms)
        case "no_show":
            base = fees.cancellation_base(fees.quote(quoted))
            return _fee("no_show", quoted, ending, fees.no_show_fee(quoted.card, base))
        case _:
            return None


def cancellation(
    quoted: QuoteInput,
    cancelled_at: datetime,
    least_percent: Decimal = Decimal(0),
    base: Decimal | None = None,
) -> fees.CancellationFee:
    """Return what cancelling a confirmed reservation at a moment costs. `least_percent`: the percent that an
    earlier move made due; `base`: the amount that the percentage applies to, if the caller has it already."""
    return fees.cancellation_terms(
        quoted.card,
        base=fees.cancellation_base(fees.quote(quoted)) if base is None else base,
        start=quoted.start,
        cancelled_at=cancelled_at,
        minimum_percent=least_percent,
    )


def is_by_move(kind: str, inputs: Mapping[str, Any]) -> bool:
    """Say whether a stored cancellation charge is higher than its notice required, because the booking was
    moved late before."""
    least = Decimal(inputs.get("least_percent", "0"))
    if kind != "cancellation" or not least or inputs.get("second_thought"):
        return False
    if inputs.get("state") == "expired":
        return True
    ended_at = datetime.fromisoformat(inputs["ended_at"])
    terms = cancellation(input_from_json(inputs["quote"]), ended_at, least, Decimal(0))
    return terms.reason == "moved"


def _for_use(quoted: QuoteInput, ending: Ending) -> ChargeMade | None:
    given = fees.charge_input(quoted, usage=ending.usage, cut_at=ending.cut_at, added=ending.added)
    return use_charge(given) if given else None


def use_charge(given: QuoteInput) -> ChargeMade:
    """Return the charge for a use, from the input for the period that is charged; for a place in a course,
    the charge for having attended it."""
    result = fees.quote(given)
    return ChargeMade(
        kind="training" if given.service_mode == TRAINING else "use",
        currency=result.currency,
        inputs=input_to_json(given),
        result=quote_to_json(result, explained=True),
        tax=result.tax,
        total=result.total,
        payable=result.payable,
    )


def _fee(kind: str, quoted: QuoteInput, ending: Ending, terms: fees.CancellationFee) -> ChargeMade | None:
    return fee_charge(kind, quoted, ending, terms) if terms.fee else None


def fee_charge(kind: str, quoted: QuoteInput, ending: Ending, terms: fees.CancellationFee) -> ChargeMade:
    """Return the charge for a booking that was not used, by the terms of its card."""
    is_free = ending.state in {"cancelled", "displaced"} and ending.is_second_thought
    currency = quoted.card.currency
    total = terms.fee + terms.tax
    return ChargeMade(
        kind=kind,
        currency=currency,
        inputs={
            "quote": input_to_json(quoted),
            "ended_at": ending.ended_at.isoformat(),
            "state": ending.state,
            "least_percent": format_number(ending.least_percent),
            **({"second_thought": True} if is_free else {}),
        },
        result={
            "percent": format_number(terms.percent),
            "fee": format_amount(terms.fee, currency),
            "tax": format_amount(terms.tax, currency),
            "total": format_amount(total, currency),
        },
        tax=terms.tax,
        total=total,
        payable=total,
    )
