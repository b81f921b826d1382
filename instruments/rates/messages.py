"""Sentences of the refusals, names of the acts and other words of *rates*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

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
