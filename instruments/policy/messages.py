"""Sentences of the refusals, names of the acts and other words of *policy*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

# The people who may book in hours open only to a group.
GROUP_LABELS = {
    "certified": _("only holders of a certificate"),
    "organisation": _("only the host’s own people"),
    "region": _("only organisations of its region"),
}

# Classes of hazard: the nine of the Globally Harmonized System named after their pictograms.
HAZARD_LABELS = {
    "explosive": _("explosive"),
    "flammable": _("flammable"),
    "oxidising": _("oxidising"),
    "pressurised-gas": _("gas under pressure"),
    "corrosive": _("corrosive"),
    "toxic": _("acutely toxic"),
    "irritant": _("irritant or harmful"),
    "health-hazard": _("serious health hazard"),
    "environmental": _("hazardous to the environment"),
    "biological": _("biological hazard"),
    "radioactive": _("radioactive"),
    "magnetic": _("strongly magnetic"),
    "cryogenic": _("very cold"),
    "nanomaterial": _("loose powder or nanomaterial"),
}


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "not-a-multiple": ngettext_lazy(
        "This must be a multiple of the slot, {slot_minutes} minute.",
        "This must be a multiple of the slot, {slot_minutes} minutes.",
        "slot_minutes",
    ),
    "less-than-min": ngettext_lazy(
        "This must be at least the shortest length, {min_minutes} minute.",
        "This must be at least the shortest length, {min_minutes} minutes.",
        "min_minutes",
    ),
    "person-or-organisation": _("Choose either a person or an organisation."),
    "own-block": _("You cannot block yourself or your own organisation."),
    "already-blocked": _("This block is in force already."),
    "too-many-blocks-today": _(
        "This host has reached the limit of blocks a day ({most}): make others later."
    ),
    "not-a-host-address": _("This must be the address of a manager of your organisation or of the facility."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "policy.set": _("Booking policy set"),
    "block.make": _("Blocked from booking"),
    "block.lift": _("Block lifted"),
    "block.hand-over": _("Block handed over in a merger"),
}
