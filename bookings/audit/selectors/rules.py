"""The names of the rules of the audit."""

from django.utils.translation import gettext_lazy as _

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


def rule_name(code: str) -> str:
    """Return what a rule is called; its code if it is not known any more."""
    return str(AUDIT_RULES[code][0]) if code in AUDIT_RULES else code
