"""The manifest of *rates*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Area, Record
from instruments.rates.messages import ACTS, REFUSALS
from instruments.rates.models import RateCard

AREA = Area(
    "instruments.rates",
    refusals=REFUSALS,
    records=(Record(RateCard, kind=_("rate card"), acts="ratecard"),),
    acts=ACTS,
)  # fmt: skip
