"""Sentences of the refusals and names of the acts of *capabilities*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "maximum-below-minimum": _("The highest value is below the lowest."),
    "none-without-values": _("A specification that is not available cannot have values."),
    "capability-there-already": _("This parameter is already stated for this condition."),
    "instrument-retired": _("The instrument is retired: its specifications can no longer change."),
    "stated-already": _("This is already stated."),
    "question-answered": _("This question has already been answered."),
    "too-many-questions": _("You have reached the daily limit of questions ({most}). Ask again tomorrow."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "instrument.capability-add": _("Capability stated"),
    "instrument.capability-change": _("Capability changed"),
    "instrument.capability-remove": _("Capability removed"),
    "instrument.question-ask": _("Question asked"),
}
