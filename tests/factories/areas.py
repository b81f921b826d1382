"""An area that is there for a test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from accounts.areas import Area, areas_load
from bookings.areas import PACKAGES


@contextmanager
def made_up(area: Area) -> Iterator[None]:
    """Have an area above all others, as if its package were named in bookings/areas.py."""
    manifest: Any = ModuleType(f"{area.package}.area")
    manifest.AREA = area
    sys.modules[manifest.__name__] = manifest
    try:
        areas_load([*PACKAGES, area.package])
        yield
    finally:
        del sys.modules[manifest.__name__]
        areas_load(PACKAGES)
