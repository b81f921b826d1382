"""What an ended reservation costs, from its frozen quote and what happened.

Rules: docs/fees.md, "Cancelling and missing" and "After use".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import QuoteInput, input_to_json, quote_to_json
from bookings.record.domain.money import format_amount, format_number, percentage

# How long the payer may dispute a charge.
DISPUTABLE = timedelta(days=7)
# Second thoughts: how long after making a booking, and how long before its start at least.
SECOND_THOUGHTS = timedelta(minutes=10)
SECOND_THOUGHTS_NOTICE = timedelta(minutes=60)
# The kinds that say what a reservation costs; the others take back.
ORIGINAL = frozenset({"use", "cancellation", "no_show"})


@dataclass(frozen=True)
class Ending:
    """How a reservation ended. `usage` is check-in and check-out, if both are known."""

    state: str
    ended_at: datetime
    was_confirmed: bool
    is_ended_by_host: bool
    usage: tuple[datetime, datetime] | None = None
    cut_at: datetime | None = None  # when the host closed the instrument under the use
    is_second_thought: bool = False  # its person cancelled it just after making it: free
    # Of earlier changes: what cancelling costs at least, and what shortening cost, before tax.
    least_percent: Decimal = Decimal(0)
    shortening_fee: Decimal = Decimal(0)


@dataclass(frozen=True)
class ChargeMade:
    """A charge with all that it follows from: `inputs` replay to `result`."""

    kind: str
    currency: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    tax: Decimal
    total: Decimal
    payable: Decimal

    @property
    def covered(self) -> Decimal:
        """What a voucher pays of it."""
        return self.total - self.payable


def is_disputable(kind: str, state: str, open_until: datetime | None, now: datetime) -> bool:
    """Whether the payer may still dispute a charge: its deadline decides, not the job that makes
    it final; what takes a charge back is final at once."""
    return kind in ORIGINAL and state == "open" and open_until is not None and now < open_until


def is_second_thought(*, made_at: datetime, start: datetime, now: datetime) -> bool:
    """Whether a booking made at a moment may be cancelled free of charge as second thoughts: within
    ten minutes of it, and more than sixty minutes before its start. Whose it is, whether it was
    moved and whether that day's is used up already are the caller's to know."""
    return made_at <= now <= made_at + SECOND_THOUGHTS and start - now > SECOND_THOUGHTS_NOTICE


def second_thoughts_end(*, made_at: datetime, start: datetime) -> datetime:
    """The moment after which, or from which near the start, second thoughts are not free."""
    return min(made_at + SECOND_THOUGHTS, start - SECOND_THOUGHTS_NOTICE)


def charge(quoted: QuoteInput, ending: Ending) -> ChargeMade | None:
    """The charge, or None where nothing is owed or, for want of usage times, not yet.

    What shortening it late has cost is part of it, unless the host ended it.
    """
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
    """Add to a charge what shortening the booking late has cost, and its tax."""
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
            # It was confirmed, moved, and nobody answered: what moving it made due.
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
    """What cancelling a confirmed reservation at a moment costs; `least_percent`: what an
    earlier move made due; `base`: what the per cent are of, where the quote is at hand."""
    return fees.cancellation_terms(
        quoted.card,
        base=fees.cancellation_base(fees.quote(quoted)) if base is None else base,
        start=quoted.start,
        cancelled_at=cancelled_at,
        minimum_percent=least_percent,
    )


def _for_use(quoted: QuoteInput, ending: Ending) -> ChargeMade | None:
    given = fees.charge_input(quoted, usage=ending.usage, cut_at=ending.cut_at)
    return use_charge(given) if given else None


def use_charge(given: QuoteInput) -> ChargeMade:
    """The charge of a use, from the input for the period that is charged."""
    result = fees.quote(given)
    return ChargeMade(
        kind="use",
        currency=result.currency,
        inputs=input_to_json(given),
        result=quote_to_json(result, explained=True),
        tax=result.tax,
        total=result.total,
        payable=result.payable,
    )


def _fee(
    kind: str, quoted: QuoteInput, ending: Ending, terms: fees.CancellationFee
) -> ChargeMade | None:
    return fee_charge(kind, quoted, ending, terms) if terms.fee else None


def fee_charge(
    kind: str, quoted: QuoteInput, ending: Ending, terms: fees.CancellationFee
) -> ChargeMade:
    """The charge of a booking that was not used, by the terms of its card."""
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
