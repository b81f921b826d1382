"""Sentences of the refusals of *pricing*, and of the reasons why a booking is left out of a comparison."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from bookings.record.messages import sentence

REFUSALS: dict[str, Sentence] = {
    "priced-per-sample": _("This instrument is priced per sample: choose “samples sent in”."),
    "end-before-start": _("The end must not be before the start."),
    "unknown-option": _("The rate card has no such option."),
    "option-not-for-mode": _("This option does not belong to this way of working."),
    "option-required": _("This option is part of the price: it cannot be asked for again or left out."),
    "option-added-on-use": _("This option is added at check-out, by the owner of the instrument."),
    "option-asked-before": _("This option is asked for with the booking: it cannot be added at check-out."),
    "hours-beyond-use": _("These are too many hours for this use: at most {hours} h."),
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
    "mode-not-priced": _("in a way of working that this version has no price for."),
    "option-not-for-mode": _("with an option that this version does not have for their way of working."),
    "option-required": _("with an option that is part of this version’s price."),
    "option-added-on-use": _("with an option that this version adds at check-out."),
    "required": _("without a number of samples, which this version asks for."),
    "inputs-unreadable": _("whose stored inputs cannot be read."),
    "no-usage-times": _("without times of use, which this version charges by."),
}


def left_out(code: str, currency: str) -> str:
    """Return why bookings were not compared with a card in a currency."""
    words = LEFT_OUT.get(code)
    return str(words).format(currency=currency) if words else sentence(code)
