"""The manifest of *privacy*."""

from accounts.areas import Area
from accounts.menu import Below
from bookings.privacy.messages import ACTS, REFUSALS

AREA = Area(
    "bookings.privacy",
    refusals=REFUSALS,
    below=(Below("accounts:people", "member-end"),),
    acts=ACTS,
)  # fmt: skip
