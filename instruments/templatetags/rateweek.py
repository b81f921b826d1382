"""Template tags that show the week of a rate card as a table and a legend."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.text import capfirst
from django.utils.translation import gettext

from instruments.opening.forms.opening import weekday_name
from instruments.rates.domain.doubts import Doubt
from instruments.rates.domain.ratecards import (
    OFFERED,
    ON_USE,
    PRICE_GROUPS,
    REQUIRED,
    Band,
    Option,
    RateCardValues,
)
from instruments.rates.domain.week import BandMinutes, Week
from instruments.rates.messages import PRICE_GROUP_LABELS, rate_name
from instruments.reading.domain.clock import clock
from instruments.register.models import Instrument

register = template.Library()


@register.filter
def week_table(week: Week, card: RateCardValues) -> dict[str, Any]:
    """Return `days`, the (short, long) names of the columns, and `rows`, each with its hour and cells."""
    days = [(str(WEEKDAYS_ABBR[day]), str(WEEKDAYS[day])) for day in range(7)]
    if week.holidays:
        days.append((gettext("hol."), gettext("public holiday")))
    rows = []
    for hour in range(24):
        cells = [_cell(week, card, parts, False) for parts in week.hours[hour]]
        if week.holidays:
            cells.append(_cell(week, card, week.holidays[hour], True))
        rows.append({"hour": clock(hour * 60), "cells": cells})
    return {"days": days, "rows": rows}


def _cell(
    week: Week, card: RateCardValues, parts: tuple[BandMinutes, ...], is_holiday: bool
) -> list[dict[str, Any]]:
    """Return the parts of one hour's cell; the `share` of each is proportional to its minutes."""
    cell = []
    for part in parts:
        band = None if part.band is None else card.bands[part.band]
        if band is None and is_holiday:
            name, text, level = gettext("as on the weekday"), "–", "weekday"
        else:
            name = _name(band)
            text = f"×{_number(band.multiplier if band else Decimal(1))}"
            level = _level(week.level(part.band))
        if len(parts) > 1:
            name = gettext("{name}, {minutes} min").format(name=name, minutes=part.minutes)
        share = max(1, round(part.minutes / 15))
        cell.append({"name": name, "text": text, "level": level, "share": share})
    return cell


def _level(level: int) -> str:
    return "even" if not level else f"{'low' if level < 0 else 'high'}-{abs(level)}"


def _name(band: Band | None) -> str:
    return gettext("plain rate") if band is None else rate_name(band)


@register.filter
def week_legend(week: Week, card: RateCardValues) -> list[dict[str, Any]]:
    """Return each band with its shade, its hours, and its hourly price for each price group, by way of
    working if the card has rates of each."""
    ways = [
        (gettext(", ").join(map(mode_label, row.modes)), row.rates)
        for row in card.usage
        if row.unit == "hour"
    ] or [("", card.rates)]
    bands: list[tuple[int | None, Band | None]] = [(None, None)]
    if card.rate_unit == "hour":
        bands += list(enumerate(card.bands))
    return [
        {
            "name": _name(band),
            "level": _level(week.level(index)),
            "multiplier": _number(band.multiplier if band else Decimal(1)),
            "when": band_when(band),
            "ways": [
                (way, [(group, _price(rates, group, band)) for group in PRICE_GROUPS if group in rates])
                for way, rates in ways
            ],
        }
        for index, band in bands
    ]


@register.filter
def mode_label(mode: str) -> str:
    """Return a way of working in words."""
    return str(Instrument.ServiceMode(mode).label)


@register.filter
def doubt_words(doubt: Doubt) -> str:
    """Return what is doubtful about a rate card in a sentence."""
    said = {
        "not-offered": gettext("It has a price for {mode}, which the instrument does not offer."),
        "not-priced": gettext("It has no price for {mode}, which the instrument offers."),
        "no-rate": gettext("It has no rate for {group} in {mode}, but has one in another way of working."),
        "for-all": gettext("{option} is part of every price in all ways of working, also of self-service."),
        "each-without-number": gettext(
            "{option} is part of every price and charged each, without a quantity: the billed hours count."
        ),
        "free-by-sample": gettext(
            "{option} is part of a price by the sample, without a quantity: it costs nothing."
        ),
    }[doubt.kind]
    return said.format(
        mode=mode_label(doubt.mode) if doubt.mode else "",
        group=PRICE_GROUP_LABELS.get(doubt.group, ""),
        option=capfirst(rate_name(doubt.option)) if doubt.option else "",
    )


@register.filter
def option_terms(option: Option, modes: Sequence[str]) -> str:
    """Return when an option is asked, and for which of the ways of working."""
    when = {
        OFFERED: gettext("if you ask for it"),
        REQUIRED: gettext("part of every price"),
        ON_USE: gettext("added at check-out"),
    }
    return gettext(", ").join([when[option.when], *map(mode_label, modes)])


@register.filter
def band_when(band: Band | None) -> str:
    """Return the days and hours of a band; None stands for all other times."""
    if band is None:
        return gettext("at all other times")
    days = [weekday_name(day) for day in band.weekdays]
    if len(days) == 7:
        days = [gettext("every day")]
    elif len(days) > 2 and band.weekdays[-1] - band.weekdays[0] == len(days) - 1:
        days = [f"{days[0]} – {days[-1]}"]
    if band.holidays:
        days.append(gettext("public holidays"))
    return f"{', '.join(days)} {clock(band.opens)}–{clock(band.closes)}"


def _price(rates: Mapping[str, Decimal], group: str, band: Band | None) -> Decimal:
    return rates[group] * (band.multiplier if band else Decimal(1))


def _number(value: Decimal) -> str:
    """Return a number without trailing zeros."""
    return f"{value.normalize():f}"
