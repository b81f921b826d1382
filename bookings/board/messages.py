"""Sentences of the refusals of *board*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "already-an-enquiry": _("This need has already been sent as an enquiry."),
    "enquiry-closed": _("This enquiry is closed."),
    "already-bid": _("You have already bid with this instrument: change or withdraw that bid."),
    "bid-gone": _("This bid, or this time in it, is no longer available."),
    "bids-changed": _("A bid has just arrived or changed: check again."),
    "outside-window": _("The time is outside the requested period."),
    "not-for-who-asks": _("Who asks cannot book this time; why is confidential until the award."),
    "out-of-range-times": _("Choose one or two."),
    "times-overlap": _("The two times overlap."),
    "alarm-cleared": _("This alarm has already been cleared."),
    "alarm-due-date": _("Choose a day after today, within {days} days."),
    "threshold-entered-already": _("A threshold is already entered for this day."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "enquiry.make": _("Enquiry sent"),
    "enquiry.award": _("Enquiry awarded"),
    "enquiry.fulfil": _("Enquiry fulfilled"),
    "enquiry.close": _("Enquiry closed as unmet"),
    "enquiry.withdraw": _("Enquiry withdrawn"),
    "enquiry.put-aside": _("Enquiry put aside by a host"),
    "enquiry.take-back": _("Enquiry taken back by a host"),
    "bid.make": _("Bid submitted"),
    "bid.amend": _("Bid amended"),
    "bid.withdraw": _("Bid withdrawn"),
    "bid.accept": _("Bid accepted"),
    "bid.decline": _("Bid declined"),
    "bid.lapse": _("Bid lapsed"),
    "alarm.raise": _("Alarm raised"),
    "alarm.clear": _("Alarm cleared"),
    "alarm.rise": _("Alarm passed on to the region"),
    "alarm.reopen": _("Alarm reopened"),
    "alarm.answer": _("Alarm answered"),
    "threshold.add": _("Threshold entered"),
}
