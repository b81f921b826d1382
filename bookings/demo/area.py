"""The manifest of *demo*."""

from accounts.areas import Area

AREA = Area(
    "bookings.demo",
)  # fmt: skip
