"""Sentences of the refusals of *reserving*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "another-currency": _(
        "Prices on that day are in a different currency from the fee charged for shortening."
    ),
    "another-booking": _("The held slot belongs to another booking."),
    "for-whom-needed": _("A service account books for a person: name one in on_behalf_of."),
    "in-use": _("The instrument is in use: only the end can change."),
    "own-override": _("You cannot override rules for yourself: another manager has to."),
    "too-many-holds": _("You already hold {most} slots: complete or release one of them first."),
    "hold-expired": _("The hold on this slot has expired."),
    "price-changed": _(
        "The price has changed: you would now pay {currency} {amount}. Nothing has been booked."
    ),
    "chain-order": _("The steps of the chain would no longer follow each other as they must."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "reservation.move": _("Moved to another time"),
    "reservation.extend": _("Made longer"),
    "reservation.shorten": _("Made shorter"),
}
