"""Sentences of the refusals of *pricing*, and of the reasons why a booking is left out of a comparison."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from bookings.record.messages import sentence

REFUSALS: dict[str, Sentence] = {
    "priced-per-sample": _("This instrument is priced per sample: choose “samples sent in”."),
    "end-before-start": _("The end must not be before the start."),
    "unknown-option": _("The rate card has no such option."),
    "in-the-future": _("This is in the future."),
    "not-near-the-booking": _(
        "This is too far from the booking: use begins at most 15 minutes before it and before "
        "its end, and ends at most 12 hours after it."
    ),
    "too-few": _("There are too few: at least {least}."),
    "agreed-already": _(
        "Exactly these regions already have an agreement in force on some of these days: "
        "{codes}. End it first, or choose other days."
    ),
    "not-a-member-region": _("This region is not a member of the agreement."),
    "ends-before-that": _("It already ends on {day}: choose an earlier day."),
    "signed-already": _("Your region has already signed this."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "agreement.propose": _("Agreement proposed"),
    "agreement.change": _("Proposal changed"),
    "agreement.sign": _("Agreement signed"),
    "agreement.end": _("Agreement ended"),
    "agreement.withdraw": _("Proposal withdrawn"),
}

# Why a booking is left out of a comparison of rate cards (bookings/pricing/domain/what_if.py).
LEFT_OUT = {
    "another-currency": _("charged in a currency other than {currency}; nothing is converted."),
    "audience-not-served": _("of a price group that this version has no rate for."),
    "unknown-option": _("with an option that this version does not have."),
    "priced-per-sample": _("by the hour, while this version is by the sample."),
    "required": _("without a number of samples, which this version asks for."),
    "inputs-unreadable": _("whose stored inputs cannot be read."),
    "no-usage-times": _("without times of use, which this version charges by."),
}


def left_out(code: str, currency: str) -> str:
    """Return why bookings were not compared with a card in a currency."""
    words = LEFT_OUT.get(code)
    return str(words).format(currency=currency) if words else sentence(code)
