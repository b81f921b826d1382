"""The manifest of *reading*."""

from accounts.areas import Area
from instruments.reading.messages import REFUSALS

AREA = Area(
    "instruments.reading",
    refusals=REFUSALS,
)  # fmt: skip
