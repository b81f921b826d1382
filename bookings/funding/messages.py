"""Sentences of the refusals of *funding*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "limit-or-none": _("Enter an amount, or tick “No limit”, not both."),
    "not-one-of-theirs": _("{organisation} has no active member of this name."),
    "not-a-whole": _("The percentages must add up to 100."),
    "unknown-source": _("There is no such funding source, or you may not charge it."),
    "may-not-charge": _("Not all of these people may charge the source: name them there first."),
    "budget-below-use": _("{used} {currency} are already reserved or spent: the budget cannot be less."),
    "currency-in-use": _("It has already been charged, so its currency cannot change."),
    "below-granted": _("{amount} {currency} have already been granted."),
    "below-used": _("{amount} {currency} of it are already reserved or spent."),
    "programme-short": _("The programme has only {amount} {currency} left to grant."),
    "outside-programme": _("This is outside the dates of the programme."),
    "granted-already": _("This can no longer change because grants have been made."),
    "not-of-the-region": _("This organisation does not belong to the region of the programme."),
    "kind-not-served": _("The programme is not for organisations of this kind."),
    "funding-short": _(
        "The funding source {source} has {left} {currency} left; {needed} {currency} are needed."
    ),
    "source-suspended": _("The funding source {source} is suspended."),
    "source-not-valid": _("The funding source {source} is not valid on the day of the booking."),
    "no-exchange-rate": _("Your finance office has entered no exchange rate from {base} to {quote} yet."),
    "funding-blocked": _(
        "The payer's funding source does not allow it: it is suspended, not valid on that day, "
        "or has too little left."
    ),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "source.create": _("Funding source created"),
    "source.update": _("Funding source changed"),
    "source.suspend": _("Funding source suspended"),
    "source.resume": _("Funding source resumed"),
    "enrolment.fund": _("Funding source of a place in a course chosen"),
    "source.default": _("Default of people changed"),
    "source.default-own": _("Own default changed"),
    "programme.create": _("Voucher programme started"),
    "programme.change": _("Voucher programme changed"),
    "programme.suspend": _("Voucher programme suspended"),
    "programme.resume": _("Voucher programme resumed"),
    "grant.create": _("Voucher granted"),
    "grant.change": _("Grant changed"),
    "grant.suspend": _("Grant suspended"),
    "grant.resume": _("Grant resumed"),
}
