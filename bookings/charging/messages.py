"""Sentences of the refusals of *charging*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "was-cancelled": _("The booking was cancelled: it has no times of use."),
    "was-not-used": _("The booking was not used: only its fee can be waived."),
    "was-a-course": _("This is the charge of a course: you can only waive a part of it, or all."),
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
    "voucher-by-host": _(
        "This correction changes what a voucher pays: a second manager or finance officer of the host has to "
        "agree to it, not the payer."
    ),
    "not-your-proposal": _("Only the person who proposed it can withdraw it."),
    "times-only-if-there": _("Times of use are given only if the person was there."),
    "own-no-show": _("Another manager has to remove the no-show of your own booking."),
    "no-show-struck": _("The no-show of this booking has already been removed."),
    "no-show-disputed": _(
        "The payer disputes its charge. Answer the dispute on the page of the charge: with the times of use, "
        "or with a waiver of 100 %, after which the no-show can be removed here."
    ),
    "no-show-on-statement": _(
        "Its charge is on a statement. Correct the charge on its page: with the times of use, or with a "
        "waiver of 100 %, after which the no-show can be removed here."
    ),
    "no-show-final": _(
        "Its charge is final. Correct the charge on its page: with the times of use, or with a waiver of "
        "100 %, after which the no-show can be removed here."
    ),
    "no-show-past": _("A no-show without a charge can be removed for {days} days only; they are over."),
    "no-show-waived": _(
        "The charge of this booking was taken back, so its use is not charged either. Remove the no-show "
        "without times of use, for another reason."
    ),
    "struck-without-use": _(
        "The owner has removed the no-show of this booking without times of use. It costs nothing, and no "
        "times of use can be entered."
    ),
    "result-disputed": _(
        "The payer disputes the charge of this place: answer the dispute on the page of the charge. "
        "After a waiver of 100 % the result can be changed here."
    ),
    "result-final": _(
        "The charge of this place is final: propose a waiver of 100 % on its page, after which the result "
        "can be changed here."
    ),
    "result-too-late": _(
        "The session ended more than {days} days ago: a place with a price is no longer charged. "
        "Issue a certificate to the person instead."
    ),
    "correction-proposed": _("A correction of this charge is waiting for a second approver."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "charge.create": _("Charged"),
    "charge.final": _("The charge is final"),
    "charge.check": _("Ticked as checked"),
    "charge.uncheck": _("Tick of checking taken back"),
    "charge.recode": _("Charged to other funding sources"),
    "charge.dispute": _("Charge disputed"),
    "charge.dispute-withdraw": _("Dispute withdrawn"),
    "charge.dispute-reject": _("Dispute rejected"),
    "charge.correct-propose": _("Correction proposed"),
    "charge.correct-refuse": _("Correction refused"),
    "charge.correct-withdraw": _("Correction withdrawn"),
    "charge.reverse": _("Charge reversed"),
    "reservation.strike-no-show": _("No-show removed"),
}
