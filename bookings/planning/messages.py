"""Sentences of the refusals of *planning*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "plan-past": _("This is in the past: choose a later time."),
    "plan-too-far": _("Purchases are planned three years ahead at most: until {last}."),
    "plan-over": _("This plan was dropped, or became a case: it can no longer be changed."),
    "too-many-plans": _("You already have {most} planned purchases: drop some of them first."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "plan.create": _("Planned purchase entered"),
    "plan.change": _("Planned purchase changed"),
    "plan.drop": _("Planned purchase dropped"),
    "plan.become-case": _("Planned purchase became a case"),
}
