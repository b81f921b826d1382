"""Sentences of the refusals of *charging*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "was-cancelled": _("The booking was cancelled: it has no times of use."),
    "was-not-used": _("The booking was not used: only its fee can be waived."),
    "nothing-changes": _("This would not change the charge."),
    "nothing-changes-by-sample": _(
        "This would not change the charge: this rate card charges samples, not time."
    ),
    "nothing-changes-by-booking": _(
        "This would not change the charge: this rate card charges the reserved time, however "
        "much of it was used."
    ),
    "nothing-changes-booking-at-least": _(
        "This would not change the charge: this rate card charges at least the reserved time, "
        "and extra only for use after its end."
    ),
    "nothing-changes-same-times": _(
        "This would not change the charge: it was computed from these times already."
    ),
    "nothing-changes-same-length": _(
        "This would not change the charge: the duration and the rates are the same."
    ),
    "nothing-changes-minimum": ngettext_lazy(
        "This would not change the charge: this rate card charges at least {minutes} minute.",
        "This would not change the charge: this rate card charges at least {minutes} minutes.",
        "minutes",
    ),
    "nothing-changes-rounding": ngettext_lazy(
        "This would not change the charge: rounded up to {minutes} minute the time is the same.",
        "This would not change the charge: rounded up to {minutes} minutes the time is the same.",
        "minutes",
    ),
    "both-times": _("Enter both when it began and when it ended."),
    "own-charge": _("You cannot decide on a charge of your own booking."),
    "own-dispute": _("Somebody else has to answer the dispute that you opened."),
    "own-correction": _("A second approver must agree to the correction or refuse it."),
    "not-your-proposal": _("Only the person who proposed it can withdraw it."),
    "correction-proposed": _("A correction of this charge is waiting for a second approver."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "charge.create": _("Charged"),
    "charge.final": _("The charge is final"),
    "charge.dispute": _("Charge disputed"),
    "charge.dispute-withdraw": _("Dispute withdrawn"),
    "charge.dispute-reject": _("Dispute rejected"),
    "charge.correct-propose": _("Correction proposed"),
    "charge.correct-refuse": _("Correction refused"),
    "charge.correct-withdraw": _("Correction withdrawn"),
    "charge.reverse": _("Correction agreed: charge reversed"),
}
