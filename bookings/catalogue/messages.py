"""Sentences of the refusals of *catalogue*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence

REFUSALS: dict[str, Sentence] = {
    "not-offered": _("The instrument does not offer this service mode."),
    "units-in-use": _("Unit {units} is booked or in use: cancel or close what is on it first."),
}
