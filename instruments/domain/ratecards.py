"""Rate cards: the dated, versioned prices of one instrument (docs/fees.md, Rate card)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid
from instruments.domain.ratecard_parts import (
    CAPPED,
    MOST_MINUTES,
    PRICE_DECIMALS,
    STANDARD,
    Band,
    CancellationTier,
    Option,
    Tier,
    band_json,
    percent_of,
    read_bands,
    read_cancellation,
    read_options,
    read_tiers,
)
from instruments.domain.reading import Reader

__all__ = [
    "CAPPED",
    "CHARGE_BASES",
    "PRICE_GROUPS",
    "RATE_UNITS",
    "STANDARD",
    "Band",
    "CancellationTier",
    "Option",
    "RateCardValues",
    "Tier",
    "card_in_force",
    "check_rate_card",
    "parse_rate_card",
    "to_json",
]

PRICE_GROUPS = ("internal", "regional", "partner", "external", "industry")
RATE_UNITS = ("hour", "sample")
CHARGE_BASES = ("reserved", "used", "greater")


@dataclass(frozen=True)
class RateCardValues:
    """One version of a rate card. `valid_until` is the first day it no longer holds.

    `cancellation` has the largest notice first; no `tiers` means multiplier 1 throughout.
    """

    currency: str
    valid_from: date
    rates: Mapping[str, Decimal] = field(hash=False)
    rate_unit: str = "hour"
    valid_until: date | None = None
    billing_increment_minutes: int = 1
    minimum_minutes: int = 0
    bands: tuple[Band, ...] = ()
    tiers: tuple[Tier, ...] = ()
    daily_cap_minutes: int | None = None
    setup_fee: Decimal = Decimal(0)
    options: tuple[Option, ...] = ()
    tax_percent: Decimal = Decimal(0)
    charge_basis: str = "reserved"
    cancellation: tuple[CancellationTier, ...] = ()
    no_show_percent: Decimal = Decimal(100)


class Dated(Protocol):
    """Whatever holds from a day until the day before another: a card, or a row that has one."""

    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


def card_in_force[C: Dated](cards: Iterable[C], day: date) -> C | None:
    """The card with valid_from <= day < valid_until, or None. Give published versions only.

    Of several the one that began last; of several that began together the last given.
    """
    in_force: C | None = None
    for card in cards:
        holds = card.valid_from <= day and (card.valid_until is None or day < card.valid_until)
        if holds and (in_force is None or card.valid_from >= in_force.valid_from):
            in_force = card
    return in_force


def parse_rate_card(data: Mapping[str, object]) -> RateCardValues:
    """As `check_rate_card`, for JSON that ought to be right. Raises `Invalid`."""
    card, problems = check_rate_card(data)
    if card is None:
        raise Invalid(problems)
    return card


def check_rate_card(
    data: Mapping[str, object],
) -> tuple[RateCardValues | None, list[FieldProblem]]:
    """Reads the JSON shape of docs/fees.md. Gives the card, or None and every problem found.

    Only `currency`, `valid_from` and `rates` are required. Decimals are strings or integers.
    """
    reader = Reader(data, RateCardValues.__dataclass_fields__)
    currency = _currency(reader)
    valid_from = reader.day("valid_from")
    cap = data.get("daily_cap_minutes")
    card = RateCardValues(
        currency=currency,
        rate_unit=reader.choice("rate_unit", RATE_UNITS, "hour"),
        valid_from=valid_from,
        valid_until=_valid_until(reader, valid_from),
        rates=_rates(reader),
        billing_increment_minutes=reader.integer(
            "billing_increment_minutes", 1, least=1, most=1440
        ),
        minimum_minutes=reader.integer("minimum_minutes", 0, least=0, most=MOST_MINUTES),
        bands=read_bands(reader),
        tiers=read_tiers(reader),
        daily_cap_minutes=(
            None if cap is None else reader.integer("daily_cap_minutes", least=1, most=1500)
        ),
        # Its line is not rounded, so it must be payable as it stands.
        setup_fee=reader.decimal("setup_fee", "0", decimals=MINOR_DIGITS.get(currency, 4)),
        options=read_options(reader),
        tax_percent=percent_of(reader, "tax_percent", "0"),
        charge_basis=reader.choice("charge_basis", CHARGE_BASES, "reserved"),
        cancellation=read_cancellation(reader),
        no_show_percent=percent_of(reader, "no_show_percent", "100"),
    )
    return (None if reader.problems else card), reader.problems


def to_json(card: RateCardValues) -> dict[str, object]:
    """The canonical JSON: `parse_rate_card(to_json(card)) == card`, digits of decimals kept."""
    return {
        "currency": card.currency,
        "rate_unit": card.rate_unit,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
        "rates": {group: f"{rate:f}" for group, rate in card.rates.items()},
        "billing_increment_minutes": card.billing_increment_minutes,
        "minimum_minutes": card.minimum_minutes,
        "bands": [band_json(band) for band in card.bands],
        "tiers": [
            {"after_minutes": tier.after_minutes, "multiplier": f"{tier.multiplier:f}"}
            for tier in card.tiers
        ],
        "daily_cap_minutes": card.daily_cap_minutes,
        "setup_fee": f"{card.setup_fee:f}",
        "options": [
            {
                "code": option.code,
                "unit": option.unit,
                "price": f"{option.price:f}",
                "subsidised": option.subsidised,
            }
            for option in card.options
        ],
        "tax_percent": f"{card.tax_percent:f}",
        "charge_basis": card.charge_basis,
        "cancellation": [
            {"notice_minutes": tier.notice_minutes, "percent": f"{tier.percent:f}"}
            for tier in card.cancellation
        ],
        "no_show_percent": f"{card.no_show_percent:f}",
    }


def _currency(reader: Reader) -> str:
    raw = reader.data.get("currency")
    if raw is None:
        reader.refuse("currency", "required")
    elif not isinstance(raw, str) or raw not in MINOR_DIGITS:
        reader.refuse("currency", "unknown-currency")
    else:
        return raw
    return ""


def _valid_until(reader: Reader, valid_from: date) -> date | None:
    if reader.data.get("valid_until") is None:
        return None
    valid_until = reader.day("valid_until")
    # A date that could not be read is date.min: it has a problem of its own already.
    if date.min < valid_until <= valid_from:
        reader.refuse("valid_until", "not-after-valid-from")
    return valid_until


def _rates(reader: Reader) -> dict[str, Decimal]:
    raw = reader.data.get("rates")
    if raw is None or raw == {}:
        reader.refuse("rates", "required")
        return {}
    if not isinstance(raw, Mapping):
        reader.refuse("rates", "not-an-object")
        return {}
    rates = Reader(
        raw,
        PRICE_GROUPS,
        path="rates",
        problems=reader.problems,
        unknown_code="unknown-price-group",
    )
    return {
        group: rates.decimal(group, decimals=PRICE_DECIMALS)
        for group in PRICE_GROUPS
        if group in raw
    }
