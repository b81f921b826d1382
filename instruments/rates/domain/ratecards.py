"""Define rate cards: the dated, versioned prices of one instrument (docs/fees.md, Rate card)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid
from instruments.reading.domain.clock import clock
from instruments.reading.domain.reading import MIDNIGHT, Reader

OPTION_UNITS = ("hour", "each")
SERVICE_MODES = ("self", "assisted", "entrusted", "remote")  # the ways of working
# Part of every price of its ways of working; asked for with the booking; or added at check-out by the host.
REQUIRED, OFFERED, ON_USE = OPTION_WHENS = ("required", "offered", "on_use")
BILLED = "billed"  # the quantity of a required option: as many hours as are billed

STANDARD = "standard"  # the code of minutes outside all bands
KEPT = "kept"  # the code of minutes that use up guaranteed hours of the payer, at their own price
CAPPED = "capped"  # the code of minutes that are free under the daily cap

PRICE_DECIMALS = 4  # prices may be finer than the currency: their lines are rounded
MOST_MINUTES = 366 * 24 * 60
LONGEST_NAME = 100


@dataclass(frozen=True)
class Band:
    """Wall-clock hours with a multiplier, on `weekdays` (ISO 1-7) and, with `holidays`, on public holidays.

    `opens` and `closes` are minutes after local midnight; `closes` may be 1440. A band whose `closes` is not
    after `opens` runs into the next day and belongs to the day on which it opens.
    """

    code: str
    opens: int
    closes: int
    multiplier: Decimal
    weekdays: tuple[int, ...] = ()
    holidays: bool = False
    name: str = ""
    name_zh: str = ""


@dataclass(frozen=True)
class Tier:
    """A multiplier that applies from the billed minute at position `after_minutes` on (0 is the first)."""

    after_minutes: int
    multiplier: Decimal


@dataclass(frozen=True)
class Option:
    """An extra to the use of an instrument, priced per hour or each.

    `modes` are the ways of working that it is for, none meaning all; `when` is `required`, `offered` or
    `on_use`. `quantity` is that of a required option; None stands for the billed hours.
    """

    code: str
    unit: str
    price: Decimal
    subsidised: bool = False
    name: str = ""
    name_zh: str = ""
    modes: tuple[str, ...] = ()
    when: str = OFFERED
    quantity: Decimal | None = None

    def is_for(self, mode: str) -> bool:
        """Say whether the option belongs to a way of working; to any, if it is not known ('')."""
        return not mode or not self.modes or mode in self.modes


@dataclass(frozen=True)
class CancellationTier:
    """The percentage that cancelling with at least this notice costs."""

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
        code=item.code("code", reserved=(STANDARD, CAPPED, KEPT)),
        opens=item.wall_clock("opens", latest=MIDNIGHT - 1),
        closes=item.wall_clock("closes", latest=MIDNIGHT),
        multiplier=item.decimal("multiplier", decimals=PRICE_DECIMALS),
        weekdays=tuple(sorted(day for day in weekdays if isinstance(day, int))),
        holidays=holidays,
        **_names(item),
    )


def _names(item: Reader) -> dict[str, str]:
    return {key: item.text(key, LONGEST_NAME) for key in ("name", "name_zh")}


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
    options = tuple(_option(item) for item in items)
    _refuse_repeats(items, "code", [option.code for option in options])
    return options


def _option(item: Reader) -> Option:
    unit = item.choice("unit", OPTION_UNITS)
    when = item.choice("when", OPTION_WHENS, OFFERED)
    quantity = None
    if item.data.get("quantity") is not None and when != REQUIRED:
        item.refuse("quantity", "only-of-required")
    elif item.data.get("quantity") not in (None, BILLED):
        quantity = item.decimal("quantity", decimals=PRICE_DECIMALS if unit == "hour" else 0)
    return Option(
        code=item.code("code"),
        unit=unit,
        price=item.decimal("price", decimals=PRICE_DECIMALS),
        subsidised=item.boolean("subsidised", False),
        **_names(item),
        modes=_modes(item),
        when=when,
        quantity=quantity,
    )


def _modes(item: Reader, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Read ways of working; one that is listed before, or is `taken` by another row, is refused."""
    modes: list[str] = []
    for index, mode in enumerate(item.values("modes")):
        if mode not in SERVICE_MODES:
            item.refuse(f"modes[{index}]", "unknown-value", allowed=", ".join(SERVICE_MODES))
        elif mode in modes or mode in taken:
            item.refuse(f"modes[{index}]", "mode-repeated")
        else:
            modes.append(str(mode))
    return tuple(modes)


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
        # A placeholder is not a repeat: its problem is noted already.
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
        **_names_json(band),
    }


def _names_json(named: Band | Option) -> dict[str, object]:
    names = {"name": named.name, "name_zh": named.name_zh}
    return {key: name for key, name in names.items() if name}


def _option_json(option: Option) -> dict[str, object]:
    """Return an option without the keys that older cards do not have, if they have no value."""
    told: dict[str, object] = {
        "code": option.code,
        "unit": option.unit,
        "price": f"{option.price:f}",
        "subsidised": option.subsidised,
        **_names_json(option),
    }
    if option.modes:
        told["modes"] = list(option.modes)
    if option.when != OFFERED:
        told["when"] = option.when
    if option.when == REQUIRED:
        told["quantity"] = BILLED if option.quantity is None else f"{option.quantity:f}"
    return told


PRICE_GROUPS = ("internal", "regional", "partner", "external", "industry")
RATE_UNITS = ("hour", "sample")
CHARGE_BASES = ("reserved", "used", "greater")
# Asked for a price instead of a way of working: a place in a course. Its price is for the whole of it.
TRAINING = "training"
PLACE = "place"


@dataclass(frozen=True)
class UsageRow:
    """The price of some ways of working. `stated` are the terms that take the place of the card's, by the
    name of its field."""

    modes: tuple[str, ...]
    unit: str
    rates: Mapping[str, Decimal] = field(hash=False)
    stated: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class RateCardValues:
    """One version of a rate card. `valid_until` is the first day on which it no longer holds.

    `cancellation` begins with the largest notice; no `tiers` means multiplier 1 throughout. A card with
    `usage` states its rates by way of working and has no `rates` of its own: ask `for_mode`. `training` is
    what a place in a course costs, by price group; None: nothing.
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
    usage: tuple[UsageRow, ...] = ()
    training: Mapping[str, Decimal] | None = field(default=None, hash=False)

    def for_mode(self, mode: str) -> "RateCardValues":
        """Return the card with the one rate that it has for a way of working, or for a place in a course
        (`TRAINING`), without the terms of use; the card itself if it has one rate for all ways, or none for
        this one."""
        if mode == TRAINING:
            return replace(
                self,
                rates=self.training or {},
                rate_unit=PLACE,
                usage=(),
                bands=(),
                tiers=(),
                options=(),
                setup_fee=Decimal(0),
            )
        for row in self.usage:
            if mode in row.modes:
                return replace(self, usage=(), rates=row.rates, rate_unit=row.unit, **row.stated)
        return self

    def serves(self, price_group: str, mode: str = "") -> bool:
        """Say whether the card has a rate for a price group in a way of working; in any, if the mode is not
        known, or has no price."""
        card = self.for_mode(mode)
        return any(price_group in rates for rates in (card.rates, *(row.rates for row in card.usage)))

    @property
    def is_hourly(self) -> bool:
        """Say whether some use is charged by the hour."""
        return "hour" in ([row.unit for row in self.usage] or [self.rate_unit])

    def first_mode(self, modes: Sequence[str], price_group: str = "") -> str:
        """Return the way of working that a price is shown for before one is chosen: of those offered the only
        one with a price per sample, the first with a price for the group, or with any, or the first."""
        if self.rate_unit == "sample" and "entrusted" in modes:
            return "entrusted"
        priced = [mode for mode in modes if not self.for_mode(mode).usage]
        served = [mode for mode in priced if self.serves(price_group, mode)]
        return next(iter(served or priced or modes), "")

    @property
    def by_hour(self) -> frozenset[str]:
        """Return the codes of the options whose quantity is hours."""
        return frozenset(option.code for option in self.options if option.unit == "hour")

    def options_for(self, mode: str, when: str) -> tuple[Option, ...]:
        """Return the options of a way of working that are asked at that moment, in the card's order."""
        return tuple(option for option in self.options if option.when == when and option.is_for(mode))


class Dated(Protocol):
    """Anything that holds on the days [`valid_from`, `valid_until`): a card, or a row with one."""

    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


def card_in_force[C: Dated](cards: Iterable[C], day: date) -> C | None:
    """Return the card with valid_from <= day < valid_until, or None. Give published versions only.

    If there are several, the one that began last counts; of those that began together, the last given.
    """
    in_force: C | None = None
    for card in cards:
        holds = card.valid_from <= day and (card.valid_until is None or day < card.valid_until)
        if holds and (in_force is None or card.valid_from >= in_force.valid_from):
            in_force = card
    return in_force


def parse_rate_card(data: Mapping[str, object]) -> RateCardValues:
    """Return the rate card that valid JSON describes, like `check_rate_card`. Raise `Invalid` if it is
    wrong."""
    card, problems = check_rate_card(data)
    if card is None:
        raise Invalid(problems)
    return card


def check_rate_card(data: Mapping[str, object]) -> tuple[RateCardValues | None, list[FieldProblem]]:
    """Read the JSON shape of docs/fees.md; return the card, or None and every problem found.

    Only `currency`, `valid_from` and either `rates` or `usage` are required. Decimals are strings or
    integers.
    """
    reader = Reader(data, RateCardValues.__dataclass_fields__)
    currency = _currency(reader)
    valid_from = reader.day("valid_from")
    usage = _usage(reader, currency)
    if usage and (data.get("rates") is not None or data.get("rate_unit") is not None):
        reader.refuse("usage", "rates-or-usage")
    card = RateCardValues(
        currency=currency,
        rate_unit="hour" if usage else reader.choice("rate_unit", RATE_UNITS, "hour"),
        valid_from=valid_from,
        valid_until=_valid_until(reader, valid_from),
        rates={} if usage else _rates(reader),
        **{name: read(reader, currency) for name, read in ROW_TERMS.items()},
        usage=usage,
        training=_training(reader),
        options=read_options(reader),
        tax_percent=percent_of(reader, "tax_percent", "0"),
        charge_basis=reader.choice("charge_basis", CHARGE_BASES, "reserved"),
        cancellation=read_cancellation(reader),
        no_show_percent=percent_of(reader, "no_show_percent", "100"),
    )
    return (None if reader.problems else card), reader.problems


def to_json(card: RateCardValues) -> dict[str, object]:
    """Return the canonical JSON: `parse_rate_card(to_json(card)) == card`. Decimals keep their digits."""
    one_rate = {"rate_unit": card.rate_unit, "rates": _rates_json(card.rates)}
    return {
        "currency": card.currency,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
        **({"usage": [_row_json(row) for row in card.usage]} if card.usage else one_rate),
        **_terms_json({name: getattr(card, name) for name in ROW_TERMS}),
        "options": [_option_json(option) for option in card.options],
        "tax_percent": f"{card.tax_percent:f}",
        "charge_basis": card.charge_basis,
        "cancellation": [
            {"notice_minutes": tier.notice_minutes, "percent": f"{tier.percent:f}"}
            for tier in card.cancellation
        ],
        "no_show_percent": f"{card.no_show_percent:f}",
        **({} if card.training is None else {"training": {"rates": _rates_json(card.training)}}),
    }


def _rates_json(rates: Mapping[str, Decimal]) -> dict[str, str]:
    return {group: f"{rate:f}" for group, rate in rates.items()}


def _row_json(row: UsageRow) -> dict[str, object]:
    told = {"modes": list(row.modes), "unit": row.unit, "rates": _rates_json(row.rates)}
    return told | _terms_json(row.stated)


def _terms_json(terms: Mapping[str, Any]) -> dict[str, object]:
    """Return the terms that a card, or a row of its usage, states."""
    write: dict[str, Callable[[Any], object]] = {
        "bands": lambda bands: [band_json(band) for band in bands],
        "tiers": lambda tiers: [
            {"after_minutes": tier.after_minutes, "multiplier": f"{tier.multiplier:f}"} for tier in tiers
        ],
        "setup_fee": lambda fee: f"{fee:f}",
    }
    return {name: write[name](value) if name in write else value for name, value in terms.items()}


def _cap(reader: Reader) -> int | None:
    if reader.data.get("daily_cap_minutes") is None:
        return None
    return reader.integer("daily_cap_minutes", least=1, most=1500)


# What a card states for all ways of working, and a row of its usage for some: how each is read.
ROW_TERMS: dict[str, Callable[[Reader, str], Any]] = {
    "billing_increment_minutes": lambda reader, _: reader.integer(
        "billing_increment_minutes", 1, least=1, most=1440
    ),
    "minimum_minutes": lambda reader, _: reader.integer("minimum_minutes", 0, least=0, most=MOST_MINUTES),
    "bands": lambda reader, _: read_bands(reader),
    "tiers": lambda reader, _: read_tiers(reader),
    "daily_cap_minutes": lambda reader, _: _cap(reader),
    # It is charged unrounded, so it must be a payable amount.
    "setup_fee": lambda reader, currency: reader.decimal(
        "setup_fee", "0", decimals=MINOR_DIGITS.get(currency, 4)
    ),
}


def _usage(reader: Reader, currency: str) -> tuple[UsageRow, ...]:
    """Read the rates by way of working; a mode in two rows is refused."""
    rows: list[UsageRow] = []
    for item in reader.items("usage", ("modes", "unit", "rates", *ROW_TERMS)):
        modes = _modes(item, [mode for row in rows for mode in row.modes])
        unit = item.choice("unit", RATE_UNITS, "hour")
        if not item.values("modes"):
            item.refuse("modes", "required")
        elif unit == "sample" and set(modes) - {"entrusted"}:
            item.refuse("unit", "samples-are-sent-in")
        stated = {name: read(item, currency) for name, read in ROW_TERMS.items() if name in item.data}
        rows.append(UsageRow(modes, unit, _rates(item), stated))
    return tuple(rows)


def _training(reader: Reader) -> dict[str, Decimal] | None:
    raw = reader.data.get("training")
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        reader.refuse("training", "not-an-object")
        return None
    return _rates(Reader(raw, ("rates",), path="training", problems=reader.problems))


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
    # An unreadable date is date.min, and its problem is noted already.
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
    path = f"{reader.path}.rates" if reader.path else "rates"
    rates = Reader(raw, PRICE_GROUPS, path=path, problems=reader.problems, unknown_code="unknown-price-group")
    return {group: rates.decimal(group, decimals=PRICE_DECIMALS) for group in PRICE_GROUPS if group in raw}


DAY = timedelta(days=1)


@dataclass(frozen=True)
class Version:
    """A published version and the local days [`valid_from`, `valid_until`) on which it holds."""

    version: int
    valid_from: date
    valid_until: date | None


def require_room(
    card: RateCardValues, others: Sequence[Version], today: date, is_used: Callable[[int], bool]
) -> list[Version]:
    """Return the published versions that a new one ends or replaces.

    `Invalid` names the conflicting day: `valid_until` `in-the-past`; `overlaps-version`: another version
    holds on some of its days and cannot simply end where it begins; `version-used`: something was priced by
    the version that it would replace or end before `today`; `leaves-gap`: some days before the next version
    would have no price.
    """
    if card.valid_until and card.valid_until <= today:
        raise Invalid([FieldProblem("valid_until", "in-the-past")])
    ended = []
    for other in others:
        if not _meet(card, other):
            continue
        if other.valid_from > card.valid_from or other.valid_until is not None:
            raise _refused("valid_from", "overlaps-version", other.version)
        earliest = max(today, other.valid_from + DAY)
        if card.valid_from < earliest and is_used(other.version):
            raise _refused("valid_from", "version-used", other.version, earliest)
        ended.append(other)
    _require_no_gap(card, [other for other in others if other not in ended], ended, today)
    return ended


def _meet(card: RateCardValues, other: Version) -> bool:
    return (other.valid_until is None or other.valid_until > card.valid_from) and (
        card.valid_until is None or other.valid_from < card.valid_until
    )


def _require_no_gap(
    card: RateCardValues, others: Sequence[Version], ended: Sequence[Version], today: date
) -> None:
    """Raise `Invalid` if there would be days without a price between two versions, from `today` on."""
    before = [o for o in others if o.valid_until is not None and o.valid_until <= card.valid_from]
    if before and not ended:
        last = max(before, key=lambda other: other.valid_until or date.min)
        first = max(last.valid_until or date.min, today)
        if first < card.valid_from:
            raise _refused("valid_from", "leaves-gap", last.version, first)
    after = [other for other in others if other.valid_from > card.valid_from]
    if after and card.valid_until is not None:
        following = min(after, key=lambda other: other.valid_from)
        if card.valid_until < following.valid_from:
            raise _refused("valid_until", "leaves-gap", following.version, following.valid_from)


def _refused(field: str, code: str, version: int, day: date | None = None) -> Invalid:
    numbers: dict[str, str | int] = {"version": version}
    if day is not None:
        numbers["day"] = day.isoformat()
    return Invalid([FieldProblem(field, code, numbers)])
