"""The file of boundaries that an operator puts behind the map."""

from functools import lru_cache
from pathlib import Path

import structlog
from django.conf import settings

from bookings.browsing.domain.maps import MOST_BYTES, Boundaries, NotBoundaries, read_boundaries

NONE = Boundaries(())


def boundaries() -> Boundaries:
    """Return those of the file that `MAP_BOUNDARIES` names, read anew when it has changed; none
    where it is not set or cannot be read, which the log says."""
    if not settings.MAP_BOUNDARIES:
        return NONE
    try:
        changed = Path(settings.MAP_BOUNDARIES).stat().st_mtime_ns
    except OSError as problem:
        structlog.get_logger().warning("map-boundaries", problem=str(problem))
        return NONE
    return _kept(settings.MAP_BOUNDARIES, changed)


@lru_cache(maxsize=1)
def _kept(path: str, changed: int) -> Boundaries:
    try:
        return load_boundaries(path)
    except NotBoundaries as problem:
        structlog.get_logger().warning("map-boundaries", problem=str(problem))
        return NONE


def load_boundaries(path: str) -> Boundaries:
    """Read a file; `NotBoundaries` where it is none."""
    try:
        with Path(path).open("rb") as stream:
            return read_boundaries(stream.read(MOST_BYTES + 1))
    except OSError as problem:
        raise NotBoundaries(str(problem)) from None
