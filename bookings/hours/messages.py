"""Sentences of the refusals of *hours*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "too-many-figures": _(
        "These are too many rows at once: up to {rows}, of which at most {most} can be returned. "
        "Choose fewer days, coarser groups, or one region, organisation or instrument."
    ),
    "too-many-days": _(
        "This adds up {days} instrument-days, but at most {most} can be read at once. Choose "
        "whole months, fewer days, or one region, organisation or instrument."
    ),
    "norm-of-a-past-year": _(
        "The norms by which {year} and the years before it were reported cannot be changed: begin on the"
        " first of January {year} at the earliest."
    ),
    "norm-entered-already": _("Norm hours for this kind already start on this day."),
    "weeks-cross-months": _("Weeks cross months and years: sum up by one of them."),
    "whole-months": _("Public figures cover whole months: choose the first day of a month."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {"norm.add": _("Norm hours entered")}
