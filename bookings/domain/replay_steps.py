"""How the amounts of one charge come about, line by line (docs/fees.md, "Replay").

Each step has the numbers it is made of, what comes out before it is rounded, what was stored and
what is recomputed. Labels are the doors' to give.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.domain.fees import cancellation_base, quote
from bookings.domain.money import exact_arithmetic, format_amount, format_number
from bookings.domain.quotes import Quote, QuoteInput, QuoteLine
from bookings.domain.replay import AMOUNTS, Difference, NoRule, Replayer, StoredCharge, follow

HUNDRED = Decimal(100)
SHOWN_DECIMALS = 6


@dataclass(frozen=True)
class Step:
    """One line of the calculation.

    `kind`: usage, setup, option, agreement, subtotal, tax, total, voucher, payable; of fees also
    base and fee; shortening. `of`: the numbers by name. `exact`: the product before rounding,
    ending in `…` where it goes on. `stored` None: nothing of it is stored by itself.
    """

    kind: str
    recomputed: str | None
    stored: str | None = None
    code: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    exact: str | None = None
    is_checked: bool = True

    @property
    def agrees(self) -> bool:
        return not self.is_checked or self.stored == self.recomputed


@dataclass(frozen=True)
class Replay:
    """A charge computed again. `differences` empty: it agrees to the cent. `is_known` False:
    there is no rule to recompute its kind by."""

    steps: tuple[Step, ...]
    differences: tuple[Difference, ...]
    is_known: bool = True

    @property
    def agrees(self) -> bool:
        return self.is_known and not self.differences


def replay(stored: StoredCharge) -> Replay:
    """Recompute a charge and explain it."""
    replayer = Replayer()
    try:
        differences = tuple(replayer.charge(stored))
        return Replay(tuple(_steps(replayer, stored)), differences)
    except NoRule:
        return Replay((), (), is_known=False)
    except Exception:
        # Its inputs cannot be read: the difference says so, and there is nothing to explain.
        return Replay((), tuple(replayer.charge(stored)))


def _steps(replayer: Replayer, stored: StoredCharge) -> Iterator[Step]:
    if stored.kind == "use":
        yield from _of_use(replayer, stored)
    elif "quote" in stored.inputs:
        yield from _of_fee(replayer, stored)
    else:
        amounts = follow(stored)
        for name in AMOUNTS:
            yield Step(
                kind="voucher" if name == "covered" else name,
                recomputed=format_amount(getattr(amounts, name), stored.currency),
                stored=format_amount(getattr(stored.amounts, name), stored.currency),
                of={"reversed": format_amount(getattr(stored.reverses, name), stored.currency)},
            )


def _of_use(replayer: Replayer, stored: StoredCharge) -> Iterator[Step]:
    given = replayer.given(stored.inputs)
    result, currency, told = quote(given), stored.currency, stored.result
    lines = told.get("lines", [])
    for index in range(max(len(result.lines), len(lines))):
        line = result.lines[index] if index < len(result.lines) else None
        old = lines[index] if index < len(lines) else None
        yield _line(line, old, currency)
    yield Step("subtotal", format_amount(result.subtotal, currency), told.get("subtotal"))
    yield _tax(given, result.subtotal, result.tax, told.get("tax"), currency)
    yield from _shortening(replayer, stored)
    made = replayer.made(stored)
    total = made.total if made else result.total
    yield Step("total", format_amount(total, currency), told.get("total"))
    if given.grants:
        yield _voucher(given, result, told.get("covered"), currency)
    payable = made.payable if made else result.payable
    yield Step("payable", format_amount(payable, currency), told.get("payable"))


def _line(line: QuoteLine | None, old: Mapping[str, Any] | None, currency: str) -> Step:
    """One line of the quote; None where one side has no such line."""
    if line is None:
        assert old is not None
        return Step(str(old.get("kind")), None, old.get("amount"), str(old.get("code", "")))
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
    return Step(
        kind=line.kind,
        code=line.code or "",
        of=of,
        exact=_exact(_product(line)),
        recomputed=format_amount(line.amount, currency),
        stored=old.get("amount") if old else None,
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


def _tax(given: QuoteInput, base: Decimal, tax: Decimal, stored: str | None, currency: str) -> Step:
    return Step(
        kind="tax",
        of={
            "percent": format_number(given.card.tax_percent),
            "base": format_amount(base, currency),
        },
        exact=_percent(given.card.tax_percent, base),
        recomputed=format_amount(tax, currency),
        stored=stored,
    )


def _voucher(given: QuoteInput, result: Quote, stored: str | None, currency: str) -> Step:
    grant = next((grant for grant in given.grants if grant.code == result.voucher), None)
    of = {"base": format_amount(result.eligible, currency)}
    if grant is not None:
        of["percent"] = format_number(grant.percent)
        of["left"] = format_amount(grant.remaining, currency)
        if grant.cap_per_booking is not None:
            of["cap"] = format_amount(grant.cap_per_booking, currency)
    return Step(
        kind="voucher",
        code=result.voucher or "",
        of=of,
        exact=_percent(grant.percent, result.eligible) if grant else None,
        recomputed=format_amount(result.covered, currency),
        stored=stored,
    )


def _of_fee(replayer: Replayer, stored: StoredCharge) -> Iterator[Step]:
    given = replayer.given(stored.inputs["quote"])
    quoted, currency, told = quote(given), stored.currency, stored.result
    for line in quoted.lines:
        if line.kind != "option":  # they are not part of what cancelling costs
            step = _line(line, None, currency)
            yield Step(step.kind, step.recomputed, None, step.code, step.of, step.exact, False)
    base = cancellation_base(quoted)
    yield Step("base", format_amount(base, currency), is_checked=False)
    made = replayer.made(stored)
    if made is not None:
        percent = Decimal(made.result["percent"])
        fee = Decimal(made.result["fee"])
        of = {"percent": format_number(percent), "base": format_amount(base, currency)}
        if stored.kind == "cancellation":
            ended_at = datetime.fromisoformat(stored.inputs["ended_at"])
            notice = max(given.start - ended_at, timedelta(0))
            of["notice"] = str(notice // timedelta(minutes=1))
        yield Step(
            kind="fee",
            of=of,
            exact=_percent(percent, base),
            recomputed=made.result["fee"],
            stored=told.get("fee"),
        )
        yield _tax(given, fee, Decimal(made.result["tax"]), told.get("tax"), currency)
    yield from _shortening(replayer, stored)
    total = format_amount(made.total, currency) if made else None
    yield Step("total", total, told.get("total"))


def _shortening(replayer: Replayer, stored: StoredCharge) -> Iterator[Step]:
    """What shortening it late has cost, where that is part of the charge."""
    made, told = replayer.made(stored), stored.result.get("shortening", {})
    said = made.result.get("shortening") if made else None
    if said is None and not told:
        return
    said = said or {}
    inputs = stored.inputs if stored.kind == "use" else stored.inputs["quote"]
    yield Step("shortening", said.get("fee"), told.get("fee"))
    fee = Decimal(said.get("fee", 0))
    tax = Decimal(said.get("tax", 0))
    yield _tax(replayer.given(inputs), fee, tax, told.get("tax"), stored.currency)


def _percent(percent: Decimal, base: Decimal) -> str | None:
    with exact_arithmetic():
        return _exact(percent * base / HUNDRED)


def _exact(value: Decimal | None) -> str | None:
    """The value in full up to some decimals, then `…`."""
    if value is None:
        return None
    with exact_arithmetic():
        cut = value.quantize(Decimal(1).scaleb(-SHOWN_DECIMALS), rounding="ROUND_DOWN")
        return format_number(cut) + ("…" if cut != value else "")
