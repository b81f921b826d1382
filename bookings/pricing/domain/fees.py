"""Compute what a booking costs, and who pays: pure functions of values (docs/fees.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from accounts.domain.errors import FieldProblem, Invalid, Refused
from bookings.availability.domain.bands import MINUTE, Span, band_spans, minute_of, split_minutes
from bookings.pricing.domain.quotes import Quote, QuoteInput, QuoteLine
from bookings.pricing.domain.vouchers import best_cover
from bookings.record.domain.money import exact_arithmetic, percentage, proportion, round_half_up
from instruments.rates.domain.ratecards import (
    CAPPED,
    KEPT,
    OFFERED,
    ON_USE,
    PLACE,
    REQUIRED,
    STANDARD,
    Option,
    RateCardValues,
)

ONE = Decimal(1)
HOUR_DECIMALS = 2  # decimals of an option's quantity in hours
BILLED_DECIMALS = 4  # decimals of the billed hours, where they are the quantity of a required option
MOST_QUANTITY = 10**6
MOST_ADDED = 10**4  # pieces of one option that the host adds at check-out
NOTHING_ADDED: Mapping[str, Decimal] = {}
MOST = Decimal(10) ** 13  # a larger amount is a typing error


class GroupNotServed(Refused):
    """The rate card has no rate for the payer's price group (`price_group`)."""

    code = "audience-not-served"


def price_group(
    *,
    host_id: object,
    payer_id: object,
    payer_kind: str,
    host_region_id: object,
    payer_region_id: object,
    has_agreement: bool,
) -> str:
    """Return the payer's price group, by the first rule that holds (docs/fees.md, Price group).

    The regions are those that share; `has_agreement`: an agreement between them is in force on the booking's
    local start date.
    """
    if payer_id == host_id:
        return "internal"
    if payer_kind == "enterprise":
        return "industry"
    if payer_region_id == host_region_id:
        return "regional"
    return "partner" if has_agreement else "external"


def quote(given: QuoteInput) -> Quote:
    """Return the itemised price of a period (docs/fees.md, steps 1 to 7).

    Raises `Invalid` for a period that ends before it starts or has no offset, for a service mode without a
    price (`mode-not-priced`), for unknown options, those that cannot be asked for or added, impossible
    quantities (`options.<code>`, `samples`) and a total of 10^13 or more (`too-large`); `GroupNotServed`.
    """
    given = replace(given, card=given.card.for_mode(given.service_mode))
    _check(given)
    card = given.card
    if given.price_group not in card.rates:
        raise GroupNotServed(price_group=given.price_group)
    with exact_arithmetic():
        billed_minutes, usage = _usage(given)
        has_setup = card.setup_fee and given.cut_at is None
        setup = [QuoteLine("setup", card.setup_fee)] if has_setup else []
        options = _options(given, billed_minutes)
        agreement = _agreement(given, _by_card(usage))
        lines = (*usage, *setup, *options, *agreement, *_bid(given, [*usage, *setup, *agreement]))
        subtotal = _sum(lines)
        tax = percentage(card.tax_percent, subtotal, card.currency)
        paid_in_full = {option.code for option in card.options if not option.subsidised}
        eligible = _sum(line for line in lines if line.kind != "option" or line.code not in paid_in_full)
        if abs(subtotal) + abs(tax) >= MOST:
            raise Invalid([FieldProblem("options", "too-large")])
        voucher, covered = best_cover(given.grants, eligible, card.currency)
        return Quote(
            currency=card.currency,
            price_group=given.price_group,
            billed_minutes=billed_minutes,
            lines=lines,
            subtotal=subtotal,
            tax=tax,
            total=subtotal + tax,
            eligible=eligible,
            voucher=voucher,
            covered=covered,
            payable=subtotal + tax - covered,
        )


def on_top(card: RateCardValues, mode: str) -> tuple[Option, ...]:
    """Return the options by the hour that a use in a mode adds to a price that has none of them: where
    somebody else operates, their hours are asked for with the booking, or added after it, unless they are
    required and so part of the price."""
    if mode not in ("assisted", "entrusted"):
        return ()
    return tuple(
        option
        for option in card.options
        if option.unit == "hour" and option.when != REQUIRED and option.is_for(mode)
    )


def on_use(card: RateCardValues, mode: str) -> tuple[Option, ...]:
    """Return the options that the host may add to a use in a mode when it ends, which no price has before."""
    return tuple(option for option in card.options if option.when == ON_USE and option.is_for(mode))


def _check(given: QuoteInput) -> None:
    problems = [
        FieldProblem(name, "naive-time")
        for name, instant in (("start", given.start), ("end", given.end))
        if instant.utcoffset() is None
    ]
    if not problems and given.end < given.start:
        problems.append(FieldProblem("end", "end-before-start"))
    for code, quantity in given.options.items():
        problems += _option_problems(given, code, quantity, OFFERED)
    for code, quantity in given.added.items():
        problems += _option_problems(given, code, quantity, ON_USE)
    if given.card.usage:
        problems.append(FieldProblem("service_mode", "mode-not-priced"))
    elif given.card.rate_unit == "sample":
        if given.service_mode != "entrusted":
            problems.append(FieldProblem("service_mode", "priced-per-sample"))
        if given.quantity is None:
            problems.append(FieldProblem("samples", "required"))
        else:
            problems += _quantity_problems("samples", given.quantity, 0)
    if problems:
        raise Invalid(problems)


# What an option cannot be, by when it is asked.
_NOT_NOW = {REQUIRED: "option-required", OFFERED: "option-asked-before", ON_USE: "option-added-on-use"}


def _option_problems(given: QuoteInput, code: str, quantity: Decimal, when: str) -> list[FieldProblem]:
    """Return what is wrong with an option that is asked for (`when` offered) or added on use."""
    field = f"options.{code}"
    option = next((option for option in given.card.options if option.code == code), None)
    if option is None:
        return [FieldProblem(field, "unknown-option")]
    if not option.is_for(given.service_mode):
        return [FieldProblem(field, "option-not-for-mode")]
    if option.when != when:
        return [FieldProblem(field, _NOT_NOW[option.when])]
    return _quantity_problems(field, quantity, HOUR_DECIMALS if option.unit == "hour" else 0)


def check_added(given: QuoteInput, usage: tuple[datetime, datetime]) -> None:
    """Check what the host `added` at check-out, from (check-in, check-out). Raise `Invalid` for options that
    the card does not add on use; for more hours than twice the time that is charged, reserved or used,
    whichever is longest; and for more than `MOST_ADDED` pieces."""
    billed = quote(charge_input(given, usage=usage) or given).billed_minutes
    longest = max(billed * MINUTE, given.end - given.start, usage[1] - usage[0])
    hours = round(Decimal(-(-2 * longest // MINUTE)) / 60, HOUR_DECIMALS)
    card = given.card.for_mode(given.service_mode)
    by_hour = {option.code for option in card.options if option.unit == "hour"}
    problems = [
        FieldProblem(f"options.{code}", "hours-beyond-use", {"hours": f"{hours:.2f}"})
        if code in by_hour
        else FieldProblem(f"options.{code}", "too-large", {"most": MOST_ADDED})
        for code, number in given.added.items()
        if number > (hours if code in by_hour else MOST_ADDED)
    ]
    if problems:
        raise Invalid(problems)


def _quantity_problems(field: str, quantity: Decimal, decimals: int) -> list[FieldProblem]:
    if not quantity.is_finite():
        return [FieldProblem(field, "not-a-decimal")]
    if quantity < 0:
        return [FieldProblem(field, "too-small", {"least": 0})]
    if quantity > MOST_QUANTITY:
        return [FieldProblem(field, "too-large", {"most": MOST_QUANTITY})]
    with exact_arithmetic():
        if quantity.scaleb(decimals) % 1:
            return [FieldProblem(field, "too-many-decimals", {"decimals": decimals})]
    return []


def _usage(given: QuoteInput) -> tuple[int, list[QuoteLine]]:
    """Return the billed minutes and the usage lines of a price (steps 1 and 2 of docs/fees.md)."""
    card, rate = given.card, given.card.rates[given.price_group]
    if card.rate_unit == "sample":
        quantity = given.quantity or Decimal(0)
        amount = round_half_up(quantity * rate, card.currency)
        return 0, [QuoteLine("usage", amount, code="sample", quantity=quantity, rate=rate)]
    if card.rate_unit == PLACE:
        return 0, [QuoteLine("training", round_half_up(rate, card.currency), rate=rate)]
    start, end = minute_of(given.start), minute_of(given.end)
    if given.cut_at is None:
        increments = -(-(end - start) // card.billing_increment_minutes)
        billed = max(card.minimum_minutes, increments * card.billing_increment_minutes)
    else:  # only the whole minutes that passed, whatever the seconds of the clock
        billed = (given.end - given.start) // MINUTE
        end = start + billed
    zone = ZoneInfo(given.time_zone)
    # A period of 0 minutes takes the band of its start.
    spans = band_spans(card.bands, zone, given.public_holidays, start, max(end, start + 1))
    # Added minutes repeat the band and the local day of the last one.
    spans[-1] = replace(spans[-1], end=start + billed)
    spans, lines = _kept(given, spans)
    charged, free = split_minutes(spans, card.tiers, card.daily_cap_minutes)
    for (band, tier), minutes in charged.items():
        multiplier = ONE if band is None else card.bands[band].multiplier
        multiplier *= card.tiers[tier].multiplier if card.tiers else ONE
        lines.append(
            QuoteLine(
                "usage",
                proportion(rate * multiplier, minutes, 60, card.currency),
                code=STANDARD if band is None else card.bands[band].code,
                minutes=minutes,
                rate=rate,
                multiplier=multiplier,
                name="" if band is None else card.bands[band].name,
                name_zh="" if band is None else card.bands[band].name_zh,
            )
        )
    if free:
        lines.append(QuoteLine("usage", Decimal(0), code=CAPPED, minutes=free))
    return billed, lines


def _kept(given: QuoteInput, spans: list[Span]) -> tuple[list[Span], list[QuoteLine]]:
    """Take the guaranteed hours, which have a price of their own, out of the billed spans, and return the
    remaining spans and the lines for those hours. No bands, tiers, caps or discount apply to them."""
    lines = []
    for part in given.kept:
        start, end = minute_of(part.start), minute_of(part.end)
        inside = sum(max(0, min(s.end, end) - max(s.start, start)) for s in spans)
        spans = [
            replace(span, start=low, end=high)
            for span in spans
            for low, high in ((span.start, min(span.end, start)), (max(span.start, end), span.end))
            if low < high
        ]
        if inside:
            amount = proportion(part.price, inside, 60, given.card.currency)
            lines.append(
                QuoteLine("usage", amount, code=KEPT, minutes=inside, rate=part.price, multiplier=ONE)
            )
    return spans, lines


def _by_card(usage: Iterable[QuoteLine]) -> Decimal:
    """Return the amount of usage lines to which a discount applies: those without guaranteed hours."""
    return _sum(line for line in usage if line.code != KEPT)


def _options(given: QuoteInput, billed_minutes: int) -> list[QuoteLine]:
    """Return the option lines (step 4): the required ones of the mode, those asked for, those added on use;
    each in the card's order."""
    card, mode = given.card, given.service_mode
    hours = (Decimal(billed_minutes) / 60).quantize(ONE.scaleb(-BILLED_DECIMALS), rounding=ROUND_HALF_UP)
    required = [
        _option_line(option, hours if option.quantity is None else option.quantity, card.currency)
        for option in card.options_for(mode, REQUIRED)
    ]
    return required + [
        _option_line(option, asked[option.code], card.currency)
        for when, asked in ((OFFERED, given.options), (ON_USE, given.added))
        for option in card.options_for(mode, when)
        if asked.get(option.code)
    ]


def _option_line(option: Option, quantity: Decimal, currency: str) -> QuoteLine:
    amount = round_half_up(quantity * option.price, currency)
    return QuoteLine(
        "option",
        amount,
        code=option.code,
        quantity=quantity,
        price=option.price,
        name=option.name,
        name_zh=option.name_zh,
    )


def _agreement(given: QuoteInput, base: Decimal) -> list[QuoteLine]:
    percent = given.agreement_discount_percent
    if given.price_group != "partner" or not percent:
        return []
    amount = -percentage(percent, base, given.card.currency)
    return [QuoteLine("agreement", amount, percent=percent, base=base)]


def _bid(given: QuoteInput, lines: Iterable[QuoteLine]) -> list[QuoteLine]:
    """Return the line by which a bid is below the card: a part of everything but options and guaranteed
    hours, after the agreement."""
    percent = given.bid_discount_percent
    if not percent:
        return []
    base = _by_card(lines)
    return [QuoteLine("bid", -percentage(percent, base, given.card.currency), percent=percent, base=base)]


def _sum(lines: Iterable[QuoteLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


@dataclass(frozen=True)
class CancellationFee:
    """A cancellation fee: `percent` of the base, and the tax on that fee; both amounts at the minor unit.

    `reason` says why it is this much: the card's `terms`; `moved`: more than the terms, as it was moved late
    before; or nothing, as it was `never-confirmed`, is cancelled `by-host`, or on its person's
    `second-thoughts`, which are free until `free_until`. `under_minutes`: with at least this much notice
    another tier would apply; None if the card has no tiers or the one with the longest notice applies.
    """

    percent: Decimal
    fee: Decimal
    tax: Decimal
    reason: str = "terms"
    free_until: datetime | None = None
    under_minutes: int | None = None


FREE = CancellationFee(Decimal(0), Decimal(0), Decimal(0))


def cancellation_base(quote: Quote) -> Decimal:
    """Return the sum of all lines but options of the reserved period's quote."""
    with exact_arithmetic():
        return _sum(line for line in quote.lines if line.kind != "option")


def cancellation_terms(
    card: RateCardValues,
    *,
    base: Decimal,
    start: datetime,
    cancelled_at: datetime,
    minimum_percent: Decimal = Decimal(0),
) -> CancellationFee:
    """Return what cancelling at that moment costs (docs/fees.md, Cancelling and missing).

    `start` is the reserved start; both instants are aware and count to the second. A cancellation to which no
    tier applies costs nothing, as does a card without tiers: only what is written down is charged.
    `minimum_percent`: the percent that an earlier move has already made due. For a shortening give max(0, old
    base - new base) as the base.
    """
    notice = start.replace(microsecond=0) - cancelled_at.replace(microsecond=0)
    notice = max(notice, timedelta(0))
    percent, under = Decimal(0), None
    for tier in card.cancellation:  # the longest notice first
        if notice >= timedelta(minutes=tier.notice_minutes):
            percent = tier.percent
            break
        under = tier.notice_minutes
    if minimum_percent > percent:
        return replace(percent_fee(card, minimum_percent, base), reason="moved")
    return replace(percent_fee(card, percent, base), under_minutes=under)


def no_show_fee(card: RateCardValues, base: Decimal) -> CancellationFee:
    """Return what not coming costs: the card's no-show percent of the cancellation base, plus tax."""
    return percent_fee(card, card.no_show_percent, base)


def taxed_for(card: RateCardValues, price_group: str, *, is_reversed: bool = False) -> RateCardValues:
    """Return a card as it applies to a price group: in the group `internal`, payer and host are one legal
    person, so there is no tax; nor does the host charge any where the payer owes it (`is_reversed`:
    `domain/taxes.py`). This is the card that is frozen with a quote."""
    return replace(card, tax_percent=Decimal(0)) if price_group == "internal" or is_reversed else card


def percent_fee(card: RateCardValues, percent: Decimal, base: Decimal) -> CancellationFee:
    """Return `percent` % of a cancellation base, plus the card's tax on it."""
    fee = percentage(percent, base, card.currency)
    return CancellationFee(percent, fee, percentage(card.tax_percent, fee, card.currency))


def charge_input(
    quoted: QuoteInput,
    *,
    usage: tuple[datetime, datetime] | None,
    cut_at: datetime | None = None,
    added: Mapping[str, Decimal] = NOTHING_ADDED,
) -> QuoteInput | None:
    """Return the inputs from which the charge of a use is computed: those of the frozen quote, for the period
    that the card's `charge_basis` names, with `usage` (check-in, check-out) and the options that the host
    `added` at check-out.

    `cut_at`: the host closed the instrument at that moment. Then only the time of the period between check-in
    and that moment is charged, and never more than without the closure, or than all the time from check-in to
    that moment would cost by the card.

    None if the basis needs usage times and there are none: it cannot be charged yet.
    """
    match quoted.card.charge_basis, usage:
        case "reserved", _:
            start, end = quoted.start, quoted.end
        case _, None:
            return None
        case "used", (start, end):
            pass
        case _, (_, check_out):
            start, end = quoted.start, max(quoted.end, check_out)
    quoted = replace(quoted, added=added or quoted.added)
    whole = replace(quoted, start=start, end=end)
    if cut_at is None or usage is None:
        return whole
    check_in = usage[0]
    parts = (
        _cut_short(quoted, max(start, check_in), min(end, cut_at), cut_at),
        _cut_short(quoted, check_in, cut_at, cut_at),
    )
    # Tiers and caps count from the first minute of a period, so a part may cost more than the whole.
    return min(*parts, whole, key=lambda given: quote(given).total)


def _cut_short(quoted: QuoteInput, start: datetime, end: datetime, cut_at: datetime) -> QuoteInput:
    """Return the inputs for a part of a booked period, with the same share of its options and samples,
    rounded down to hundredths of an hour or whole pieces. What was added on use was used, and stays."""
    end = max(start, end)
    whole = quoted.end - quoted.start
    part = min((end - start) // MINUTE * MINUTE, whole)
    card = quoted.card
    decimals = {option.code: HOUR_DECIMALS if option.unit == "hour" else 0 for option in card.options}

    def share(quantity: Decimal, decimals: int) -> Decimal:
        with exact_arithmetic():
            exact = quantity * (part // MINUTE) / (whole // MINUTE or 1)
            return exact.quantize(ONE.scaleb(-decimals), rounding=ROUND_DOWN)

    return replace(
        quoted,
        start=start,
        end=end,
        cut_at=cut_at,
        options={code: share(quantity, decimals.get(code, 0)) for code, quantity in quoted.options.items()},
        card=replace(
            card,
            options=tuple(
                option
                if option.quantity is None
                else replace(option, quantity=share(option.quantity, decimals[option.code]))
                for option in card.options
            ),
        ),
        quantity=None if quoted.quantity is None else share(quoted.quantity, 0),
    )
