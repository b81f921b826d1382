"""The lists on a rate card: bands, tiers, options, cancellation terms; as values and from JSON.

See docs/fees.md, Rate card. `instruments/domain/ratecards.py` puts them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from instruments.domain.opening import clock
from instruments.domain.reading import MIDNIGHT, Reader

OPTION_UNITS = ("hour", "each")

STANDARD = "standard"  # the code of minutes outside all bands
CAPPED = "capped"  # the code of minutes that are free under the daily cap

PRICE_DECIMALS = 4  # prices may be finer than the currency: their lines are rounded
MOST_MINUTES = 366 * 24 * 60


@dataclass(frozen=True)
class Band:
    """Wall-clock hours with a multiplier, on `weekdays` (ISO 1-7) and, if `holidays`, on those.

    `opens` and `closes` are minutes after local midnight; `closes` may be 1440; a band whose
    `closes` is not after `opens` runs into the next day and belongs to the day it opens.
    """

    code: str
    opens: int
    closes: int
    multiplier: Decimal
    weekdays: tuple[int, ...] = ()
    holidays: bool = False


@dataclass(frozen=True)
class Tier:
    """From the billed minute at position `after_minutes` (0 is the first) on: a multiplier."""

    after_minutes: int
    multiplier: Decimal


@dataclass(frozen=True)
class Option:
    """Something booked beside the instrument, priced per hour or each."""

    code: str
    unit: str
    price: Decimal
    subsidised: bool = False


@dataclass(frozen=True)
class CancellationTier:
    """Cancelling with at least this notice costs so many percent."""

    notice_minutes: int
    percent: Decimal


def read_bands(reader: Reader) -> tuple[Band, ...]:
    items = reader.items("bands", Band.__dataclass_fields__)
    bands = tuple(_band(item) for item in items)
    _refuse_repeats(items, "code", [band.code for band in bands])
    return bands


def _band(item: Reader) -> Band:
    weekdays = item.values("weekdays")
    for index, weekday in enumerate(weekdays):
        if isinstance(weekday, bool) or not isinstance(weekday, int) or not 1 <= weekday <= 7:
            item.refuse(f"weekdays[{index}]", "not-a-weekday")
        elif weekday in weekdays[:index]:
            item.refuse(f"weekdays[{index}]", "repeated")
    holidays = item.boolean("holidays", False)
    if not weekdays and not holidays:
        item.refuse("weekdays", "required")
    return Band(
        code=item.code("code", reserved=(STANDARD, CAPPED)),
        opens=item.wall_clock("opens", latest=MIDNIGHT - 1),
        closes=item.wall_clock("closes", latest=MIDNIGHT),
        multiplier=item.decimal("multiplier", decimals=PRICE_DECIMALS),
        weekdays=tuple(sorted(day for day in weekdays if isinstance(day, int))),
        holidays=holidays,
    )


def read_tiers(reader: Reader) -> tuple[Tier, ...]:
    items = reader.items("tiers", Tier.__dataclass_fields__)
    tiers = tuple(
        Tier(
            after_minutes=item.integer("after_minutes", least=0, most=MOST_MINUTES),
            multiplier=item.decimal("multiplier", decimals=PRICE_DECIMALS),
        )
        for item in items
    )
    for index, (item, tier) in enumerate(zip(items, tiers, strict=True)):
        if item.data.get("after_minutes") != tier.after_minutes:
            continue  # a placeholder
        if index == 0 and tier.after_minutes != 0:
            item.refuse("after_minutes", "first-not-zero")
        elif index and tier.after_minutes <= tiers[index - 1].after_minutes:
            item.refuse("after_minutes", "not-increasing")
    return tiers


def read_options(reader: Reader) -> tuple[Option, ...]:
    items = reader.items("options", Option.__dataclass_fields__)
    options = tuple(
        Option(
            code=item.code("code"),
            unit=item.choice("unit", OPTION_UNITS),
            price=item.decimal("price", decimals=PRICE_DECIMALS),
            subsidised=item.boolean("subsidised", False),
        )
        for item in items
    )
    _refuse_repeats(items, "code", [option.code for option in options])
    return options


def read_cancellation(reader: Reader) -> tuple[CancellationTier, ...]:
    items = reader.items("cancellation", CancellationTier.__dataclass_fields__)
    tiers = [
        CancellationTier(
            notice_minutes=item.integer("notice_minutes", least=0, most=MOST_MINUTES),
            percent=percent_of(item, "percent"),
        )
        for item in items
    ]
    _refuse_repeats(items, "notice_minutes", [tier.notice_minutes for tier in tiers])
    return tuple(sorted(tiers, key=lambda tier: -tier.notice_minutes))


def percent_of(reader: Reader, key: str, default: str | None = None) -> Decimal:
    return reader.decimal(key, default, decimals=PRICE_DECIMALS, most=100)


def _refuse_repeats(items: Sequence[Reader], key: str, values: Sequence[object]) -> None:
    for index, (item, value) in enumerate(zip(items, values, strict=True)):
        # A placeholder is no repeat: it has a problem of its own already.
        if item.data.get(key) == value and value in values[:index]:
            item.refuse(key, "repeated")


def band_json(band: Band) -> dict[str, object]:
    days: dict[str, object] = {"weekdays": list(band.weekdays)} if band.weekdays else {}
    if band.holidays:
        days["holidays"] = True
    return {
        "code": band.code,
        **days,
        "opens": clock(band.opens),
        "closes": clock(band.closes),
        "multiplier": f"{band.multiplier:f}",
    }
