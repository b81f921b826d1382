"""Sentences of the refusals of *privacy*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "booking-under-way": _("A booking of yours is under way: check out first."),
    "charges-not-final": _(
        "Charges of your bookings that are not final yet: {count}. Your organisation may still "
        "have to ask you about them. A charge is final after seven days, a disputed one when it "
        "is answered."
    ),
    "period-entered-already": _("A period is entered for these records and this day already."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "user.export": _("Own data exported"),
    "holdingperiod.add": _("Holding period entered"),
}
