"""The rows of a rate card: bands, tiers, options and steps of cancelling."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from instruments.domain.opening import clock
from instruments.domain.ratecards import RateCardValues
from instruments.forms.fields import HoursField, WallClockField

# kind of row -> list on the card, least rows
LISTS = {
    "band": ("bands", 4),
    "tier": ("tiers", 3),
    "option": ("options", 4),
    "step": ("cancellation", 4),
}
# field of a card's list -> the name of ours that shows it
NAMES = {"after_minutes": "after", "notice_minutes": "notice", "holidays": "weekdays"}
HOLIDAYS = "holidays"


def decimal_field(label: Any, *, most: int = 10**9, places: int = 4) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_value=most,
        decimal_places=places,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )


def _band_fields() -> dict[str, forms.Field]:
    days = [(str(day), WEEKDAYS_ABBR[day - 1]) for day in range(1, 8)]
    return {
        "code": forms.CharField(label=_("Name"), required=False, max_length=50),
        "weekdays": forms.MultipleChoiceField(
            label=_("Days"),
            required=False,
            choices=[*days, (HOLIDAYS, _("public holidays"))],
            widget=forms.CheckboxSelectMultiple,
        ),
        "opens": WallClockField(label=_("From")),
        "closes": WallClockField(label=_("To")),
        "multiplier": decimal_field(_("Rate ×"), most=1000),
    }


def _tier_fields() -> dict[str, forms.Field]:
    return {
        "after": HoursField(label=_("After hours")),
        "multiplier": decimal_field(_("Rate ×"), most=1000),
    }


def _option_fields() -> dict[str, forms.Field]:
    return {
        "code": forms.CharField(label=_("Name"), required=False, max_length=50),
        "unit": forms.ChoiceField(
            label=_("Charged"),
            required=False,
            choices=[("hour", _("by the hour")), ("each", _("each"))],
        ),
        "price": decimal_field(_("Price")),
        "subsidised": forms.BooleanField(label=_("vouchers cover it"), required=False),
    }


def _step_fields() -> dict[str, forms.Field]:
    return {
        "notice": HoursField(label=_("Hours ahead")),
        "percent": decimal_field(_("Costs percent"), most=100),
    }


ROWS = {
    "band": _band_fields,
    "tier": _tier_fields,
    "option": _option_fields,
    "step": _step_fields,
}
NEEDED: dict[str, Sequence[str]] = {
    "band": ("code", "weekdays", "opens", "closes", "multiplier"),
    "tier": ("after", "multiplier"),
    "option": ("code", "price"),
    "step": ("notice", "percent"),
}
SILENT = {"unit", "subsidised"}  # these alone do not make a row
AS_JSON: dict[str, Any] = {
    "band": lambda row: {
        "code": _code(row["code"]),
        "weekdays": [int(day) for day in row["weekdays"] if day != HOLIDAYS],
        "holidays": HOLIDAYS in row["weekdays"],
        "opens": row["opens"],
        "closes": row["closes"],
        "multiplier": decimal_text(row["multiplier"]),
    },
    "tier": lambda row: {
        "after_minutes": row["after"],
        "multiplier": decimal_text(row["multiplier"]),
    },
    "option": lambda row: {
        "code": _code(row["code"]),
        "unit": row["unit"] or "hour",
        "price": decimal_text(row["price"]),
        "subsidised": bool(row["subsidised"]),
    },
    "step": lambda row: {"notice_minutes": row["notice"], "percent": decimal_text(row["percent"])},
}


def rows_of(card: RateCardValues) -> dict[str, dict[str, Any]]:
    """The lists of a card as rows of the form: `band_0` and so on."""
    told: dict[str, dict[str, Any]] = {}
    for n, band in enumerate(card.bands):
        days = [str(day) for day in band.weekdays] + ([HOLIDAYS] if band.holidays else [])
        told[f"band_{n}"] = {
            "code": band.code,
            "weekdays": days,
            "opens": clock(band.opens),
            "closes": clock(band.closes),
            "multiplier": band.multiplier,
        }
    tiers = card.tiers
    if tiers and tiers[0].multiplier == 1:
        tiers = tiers[1:]  # the form adds it again
    for n, tier in enumerate(tiers):
        told[f"tier_{n}"] = {"after": _hours(tier.after_minutes), "multiplier": tier.multiplier}
    for n, option in enumerate(card.options):
        told[f"option_{n}"] = {
            "code": option.code,
            "unit": option.unit,
            "price": option.price,
            "subsidised": option.subsidised,
        }
    for n, step in enumerate(card.cancellation):
        told[f"step_{n}"] = {"notice": _hours(step.notice_minutes), "percent": step.percent}
    return told


def _hours(minutes: int) -> str:
    return f"{(Decimal(minutes) / 60).normalize():f}"


def is_told(value: Any) -> bool:
    return not (value is None or value is False or value in ("", []))


def _code(text: str) -> str:
    """A short name for programs: spaces become dashes."""
    return re.sub(r"\s+", "-", text.strip())


def decimal_text(value: Decimal | None, empty: str = "0") -> str:
    return empty if value is None else f"{value:f}"
