"""A quote and the inputs it was computed from, as values and as JSON (docs/fees.md).

Both are stored: the quote because nothing is priced again on reading, the inputs so that anyone can replay
it: `quote(input_from_json(input_to_json(given))) == quote(given)`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bookings.availability.domain.kept_hours import PricedPart
from bookings.pricing.domain.vouchers import GrantValues
from bookings.record.domain.money import format_amount, format_number
from instruments.rates.domain.ratecards import RateCardValues, parse_rate_card, to_json

# Raise it when a rule of docs/fees.md changes, and keep the old rule for old inputs.
RULES_VERSION = 1


@dataclass(frozen=True)
class QuoteInput:
    """The inputs on which a price depends.

    `start` and `end` are aware UTC instants of the charged period; `options` are quantities by code (hours or
    pieces), `added` those that the host added on use; `quantity` is the number of samples, for cards with
    that rate unit; `grants` are those that may be used (see `GrantValues`); `agreement_discount_percent`
    applies to the group `partner` alone; `cut_at` is when the host cut the use short, for a charge that is
    then computed without minimum, increment and set-up fee; `kept` are the parts of the period that use the
    payer's guaranteed hours and have a price of their own; `bid_discount_percent` is by how much the host
    went below its card in a bid; `is_reversed`: the payer owes the tax, of which the card then says 0.
    """

    card: RateCardValues
    time_zone: str
    start: datetime
    end: datetime
    price_group: str
    service_mode: str = "self"
    quantity: Decimal | None = None
    options: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    agreement_discount_percent: Decimal = Decimal(0)
    grants: tuple[GrantValues, ...] = ()
    public_holidays: frozenset[date] = frozenset()
    cut_at: datetime | None = None
    kept: tuple[PricedPart, ...] = ()
    bid_discount_percent: Decimal = Decimal(0)
    added: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    is_reversed: bool = False


@dataclass(frozen=True)
class QuoteLine:
    """One line of a quote. `kind` is usage, training, setup, option, agreement or bid; the fields from which
    `amount` was computed are set.

    training: round(`rate`); usage: round(`rate` x `multiplier` x `minutes` / 60), or round(`rate` x
    `quantity`) for samples; option: round(`quantity` x `price`); agreement, bid: minus round(`percent` % of
    `base`). `name` and `name_zh` are those of the band or option.
    """

    kind: str
    amount: Decimal
    code: str | None = None
    minutes: int | None = None
    rate: Decimal | None = None
    multiplier: Decimal | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    percent: Decimal | None = None
    base: Decimal | None = None
    name: str = ""
    name_zh: str = ""


@dataclass(frozen=True)
class Quote:
    """An itemised price, every amount at the currency's minor unit.

    The lines add up to `subtotal`; subtotal + tax = total; total - covered = payable.
    `voucher` is the code of the grant that covers `covered` of the `eligible` sum, or None.
    """

    currency: str
    price_group: str
    billed_minutes: int
    lines: tuple[QuoteLine, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    eligible: Decimal
    voucher: str | None
    covered: Decimal
    payable: Decimal


def quote_to_json(quote: Quote, *, explained: bool = False) -> dict[str, object]:
    """Return the quote as the API gives it: decimal strings, without keys that have no value.

    `explained` adds to option lines their `price`, to the lines of agreement and bid their `base`, and the
    names that the card gives to bands and options.
    """
    amounts = ("subtotal", "tax", "total", "eligible", "covered", "payable")
    return {
        "currency": quote.currency,
        "price_group": quote.price_group,
        "billed_minutes": quote.billed_minutes,
        "lines": [_line_json(line, quote.currency, explained) for line in quote.lines],
        "voucher": quote.voucher,
        **{name: format_amount(getattr(quote, name), quote.currency) for name in amounts},
    }


def _line_json(line: QuoteLine, currency: str, explained: bool) -> dict[str, object]:
    parts: dict[str, object] = {
        "kind": line.kind,
        "code": line.code,
        "minutes": line.minutes,
        "rate": _text(line.rate),
        "multiplier": None if line.multiplier is None else format_number(line.multiplier),
        "quantity": None if line.quantity is None else format_number(line.quantity),
        "percent": None if line.percent is None else format_number(line.percent),
        "amount": format_amount(line.amount, currency),
    }
    if explained:
        parts["price"] = _text(line.price)
        parts |= {"name": line.name or None, "name_zh": line.name_zh or None}
        parts["base"] = None if line.base is None else format_amount(line.base, currency)
    return {name: value for name, value in parts.items() if value is not None}


def input_to_json(given: QuoteInput) -> dict[str, object]:
    """Return the input as JSON, with only those public holidays that can matter to the period, or to use that
    runs over."""
    zone = ZoneInfo(given.time_zone)
    # A band of the day before may extend into the first day.
    first = given.start.astimezone(zone).date() - timedelta(days=2)
    # Use may outlast the reservation, and is charged from this same input.
    last = given.end.astimezone(zone).date() + timedelta(days=14)
    return {
        "rules_version": RULES_VERSION,
        "card": to_json(given.card),
        "timezone": given.time_zone,
        "start": given.start.astimezone(UTC).isoformat(),
        "end": given.end.astimezone(UTC).isoformat(),
        "price_group": given.price_group,
        "service_mode": given.service_mode,
        "quantity": _text(given.quantity),
        "options": {code: f"{quantity:f}" for code, quantity in given.options.items()},
        "agreement_discount_percent": f"{given.agreement_discount_percent:f}",
        "grants": [
            {
                "code": grant.code,
                "percent": f"{grant.percent:f}",
                "cap_per_booking": _text(grant.cap_per_booking),
                "remaining": f"{grant.remaining:f}",
                "expires": grant.expires.isoformat() if grant.expires else None,
            }
            for grant in given.grants
        ],
        "public_holidays": [day.isoformat() for day in sorted(given.public_holidays) if first <= day <= last],
        **({"cut_at": given.cut_at.astimezone(UTC).isoformat()} if given.cut_at else {}),
        **({"kept": [_part_json(part) for part in given.kept]} if given.kept else {}),
        **({"bid_discount_percent": f"{given.bid_discount_percent:f}"} if given.bid_discount_percent else {}),
        **({"added": {code: f"{number:f}" for code, number in given.added.items()}} if given.added else {}),
        **({"reverse_charge": True} if given.is_reversed else {}),
    }


def input_from_json(data: Mapping[str, Any], card: RateCardValues | None = None) -> QuoteInput:
    """Read what `input_to_json` wrote. It is trusted: raises ValueError or KeyError for anything else.

    `card`: another card to use instead of the stored one.
    """
    if data.get("rules_version", RULES_VERSION) != RULES_VERSION:
        raise ValueError(f"no rules of version {data['rules_version']}")
    quantity = data.get("quantity")
    return QuoteInput(
        card=_card(json.dumps(data["card"], sort_keys=True)) if card is None else card,
        time_zone=data["timezone"],
        start=datetime.fromisoformat(data["start"]).astimezone(UTC),
        end=datetime.fromisoformat(data["end"]).astimezone(UTC),
        price_group=data["price_group"],
        service_mode=data.get("service_mode", "self"),
        quantity=None if quantity is None else Decimal(quantity),
        options={code: Decimal(number) for code, number in data["options"].items()},
        agreement_discount_percent=Decimal(data["agreement_discount_percent"]),
        grants=tuple(_grant(grant) for grant in data["grants"]),
        public_holidays=frozenset(date.fromisoformat(day) for day in data["public_holidays"]),
        cut_at=datetime.fromisoformat(data["cut_at"]).astimezone(UTC) if "cut_at" in data else None,
        kept=tuple(_part(part) for part in data.get("kept", ())),
        bid_discount_percent=Decimal(data.get("bid_discount_percent", 0)),
        added={code: Decimal(number) for code, number in data.get("added", {}).items()},
        is_reversed=data.get("reverse_charge", False),
    )


def minimum_charged(given: Mapping[str, Any]) -> int:
    """Return the least minutes of the card by which a stored input is charged, because its period is shorter;
    0 if that does not apply."""
    card = given.get("card", {})
    if not card or card.get("rate_unit", "hour") != "hour" or "cut_at" in given:
        return 0
    start, end = (datetime.fromisoformat(given[name]) for name in ("start", "end"))
    return least_charged(card.get("minimum_minutes", 0), start, end)


def least_charged(minimum_minutes: int, start: datetime, end: datetime) -> int:
    """Return the minimum that is charged for a shorter period; 0 for one that is as long."""
    return minimum_minutes if end - start < timedelta(minutes=minimum_minutes) else 0


def _part_json(part: PricedPart) -> dict[str, str]:
    start, end = (moment.astimezone(UTC).isoformat() for moment in (part.start, part.end))
    return {"start": start, "end": end, "price": f"{part.price:f}"}


def _part(data: Mapping[str, str]) -> PricedPart:
    start, end = (datetime.fromisoformat(data[name]).astimezone(UTC) for name in ("start", "end"))
    return PricedPart(start, end, Decimal(data["price"]))


@lru_cache(maxsize=1024)
def _card(text: str) -> RateCardValues:
    """Return the card of a JSON text; cached, as thousands of quotes contain the same."""
    return parse_rate_card(json.loads(text))


def _grant(data: Mapping[str, Any]) -> GrantValues:
    cap, expires = data["cap_per_booking"], data["expires"]
    return GrantValues(
        code=data["code"],
        percent=Decimal(data["percent"]),
        cap_per_booking=None if cap is None else Decimal(cap),
        remaining=Decimal(data["remaining"]),
        expires=None if expires is None else date.fromisoformat(expires),
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
