"""The manifest of *rates*."""

from accounts.areas import Area
from instruments.rates.messages import ACTS, REFUSALS

AREA = Area(
    "instruments.rates",
    refusals=REFUSALS,
    acts=ACTS,
)  # fmt: skip
