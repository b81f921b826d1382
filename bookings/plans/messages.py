"""Sentences of the refusals of *plans*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    "gap-backwards": ngettext_lazy(
        "The longest pause must not be shorter than the shortest, {least} minute.",
        "The longest pause must not be shorter than the shortest, {least} minutes.",
        "least",
    ),
    "not-one-each": _("There must be one for each of the {steps} steps."),
    "only-with-equivalents": _("Regions apply only if you accept equivalent instruments."),
    "old-workbook": _(
        "This workbook is in an old format or protected by a password. Save it as .xlsx without a password,"
        " or as CSV."
    ),
    "column-twice": _("The columns {first} and {column} mean the same: keep one of them."),
    "column-missing": _("The file lacks a column: {columns}."),
    "no-rows": _("The file has no rows."),
    "not-base64": _("This must be the content of the file in base64."),
    "not-a-moment": _(
        "This must be a date and a time, year first, such as 2026-03-09 09:00, with or without an"
        " offset such as +08:00."
    ),
    "time-skipped": _(
        "This time does not exist in {zone}, because the clocks go forward. Correct it, or add "
        "the offset from UTC."
    ),
    "time-twice": _("This time occurs twice in {zone}, because the clocks go back. Add the offset from UTC."),
    "unknown-instrument": _(
        "You can see no instrument with exactly this ID, identifier, number or name. Write it as "
        "in the catalogue."
    ),
    "several-instruments": _("{count} instruments have this name: use the ID."),
    "not-an-option": _("Options are written code=2; code=1. Not understood: {part}"),
    "not-for-others": _(
        "With this payer you may not book for other people. Leave this empty for your own bookings."
    ),
    "not-for-yourself": _(
        "Booking for yourself with this payer requires the researcher role. Name the person you book for."
    ),
    "reference-repeated": _("Row {first} already has this reference."),
    "imported-otherwise": _(
        "A row with this reference was already imported with a different instrument, time or "
        "person. Change that booking on its page, or give this row a different reference."
    ),
    "rows-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused, so nothing was booked.",
        "{refused} of {rows} rows are refused, so nothing was booked.",
        "refused",
    ),
    "already-waiting": _("You are already on the waiting list for this."),
    "too-many-wishes": _("You already have {most} waiting-list entries: leave one of them first."),
    "no-chain": _("The steps do not all fit into this time. Choose a longer window."),
    "chain-over": _("This chain has nothing left to cancel."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "waiting.create": _("Put on the waiting list"),
    "waiting.offer": _("A slot was offered"),
    "waiting.fulfilled": _("Waiting-list entry ended: slot taken"),
    "waiting.withdrawn": _("Taken off the waiting list"),
    "waiting.expired": _("Waiting-list entry ended without a slot"),
    "bookings.import": _("Bookings imported from a file"),
    "chain.create": _("Chain booked"),
    "chain.cancel": _("Chain cancelled"),
}
