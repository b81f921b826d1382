"""Sentences of the refusals and names of the acts of *managing*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "still-booked": _("The record has bookings that are not over ({count}). Move or cancel them first."),
    "same-record": _("Choose two different records."),
    "retired-already": _("One of the two records is already retired."),
    "number-taken": _("Another instrument of yours has this inventory number."),
    "record-incomplete": _("The record is not complete yet. Missing: {missing}."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "instrument.create": _("Instrument entered"),
    "instrument.copy": _("Instrument copied"),
    "instrument.update": _("Instrument record changed"),
    "instrument.submit": _("Instrument submitted"),
    "instrument.publish": _("Instrument published"),
    "instrument.suspend": _("Instrument suspended"),
    "instrument.retire": _("Instrument retired"),
    "instrument.return": _("Instrument record returned"),
    "instrument.confirm": _("Record confirmed"),
    "instrument.merge": _("Record merged into another"),
    "duplicates.kept": _("Likely duplicates kept apart"),
    "duplicates.merged": _("Duplicates merged"),
    "facility.create": _("Facility entered"),
    "facility.update": _("Facility changed"),
    "organisation.moved": _("Moved to another region"),
}
