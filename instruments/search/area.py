"""The manifest of *search*."""

from accounts.areas import Area

AREA = Area("instruments.search")
