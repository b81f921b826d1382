"""Sentences of the refusals and names of the acts of *opening*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "not-a-weekday": _("A weekday is a number from 1 (Monday) to 7 (Sunday)."),
    "date-twice": _("The date {date} is listed twice."),
    "exception-too-long": _("An exception has at most {most} days."),
    "windows-overlap": _("Two opening times overlap."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {"opening.set": _("Opening hours set")}
