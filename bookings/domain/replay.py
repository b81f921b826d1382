"""Stored quotes and charges computed again from their stored inputs (docs/fees.md, "Replay").

What comes out must be what was stored, to the cent; where it is not, each field that differs is
named. `steps` says line by line how the amounts of one charge come about.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bookings.domain.charges import ChargeMade, Ending, charge
from bookings.domain.fees import quote
from bookings.domain.money import format_amount
from bookings.domain.quotes import QuoteInput, input_from_json, quote_to_json
from instruments.domain.ratecards import RateCardValues, parse_rate_card

AMOUNTS = ("tax", "total", "covered", "payable")
# How a charge of these kinds ended, where its inputs do not say.
ENDED = {"use": "completed", "cancellation": "cancelled", "no_show": "no_show"}
MOST_CARDS = 1000


@dataclass(frozen=True)
class Difference:
    """A field that was stored as one thing and comes out as another. None: it is not there."""

    field: str
    stored: str | None
    recomputed: str | None


@dataclass(frozen=True)
class Amounts:
    """The columns of a charge."""

    tax: Decimal
    total: Decimal
    covered: Decimal
    payable: Decimal

    def negated(self) -> "Amounts":
        return Amounts(-self.tax, -self.total, -self.covered, -self.payable)


@dataclass(frozen=True)
class StoredQuote:
    """What is kept of a quote."""

    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    currency: str
    total: Decimal
    payable: Decimal


@dataclass(frozen=True)
class StoredCharge:
    """What is kept of a charge; `reverses`: the amounts of the one it takes back."""

    kind: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    currency: str
    amounts: Amounts
    reverses: Amounts | None = None


class NoRule(Exception):
    """Charges of this kind are not recomputed here."""


# Kinds that follow from another charge: from their inputs and its amounts, in a currency.
Following = Callable[[Mapping[str, Any], Amounts, str], Amounts]
FOLLOWING: dict[str, Following] = {"reversal": lambda _inputs, reversed_, _: reversed_.negated()}


class Replayer:
    """Recomputes one after another, reading each rate card once."""

    def __init__(self) -> None:
        self._cards: dict[str, RateCardValues] = {}

    def given(self, inputs: Mapping[str, Any]) -> QuoteInput:
        """The input of a quote as a value."""
        key = json.dumps(inputs["card"], sort_keys=True)
        card = self._cards.get(key)
        if card is None:
            if len(self._cards) >= MOST_CARDS:
                self._cards.clear()
            card = self._cards[key] = parse_rate_card(inputs["card"])
        return input_from_json(inputs, card)

    def quote(self, stored: StoredQuote) -> list[Difference]:
        """What differs of a quote."""
        try:
            result = quote(self.given(stored.inputs))
        except Exception as failure:
            return [_unreadable(failure)]
        # Quotes stored by older versions do not explain their options and agreement.
        known = [quote_to_json(result, explained=True), quote_to_json(result)]
        found = [] if dict(stored.result) in known else _differing(stored.result, known[0])
        columns = {"currency": result.currency, "total": result.total, "payable": result.payable}
        return found + _columns(
            {name: getattr(stored, name) for name in columns}, columns, stored.currency
        )

    def made(self, stored: StoredCharge) -> ChargeMade | None:
        """A charge of a kind of its own, made again; None where nothing would be owed."""
        inputs = stored.inputs
        is_use = stored.kind == "use"
        given = self.given(inputs if is_use else inputs["quote"])
        ended_at = given.end if is_use else datetime.fromisoformat(inputs["ended_at"])
        return charge(
            given,
            Ending(
                state=inputs.get("state", ENDED[stored.kind]),
                ended_at=ended_at,
                was_confirmed=True,
                is_ended_by_host=False,
                # The input of a charge for use is of the charged period already.
                usage=(given.start, given.end) if is_use else None,
                least_percent=Decimal(inputs.get("least_percent", 0)),
                shortening_fee=Decimal(inputs.get("shortening_fee", 0)),
            ),
        )

    def charge(self, stored: StoredCharge) -> list[Difference]:
        """What differs of a charge. `NoRule` for a kind that cannot be recomputed."""
        if stored.kind not in ENDED:
            return self._following(stored)
        try:
            made = self.made(stored)
        except Exception as failure:
            return [_unreadable(failure)]
        if made is None:
            return [Difference("total", format_amount(stored.amounts.total, stored.currency), None)]
        columns = {"kind": made.kind, "currency": made.currency}
        columns |= {name: getattr(made, name) for name in AMOUNTS}
        return _differing(stored.result, made.result) + _columns(
            {
                "kind": stored.kind,
                "currency": stored.currency,
                **{name: getattr(stored.amounts, name) for name in AMOUNTS},
            },
            columns,
            stored.currency,
        )

    def _following(self, stored: StoredCharge) -> list[Difference]:
        amounts = follow(stored)
        found = _columns(vars(stored.amounts), vars(amounts), stored.currency)
        said = {name: stored.result[name] for name in AMOUNTS if name in stored.result}
        return found + _differing(
            said, {name: format_amount(getattr(amounts, name), stored.currency) for name in said}
        )


def follow(stored: StoredCharge) -> Amounts:
    """The amounts of a charge that follows from another."""
    if stored.kind not in FOLLOWING or stored.reverses is None:
        raise NoRule(stored.kind)
    return FOLLOWING[stored.kind](stored.inputs, stored.reverses, stored.currency)


def _unreadable(failure: Exception) -> Difference:
    return Difference("inputs", None, f"{type(failure).__name__}: {failure}")


def _columns(
    stored: Mapping[str, Any], recomputed: Mapping[str, Any], currency: str
) -> list[Difference]:
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
    """The innermost parts in which two JSON values differ."""
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
