"""Sentences of the refusals of *availability*, and the names of its rules."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "longer-than-window": _("The window is too short for this, or too little of it is left."),
    "reservations-in-the-way": ngettext_lazy(
        "There is {count} booking during this time.", "There are {count} bookings during this time.", "count"
    ),
    "not-published": _("The instrument cannot be booked at present."),
    "audience-not-served": _("The instrument has no price for the payer’s price group on that day."),
    "mode-not-priced": _("This way of working has no price: choose another one."),
    "too-soon": ngettext_lazy(
        "It must be booked at least {notice_minutes} minute ahead.",
        "It must be booked at least {notice_minutes} minutes ahead.",
        "notice_minutes",
    ),
    "begun": _("This time has begun already, or is in the past."),
    "too-far": ngettext_lazy(
        "It can be booked at most {horizon_days} day ahead.",
        "It can be booked at most {horizon_days} days ahead.",
        "horizon_days",
    ),
    "too-far-now": ngettext_lazy(
        "It can be booked at most {horizon_days} day ahead, at present until {latest}.",
        "It can be booked at most {horizon_days} days ahead, at present until {latest}.",
        "horizon_days",
    ),
    "off-grid": ngettext_lazy(
        "Start and length must fit the steps of {slot_minutes} minute.",
        "Start and length must fit the steps of {slot_minutes} minutes.",
        "slot_minutes",
    ),
    "too-short": ngettext_lazy(
        "The shortest booking is {min_minutes} minute.",
        "The shortest booking is {min_minutes} minutes.",
        "min_minutes",
    ),
    "too-long-booking": ngettext_lazy(
        "The longest booking is {max_minutes} minute.",
        "The longest booking is {max_minutes} minutes.",
        "max_minutes",
    ),
    "outside-opening-hours": _("The instrument is not open for all of this time."),
    "instrument-closed": _("The instrument is closed at this time."),
    "slot-taken": _("This time is taken."),
    "house-rules-not-accepted": _(
        "The house rules of this instrument (version {version}) must be accepted first."
    ),
    "hours-for-certified": _(
        "From {opens} to {closes} it is only for holders of a certificate, which the person does "
        "not hold for this time."
    ),
    "hours-for-organisation": _(
        "From {opens} to {closes} it is only for the host organisation’s own people."
    ),
    "hours-for-region": _("From {opens} to {closes} it is only for organisations of its region."),
    "qualification-missing": _("Operating it alone requires a certificate, which the person does not have."),
    "qualification-expires": _("The person's certificate expires before the booking ends."),
    "user-quota": _(
        "One person may book at most {limit} {what} here; with this booking it would be {total}."
    ),
    "organisation-quota": _(
        "One organisation may book at most {limit} {what} here; with this booking it would be {total}."
    ),
    "group-quota": _(
        "The payer’s price group may book at most {limit} {what} here; with this booking it would be {total}."
    ),
    "hazard-not-accepted": _(
        "The instrument does not accept this hazard: {hazard} (sample {sample}, {name})."
    ),
    "kept-for-other-regions": ngettext_lazy(
        "{percent} % of each week is kept for other regions: of this week, organisations of this "
        "region may book {limit} hour, and with this booking it would be {total}.",
        "{percent} % of each week is kept for other regions: of this week, organisations of this "
        "region may book {limit} hours, and with this booking it would be {total}.",
        "limit",
    ),
    "kept-for-holder": _(
        "Hours are guaranteed to others: {kept} h of that time, of which {free} h would be left free."
    ),
    "kept-already": _("This organisation already has guaranteed hours in that time."),
    "kept-ended": _("These hours are no longer guaranteed."),
    "more-than-fits": _("Too many hours, given what is already booked and guaranteed: at most {hours} h."),
    "no-rate-by-the-hour": _("On that day the instrument has no price by the hour."),
    "whole-minutes": _("This must be a whole minute."),
    "no-policy": _("The instrument has no booking policy yet."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "kept-hours.grant": _("Hours guaranteed"),
    "kept-hours.change": _("Guaranteed hours changed"),
    "kept-hours.end": _("Guaranteed hours ended"),
}

# The rules by name, without numbers: those set aside, and those a booking would break.
RULES = {
    "too-soon": _("notice"),
    "too-far": _("how far ahead"),
    "off-grid": _("time steps"),
    "too-short": _("shortest length"),
    "too-long": _("longest length"),
    "outside-opening-hours": _("opening hours"),
    "qualification-missing": _("certificate"),
    "qualification-expires": _("certificate to the end"),
    "user-quota": _("quota of a person"),
    "organisation-quota": _("quota of an organisation"),
    "group-quota": _("quota of a price group"),
    "kept-for-other-regions": _("share kept for other regions"),
    "kept-for-holder": _("hours guaranteed to others"),
    "hazard-not-accepted": _("hazards of samples"),
}
# How else a request can fail; for figures that count what was refused.
_OTHERWISE = {
    "slot-taken": _("something else had the time"),
    "instrument-closed": _("closed at the time"),
    "rejected": _("rejected by the host"),
    "expired": _("left unanswered"),
    "displaced": _("displaced"),
    "audience-not-served": _("no price for this group"),
    "not-permitted": _("not permitted"),
    "mode-not-priced": _("no price for this way of working"),
}


def refused_by(code: str) -> str:
    """Return the words for a code by which a request was refused; the code itself where it has none."""
    return str(_OTHERWISE.get(code) or RULES.get(code) or code)
