"""Sentences of the refusals, names of the acts and other words of *rates*."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from accounts.letters.words import is_chinese

# The labels of price groups everywhere: pages, forms, letters, files, the API.
PRICE_GROUP_LABELS = {
    "internal": _("the owner's own people"),
    "regional": _("organisations of the same region"),
    "partner": _("organisations of partner regions"),
    "external": _("organisations of other regions"),
    "industry": _("enterprises"),
}

# The names of bands and options that many cards have; a card knows them by their code alone.
CODE_LABELS = {
    "night": _("night"),
    "evening": _("evening"),
    "weekend": _("weekend"),
    "holiday": _("public holiday"),
    "operator": _("operator"),
    "consumables": _("consumables"),
    "nitrogen": _("nitrogen"),
    "helium": _("helium"),
    "coating": _("coating"),
    "grid": _("grid"),
    "resist": _("resist"),
    "argon-cluster": _("argon cluster"),
}


def code_words(code: str) -> str:
    """Return the code of a band or an option in words: `night` by its name, others without hyphens."""
    return str(CODE_LABELS.get(code) or code.replace("-", " ").replace("_", " "))


def rate_name(named: Any) -> str:
    """Return the name of a band, an option or a line of a quote (a value, its JSON, or its code alone) in the
    reader's language; where the card names none, its code in words."""
    if isinstance(named, str):
        return code_words(named)
    told = named if isinstance(named, Mapping) else vars(named)
    name, name_zh = str(told.get("name", "")), str(told.get("name_zh", ""))
    return ((name_zh or name) if is_chinese() else (name or name_zh)) or code_words(
        str(told.get("code") or "")
    )


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "unknown-price-group": _("There is no such price group."),
    "rates-or-usage": _("A card has either one rate for all ways of working or rates by way of working."),
    "mode-repeated": _("This way of working is listed twice."),
    "samples-are-sent-in": _("Only the way of working “samples sent in” can be charged by the sample."),
    "only-of-required": _("Only an option that is part of the price has a quantity here."),
    "first-not-zero": _("The first tier must begin at 0 minutes."),
    "not-increasing": _("Each tier must begin after the one before it."),
    "overlaps-version": _("Version {version} is in force on some of these days."),
    "leaves-gap": _(
        "There would be days without a price between this and version {version}, up to or from "
        "{day}. Choose dates that leave no gap."
    ),
    "version-used": _(
        "Bookings use version {version}: another version can replace it on {day} at the earliest."
    ),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "ratecard.create": _("Rate card drafted"),
    "ratecard.update": _("Rate card draft changed"),
    "ratecard.delete": _("Rate card draft deleted"),
    "ratecard.publish": _("Rate card put in force"),
}
