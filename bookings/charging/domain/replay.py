"""Recompute stored quotes and charges from their stored inputs (docs/fees.md, "Replay").

The result must equal what was stored, to the cent; each field that differs is named. `replay_steps` explains
line by line how the amounts of a charge are computed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bookings.charging.domain.corrections import charged_again
from bookings.charging.domain.melting import Melted, melt
from bookings.pricing.domain.charges import ORIGINAL, ChargeMade
from bookings.pricing.domain.fees import quote
from bookings.pricing.domain.quotes import input_from_json, quote_to_json
from bookings.record.domain.money import format_amount, format_number

AMOUNTS = ("tax", "total", "covered", "payable")


@dataclass(frozen=True)
class Difference:
    """A field whose stored and recomputed values differ. None: the value is missing on that side."""

    field: str
    stored: str | None
    recomputed: str | None


@dataclass(frozen=True)
class Amounts:
    """The amounts in the columns of a charge."""

    tax: Decimal
    total: Decimal
    covered: Decimal
    payable: Decimal

    def negated(self) -> "Amounts":
        return Amounts(-self.tax, -self.total, -self.covered, -self.payable)


@dataclass(frozen=True)
class StoredQuote:
    """A stored quote to recompute."""

    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    currency: str
    total: Decimal
    payable: Decimal


@dataclass(frozen=True)
class StoredCharge:
    """A stored charge to recompute; `reverses`: the amounts of the charge that it reverses."""

    kind: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    currency: str
    amounts: Amounts
    reverses: Amounts | None = None


class NoRule(Exception):
    """There is no rule here that recomputes charges of this kind."""


@dataclass(frozen=True)
class Followed:
    """The recomputed amounts and result of a charge that is derived from another charge, such as a
    reversal."""

    amounts: Amounts
    result: Mapping[str, Any] = field(default_factory=dict)


def quote_differences(stored: StoredQuote) -> list[Difference]:
    """Return the differences between a stored quote and the one recomputed from its inputs."""
    try:
        result = quote(input_from_json(stored.inputs))
    except Exception as failure:
        return [_unreadable(failure)]
    # Quotes stored by older versions do not explain their options and agreement.
    known = [quote_to_json(result, explained=True), quote_to_json(result)]
    differences = [] if dict(stored.result) in known else _differing(stored.result, known[0])
    columns = {"currency": result.currency, "total": result.total, "payable": result.payable}
    return differences + _columns({name: getattr(stored, name) for name in columns}, columns, stored.currency)


def made_again(stored: StoredCharge) -> ChargeMade:
    """Recompute an original charge by the rule that made it, and return its amounts and result."""
    return charged_again(stored.kind, stored.inputs)


def charge_differences(stored: StoredCharge) -> list[Difference]:
    """Return the differences between a stored charge and the one recomputed from its inputs. Raise `NoRule`
    for a kind that cannot be recomputed."""
    try:
        if stored.kind not in ORIGINAL:
            return _following_differences(stored)
        due = made_again(stored)
    except NoRule:
        raise
    except Exception as failure:
        return [_unreadable(failure)]
    columns = {"kind": due.kind, "currency": due.currency}
    columns |= {name: getattr(due, name) for name in AMOUNTS}
    result = dict(stored.result)
    if isinstance(percent := result.get("percent"), str) and percent.replace(".", "", 1).isdecimal():
        # Charges of older versions store it as the database or the card had it: "100.000".
        result["percent"] = format_number(Decimal(percent))
    return _differing(result, due.result) + _columns(
        {
            "kind": stored.kind,
            "currency": stored.currency,
            **{name: getattr(stored.amounts, name) for name in AMOUNTS},
        },
        columns,
        stored.currency,
    )


def _following_differences(stored: StoredCharge) -> list[Difference]:
    followed = follow(stored)
    amounts = {name: format_amount(getattr(followed.amounts, name), stored.currency) for name in AMOUNTS}
    return _differing(stored.result, {**amounts, **followed.result}) + _columns(
        vars(stored.amounts), vars(followed.amounts), stored.currency
    )


def follow(stored: StoredCharge) -> Followed:
    """Recompute a charge that is derived from another one, and return its amounts and result. Raise `NoRule`
    for other kinds."""
    if stored.kind not in FOLLOWING:
        raise NoRule(stored.kind)
    return FOLLOWING[stored.kind](stored)


def _reversal(stored: StoredCharge) -> Followed:
    """Return the amounts of a reversal: those of the charge that it reverses, negated."""
    if stored.reverses is None:
        raise ValueError("it takes back nothing")
    return Followed(stored.reverses.negated())


def melted(stored: StoredCharge) -> Melted:
    """Recompute the reduction of a cancellation fee for the time that others used."""
    start, end = (datetime.fromisoformat(text) for text in stored.inputs["period"])
    return melt(
        fee=Decimal(stored.inputs["fee"]),
        tax=Decimal(stored.inputs["tax"]),
        currency=stored.currency,
        period=(start, end),
        used=[
            (datetime.fromisoformat(first), datetime.fromisoformat(last))
            for first, last in stored.inputs["used"]
        ],
    )


def _melting(stored: StoredCharge) -> Followed:
    part = melted(stored)
    taken = -(part.fee + part.tax)
    return Followed(
        Amounts(tax=-part.tax, total=taken, covered=Decimal(0), payable=taken),
        {
            "minutes": part.minutes,
            "used_minutes": part.used,
            "fee": format_amount(-part.fee, stored.currency),
        },
    )


FOLLOWING: dict[str, Callable[[StoredCharge], Followed]] = {"reversal": _reversal, "melting": _melting}


def _unreadable(failure: Exception) -> Difference:
    return Difference("inputs", None, f"{type(failure).__name__}: {failure}")


def _columns(stored: Mapping[str, Any], recomputed: Mapping[str, Any], currency: str) -> list[Difference]:
    def text(value: Any) -> str:
        # Not rounded: a stored fraction of the minor unit is a difference too.
        if not isinstance(value, Decimal):
            return str(value)
        plain = format_amount(value, currency)
        return plain if Decimal(plain) == value else f"{value.normalize():f}"

    return [
        Difference(name, text(stored[name]), text(value))
        for name, value in recomputed.items()
        if stored[name] != value
    ]


def _differing(stored: Any, recomputed: Any, path: str = "result") -> list[Difference]:
    return list(_differences(stored, recomputed, path)) if stored != recomputed else []


def _differences(stored: Any, recomputed: Any, path: str) -> Iterator[Difference]:
    """Yield the innermost parts in which two JSON values differ."""
    if isinstance(stored, Mapping) and isinstance(recomputed, Mapping):
        for name in dict.fromkeys([*recomputed, *stored]):
            yield from _differences(stored.get(name), recomputed.get(name), f"{path}.{name}")
    elif isinstance(stored, list) and isinstance(recomputed, list):
        for index in range(max(len(stored), len(recomputed))):
            yield from _differences(
                stored[index] if index < len(stored) else None,
                recomputed[index] if index < len(recomputed) else None,
                f"{path}[{index}]",
            )
    elif stored != recomputed:
        yield Difference(path, _plain(stored), _plain(recomputed))


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
