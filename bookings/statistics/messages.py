"""Sentences of the refusals of *statistics*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "role-ended-since": _("A role of yours has ended since you asked for this file. Ask again."),
    "whole-year": _("A report covers one whole year, from the first of January."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {"hours-export.start": _("Export of hours requested")}
