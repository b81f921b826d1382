"""Sentences of the refusals of *usage*, and the marks of a session."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "later-than-before": _("A closure can only be ended earlier than planned."),
    "closed-already": _("Some of this time is closed already."),
    "closed-for-session": _("It is closed for a course session: move or cancel the session instead."),
    "charged-already": _("It has already been charged. Correct the charge on its page."),
    "too-early": _("Checking in is possible from 15 minutes before the start."),
    "too-late": _("The booking has ended."),
    "nothing-rated": _("Nobody has rated this session or made remarks."),
    "not-used": _("Only a session that took place can be rated."),
    "accept-yourself": _("Accept the house rules yourself."),
    "rated-for-another": _("Only the person whose session it was can rate it."),
    "too-many-faults": _("You have reached the limit of {most} fault reports a day. Call the owner."),
    "fault-decided": _("This report has already been decided."),
    "fault-not-confirmed": _("Confirm the fault first."),
    "wrong-code": _("This code is wrong, already used, or expired."),
    "too-many-codes": _("Too many wrong codes: wait ten minutes, or use your telephone."),
    "too-many-kiosks": _(
        "This organisation has reached its limit of kiosks ({most}): revoke one that is not in use."
    ),
    "kiosk-revoked": _("This kiosk is revoked: create another."),
    "still-in-use": _(
        "It is still in use or closed, and no other unit is free: check in from {time} on ({zone})."
    ),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "reservation.reseat": _("Moved to another unit"),
    "reservation.cut_short": _("Cut short by a closure"),
    "reservation.rate": _("Session rated"),
    "reservation.answer-rating": _("Rating answered"),
    "reservation.usage": _("Times of use set"),
    "closure.create": _("Closure entered"),
    "closure.end": _("Closure ended"),
    "closure.delete": _("Closure withdrawn"),
    "fault.report": _("Fault reported"),
    "fault.join": _("Fault reported by somebody else, too"),
    "fault.confirm": _("Fault confirmed"),
    "fault.dismiss": _("Fault dismissed"),
    "fault.assign": _("Fault assigned"),
    "fault.repair": _("Fault repaired"),
    "checkincode.make": _("Code for a kiosk created"),
    "kiosk.create": _("Kiosk created"),
    "kiosk.pair": _("Code for pairing a tablet created"),
    "kiosk.enrol": _("Kiosk enrolled"),
    "kiosk.revoke": _("Kiosk revoked"),
    "kiosk.check_in": _("Checked in at a kiosk"),
}

# The other aspects for which a session is rated, and the marks.
MARK_LABELS = {
    "usable": _("Result usable"),
    "support": _("Support"),
    "on_time": _("On time"),
    "price_as_quoted": _("Price as quoted"),
}

MARKS = {
    5: _("5 of 5, fully"),
    4: _("4 of 5, mostly"),
    3: _("3 of 5, partly"),
    2: _("2 of 5, hardly"),
    1: _("1 of 5, not at all"),
}
