"""Texts that explain the audit's rules to readers."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words


def rule_name(code: str) -> str:
    return str(AUDIT_RULES[code][0]) if code in AUDIT_RULES else code


# Rules of the audit: what each is called, and what it asks.
AUDIT_RULES = {
    "made-after-use": (
        _("Booked after use"),
        _("The booking was requested after its time, or its use, had already begun."),
    ),
    "used-without-booking": (
        _("Used without a booking"),
        _("Used without a valid booking, or for longer than was booked."),
    ),
    "booked-never-used": (
        _("Booked and never used"),
        _("Nobody came, or the times of use were never entered."),
    ),
    "over-open-hours": (
        _("Beyond opening hours"),
        _("On this day the instrument was used for longer than it was open."),
    ),
    "overrides": (_("Rules overridden"), _("A manager overrode booking rules for it.")),
    "internal-rate-outsider": (
        _("Internal rate for an outsider"),
        _("Priced as the host's own use, although the person or payer is outside the host."),
    ),
    "self-approval": (
        _("Self-approval"),
        _("The approver is the person who requested it, or for whom it was requested."),
    ),
    "voucher-near-cap": (_("Voucher near its cap"), _("One payer has used nearly all of its voucher grant.")),
    "related-parties": (
        _("Related parties"),
        _("Payer and host are different organisations, but somebody involved has a role in both."),
    ),
    "manual-correction": (
        _("Manual correction"),
        _("A charge, or times of use that had been recorded, were corrected by hand."),
    ),
    "other-than-card": (
        _("Rate differs from the rate card"),
        _("Computed again from its inputs, the charge differs from what was charged."),
    ),
    "stale-listing": (
        _("Stale listing"),
        _("This published record has not been changed or confirmed for a year."),
    ),
    "hours-far-from-norm": (
        _("Hours far from the norm"),
        _("Effective hours of the last year are far below, or above, the norm."),
    ),
    "books-not-trail": (
        _("Books differ from the trail"),
        _(
            "The books here differ from what the trail says was done: somebody may have changed "
            "the database outside the platform."
        ),
    ),
}


# Numbers behind an exception.
AUDIT_NUMBERS = {
    "minutes": _("minutes"),
    "state": _("state"),
    "rules": _("rules"),
    "why": _("outside the host"),
    "count": _("how many"),
    "people": _("people"),
    "open": _("minutes open"),
    "used": _("minutes used"),
    "day": _("day"),
    "percent": _("percent"),
    "amount": _("amount"),
    "currency": _("currency"),
    "before": _("before"),
    "after": _("after"),
    "was": _("was"),
    "fields": _("fields that differ"),
    "only": _("recorded only in"),
    "days": _("days"),
    "hours": _("hours"),
    "norm": _("norm hours"),
    "least": _("at least"),
    "most": _("at most"),
}


# Fields of bookings and charges that are held against the trail.
AUDIT_FIELDS = {
    "person": _("person"),
    "state": _("state"),
    "payer": _("payer"),
    "instrument": _("instrument"),
    "unit": _("unit"),
    "start": _("start"),
    "end": _("end"),
    "reservation": _("booking"),
    "kind": _("kind"),
    "currency": _("currency"),
    "total": _("total"),
    "payable": _("payable"),
    "month": _("month"),
    "charges": _("number of charges"),
    "paid": _("amount paid"),
}


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "exception-needs-finding": _("To confirm an exception, raise a finding from it."),
    "monetary-of-charges": _("Only charges can be sampled by amount."),
    "empty-population": _("There is nothing to sample on these days."),
    "bundles-waiting": _("{most} bundles are being written for you. Wait for one of them to finish."),
    "bundle-not-ready": _("The bundle is not ready yet, or is no longer kept."),
    "not-sealed": _("This entry is not sealed yet. The next seal, in a few minutes, will include it."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "exception.find": _("Exception detected"),
    "exception.review": _("Exception under review"),
    "exception.explained": _("Exception explained"),
    "exception.confirmed": _("Exception confirmed"),
    "auditrun.done": _("Audit rules run"),
    "finding.raise": _("Finding raised"),
    "finding.reply": _("Finding answered"),
    "finding.return": _("Answer to a finding sent back"),
    "finding.close": _("Finding closed"),
    "sample.draw": _("Sample drawn"),
    "user.bundle": _("Trail bundle exported"),
    "user.seals": _("Newest seal by mail turned on or off"),
}
