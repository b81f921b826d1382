"""Sentences of the refusals of *organisations*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "repeated-in-line": _("Line {line} has this code already."),
    "lies-elsewhere": _(
        "The organisation belongs to {region}. Use its own page to move it to another region."
    ),
    "register-rows-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused, so nothing was changed.",
        "{refused} of {rows} rows are refused, so nothing was changed.",
        "refused",
    ),
    "kept-for-both": _("Both have guaranteed hours on an instrument at the same time: end one first."),
    "same-organisation": _("An organisation cannot be merged into itself."),
    "organisation-busy": _("The organisation is in use at the moment. Try again shortly."),
    "bookings-ahead": ngettext_lazy(
        "{count} booking is not over yet: move or cancel it first.",
        "{count} bookings are not over yet: move or cancel them first.",
        "count",
    ),
    "instruments-published": ngettext_lazy(
        "{count} instrument is still published: retire it first.",
        "{count} instruments are still published: retire them first.",
        "count",
    ),
    "charges-to-make": ngettext_lazy(
        "{count} past booking is still to be charged.",
        "{count} past bookings are still to be charged.",
        "count",
    ),
    "places-to-settle": ngettext_lazy(
        "{count} place in a course is still to be attended and charged.",
        "{count} places in courses are still to be attended and charged.",
        "count",
    ),
    "charges-not-drawn": ngettext_lazy(
        "{count} charge is not on a statement yet.", "{count} charges are not on a statement yet.", "count"
    ),
    "charges-open": ngettext_lazy(
        "{count} charge is not final yet.", "{count} charges are not final yet.", "count"
    ),
    "statements-unpaid": ngettext_lazy(
        "{count} statement is not paid yet.", "{count} statements are not paid yet.", "count"
    ),
    "credit-left": ngettext_lazy(
        "A credit kept of {count} payer is left: use it on a statement or pay it out first.",
        "Credits kept of {count} payers are left: use them on statements or pay them out first.",
        "count",
    ),
    "transactions-waiting": ngettext_lazy(
        "{count} bank transaction is still to be matched or set aside.",
        "{count} bank transactions are still to be matched or set aside.",
        "count",
    ),
    "unreadable-file": _("The file cannot be read: {why}."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "reservation.merged": _("Transferred with a merged organisation"),
    "source.transfer": _("Remaining money transferred to a merged organisation"),
    "source.receive": _("Remaining money received from a merged organisation"),
    "grant.transfer": _("Remaining grant transferred to a merged organisation"),
    "grant.receive": _("Remaining grant received from a merged organisation"),
    "instrument.host": _("Transferred to another host"),
    "organisation.merge": _("Merged into another organisation"),
    "organisation.close": _("Organisation closed"),
}
