"""Sentences of the refusals, names of the acts and other words of *vocabulary*."""

from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from instruments.vocabulary.domain.parameters import Parameters, Requirement, readable


def required_text(requirement: Requirement, parameters: Parameters) -> str:
    """Return the required values of a parameter with its unit, in words."""
    parameter = parameters.get(requirement.parameter)
    unit = parameter.unit if parameter else ""

    def side(value: Decimal) -> str:
        shown = parameter.shown(value, unit) if parameter else value
        return f"{readable(shown, 'f')} {unit}".strip()

    low, high = requirement.low, requirement.high
    if low is not None and high is not None:
        if low == high:
            return side(low)
        return gettext("{low} to {high}").format(low=side(low), high=side(high))
    if low is not None:
        return gettext("down to {value}").format(value=side(low))
    return gettext("up to {value}").format(value=side(high)) if high is not None else ""


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "no-such-parameter": _("There is no such parameter. Did you mean {nearest}?"),
    "not-a-requirement": _("Write it as CODE:LOW:HIGH; a side that is not required stays empty."),
    "unknown-unit": _("Use one of its units: {allowed}."),
    "unknown-parameter": _("There is no parameter with the code {parameter}."),
    "below-low": _("The upper end is below the lower one."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "technique.create": _("Technique entered"),
    "technique.update": _("Technique changed"),
    "measurand.create": _("Measurand entered"),
    "measurand.change": _("Measurand changed"),
    "parameter.create": _("Parameter entered"),
    "parameter.change": _("Parameter changed"),
}
