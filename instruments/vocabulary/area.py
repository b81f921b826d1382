"""The manifest of *vocabulary*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Area, Record
from instruments.vocabulary.messages import ACTS, REFUSALS
from instruments.vocabulary.models import Measurand, Parameter, Technique

AREA = Area(
    "instruments.vocabulary",
    refusals=REFUSALS,
    records=(
        Record(Technique, "name", "name_zh", kind=_("technique")),
        Record(Measurand, "name", "name_zh", kind=_("measurand")),
        Record(Parameter, "name", "name_zh"),
    ),
    acts=ACTS,
)  # fmt: skip
