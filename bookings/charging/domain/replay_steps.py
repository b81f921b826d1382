"""Explain line by line how the amounts of one charge are computed (docs/fees.md, "Replay").

Each step has the numbers it is computed from, its result before rounding, what was stored, and what is
recomputed. Pages and the API add the labels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.charging.domain import replay as replay_rules
from bookings.pricing.domain.charges import ChargeMade
from bookings.pricing.domain.fees import cancellation_base, quote
from bookings.pricing.domain.quotes import Quote, QuoteInput, QuoteLine, input_from_json
from bookings.record.domain.money import exact_arithmetic, format_amount, format_number

HUNDRED = Decimal(100)
SHOWN_DECIMALS = 6


@dataclass(frozen=True)
class ReplayStep:
    """One line of the calculation.

    `kind`: usage, training, setup, option, agreement, bid, subtotal, tax, total, voucher, payable; for fees
    also base and fee; shortening, waiver; for fee reductions melted. `of`: the numbers by name. `exact`: the
    product before rounding, ending in `…` if its decimals continue. `stored` None: the line is not stored by
    itself. `name` and `name_zh` are those of a band or an option.
    """

    kind: str
    recomputed: str | None
    stored: str | None = None
    code: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    exact: str | None = None
    is_checked: bool = True
    name: str = ""
    name_zh: str = ""

    @property
    def agrees(self) -> bool:
        return not self.is_checked or self.stored == self.recomputed


@dataclass(frozen=True)
class Replay:
    """A recomputed charge. Without `differences` it agrees to the cent. `is_known` False: there is no rule to
    recompute its kind."""

    steps: tuple[ReplayStep, ...]
    differences: tuple[replay_rules.Difference, ...]
    is_known: bool = True

    @property
    def agrees(self) -> bool:
        return self.is_known and not self.differences


def replay(stored: replay_rules.StoredCharge) -> Replay:
    """Recompute a stored charge, and explain line by line how its amounts are computed."""
    try:
        differences = tuple(replay_rules.charge_differences(stored))
    except replay_rules.NoRule:
        return Replay((), (), is_known=False)
    if any(difference.field == "inputs" for difference in differences):
        return Replay((), differences)  # they cannot be read: there is nothing to explain
    return Replay(tuple(_steps(stored)), differences)


def _steps(stored: replay_rules.StoredCharge) -> Iterator[ReplayStep]:
    match stored.kind:
        case "use" | "training":
            yield from _of_use(stored)
        case "melting":
            yield from _of_melting(stored)
        case "reversal":
            yield from _of_reversal(stored)
        case _:
            yield from _of_fee(stored)


def _of_reversal(stored: replay_rules.StoredCharge) -> Iterator[ReplayStep]:
    amounts = replay_rules.follow(stored).amounts
    for name in replay_rules.AMOUNTS:
        yield ReplayStep(
            kind="voucher" if name == "covered" else name,
            recomputed=format_amount(getattr(amounts, name), stored.currency),
            stored=format_amount(getattr(stored.amounts, name), stored.currency),
            of={"reversed": format_amount(getattr(stored.reverses, name), stored.currency)},
        )


def _of_melting(stored: replay_rules.StoredCharge) -> Iterator[ReplayStep]:
    part, currency = replay_rules.melted(stored), stored.currency
    amounts = replay_rules.follow(stored).amounts
    with exact_arithmetic():
        for kind, taken, was in (
            ("melted", part.fee, stored.result.get("fee")),
            ("tax", part.tax, stored.result.get("tax")),
        ):
            whole = Decimal(stored.inputs["fee" if kind == "melted" else "tax"])
            yield ReplayStep(
                kind=kind,
                of={
                    "whole": format_amount(whole, currency),
                    "left": str(part.minutes - part.used),
                    "minutes": str(part.minutes),
                },
                exact=_exact(whole * (part.minutes - part.used) / part.minutes - whole)
                if part.minutes
                else None,
                recomputed=format_amount(-taken, currency),
                stored=was,
            )
    yield ReplayStep("total", format_amount(amounts.total, currency), stored.result.get("total"))


def _of_use(stored: replay_rules.StoredCharge) -> Iterator[ReplayStep]:
    given = input_from_json(stored.inputs)
    result, currency, stored_result = quote(given), stored.currency, stored.result
    due = replay_rules.made_again(stored)
    lines = stored_result.get("lines", [])
    for index in range(max(len(result.lines), len(lines))):
        line = result.lines[index] if index < len(result.lines) else None
        old = lines[index] if index < len(lines) else None
        yield _line(line, old, currency)
    yield ReplayStep("subtotal", format_amount(result.subtotal, currency), stored_result.get("subtotal"))
    yield _tax(given, result.subtotal, result.tax, stored_result.get("tax"), currency)
    yield from _changes(stored, due, given)
    yield ReplayStep("total", format_amount(due.total, currency), stored_result.get("total"))
    if given.grants:
        yield _voucher(given, result, due.covered, stored_result.get("covered"), currency)
    yield ReplayStep("payable", format_amount(due.payable, currency), stored_result.get("payable"))


def _line(line: QuoteLine | None, old: Mapping[str, Any] | None, currency: str) -> ReplayStep:
    """Return the step for one line of the quote: None is a line that the recomputed (`line`) or the stored
    quote (`old`) lacks."""
    if line is None:
        assert old is not None
        return ReplayStep(str(old.get("kind")), None, old.get("amount"), str(old.get("code", "")))
    numbers = {
        "minutes": line.minutes,
        "rate": line.rate,
        "multiplier": line.multiplier,
        "quantity": line.quantity,
        "price": line.price,
        "percent": line.percent,
    }
    of = {
        name: format_number(value) if isinstance(value, Decimal) else str(value)
        for name, value in numbers.items()
        if value is not None
    }
    if line.base is not None:
        of["base"] = format_amount(line.base, currency)
    return ReplayStep(
        kind=line.kind,
        code=line.code or "",
        of=of,
        exact=_exact(_product(line)),
        recomputed=format_amount(line.amount, currency),
        stored=old.get("amount") if old else None,
        name=line.name,
        name_zh=line.name_zh,
    )


def _product(line: QuoteLine) -> Decimal | None:
    with exact_arithmetic():
        if line.kind == "usage" and line.rate is not None and line.multiplier is not None:
            return line.rate * line.multiplier * (line.minutes or 0) / 60
        if line.rate is not None and line.quantity is not None:
            return line.rate * line.quantity
        if line.price is not None and line.quantity is not None:
            return line.price * line.quantity
        if line.percent is not None and line.base is not None:
            return -line.percent * line.base / HUNDRED
    return None


def _tax(given: QuoteInput, base: Decimal, tax: Decimal, stored: str | None, currency: str) -> ReplayStep:
    return ReplayStep(
        kind="tax",
        of={"percent": format_number(given.card.tax_percent), "base": format_amount(base, currency)},
        exact=_percent(given.card.tax_percent, base),
        recomputed=format_amount(tax, currency),
        stored=stored,
    )


def _voucher(
    given: QuoteInput, result: Quote, covered: Decimal, stored: str | None, currency: str
) -> ReplayStep:
    grant = next((grant for grant in given.grants if grant.code == result.voucher), None)
    of = {"base": format_amount(result.eligible, currency)}
    if grant is not None:
        of["percent"] = format_number(grant.percent)
        of["left"] = format_amount(grant.remaining, currency)
        if grant.cap_per_booking is not None:
            of["cap"] = format_amount(grant.cap_per_booking, currency)
    return ReplayStep(
        kind="voucher",
        code=result.voucher or "",
        of=of,
        exact=_percent(grant.percent, result.eligible) if grant else None,
        recomputed=format_amount(covered, currency),
        stored=stored,
    )


def _of_fee(stored: replay_rules.StoredCharge) -> Iterator[ReplayStep]:
    given = input_from_json(stored.inputs["quote"])
    quoted, currency, stored_result = quote(given), stored.currency, stored.result
    due = replay_rules.made_again(stored)
    for line in quoted.lines:
        if line.kind != "option":  # they are not part of what cancelling costs
            yield replace(_line(line, None, currency), is_checked=False)
    base = cancellation_base(quoted)
    yield ReplayStep("base", format_amount(base, currency), is_checked=False)
    percent, fee = Decimal(due.result["percent"]), Decimal(due.result["fee"])
    of = {"percent": format_number(percent), "base": format_amount(base, currency)}
    if stored.inputs.get("second_thought"):
        of = {"second_thought": "1"}
    elif stored.kind == "cancellation":
        ended_at = datetime.fromisoformat(stored.inputs["ended_at"])
        notice = max(given.start - ended_at, timedelta(0))
        of["notice"] = str(notice // timedelta(minutes=1))
    yield ReplayStep(
        kind="fee",
        of=of,
        exact=_percent(percent, base),
        recomputed=due.result["fee"],
        stored=stored_result.get("fee"),
    )
    yield _tax(given, fee, Decimal(due.result["tax"]), stored_result.get("tax"), currency)
    yield from _changes(stored, due, given)
    yield ReplayStep("total", format_amount(due.total, currency), stored_result.get("total"))


def _changes(stored: replay_rules.StoredCharge, due: ChargeMade, given: QuoteInput) -> Iterator[ReplayStep]:
    """Yield the cost of a late shortening and the amount that a correction waived, if they are part of the
    charge; each with its tax."""
    currency = stored.currency
    for kind, amount in (("shortening", "fee"), ("waiver", "amount")):
        stored_result, due_result = stored.result.get(kind) or {}, due.result.get(kind) or {}
        if not stored_result and not due_result:
            continue
        of = {"percent": due_result["percent"]} if "percent" in due_result else {}
        yield ReplayStep(kind, due_result.get(amount), stored_result.get(amount), of=of)
        if kind == "shortening":
            fee, tax = Decimal(due_result.get("fee", 0)), Decimal(due_result.get("tax", 0))
            yield _tax(given, fee, tax, stored_result.get("tax"), currency)
        else:
            yield ReplayStep("tax", due_result.get("tax"), stored_result.get("tax"))


def _percent(percent: Decimal, base: Decimal) -> str | None:
    with exact_arithmetic():
        return _exact(percent * base / HUNDRED)


def _exact(value: Decimal | None) -> str | None:
    """Return the value up to a number of decimals, followed by `…` if it continues; None for None."""
    if value is None:
        return None
    with exact_arithmetic():
        cut = value.quantize(Decimal(1).scaleb(-SHOWN_DECIMALS), rounding="ROUND_DOWN")
        return format_number(cut) + ("…" if cut != value else "")
