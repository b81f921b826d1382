"""Lines behind the map: the coasts of the world, or the boundaries in a file that an operator names."""

from functools import lru_cache
from pathlib import Path

import structlog
from django.conf import settings

from bookings.browsing.domain.maps import MOST_BYTES, Boundaries, NotBoundaries, read_boundaries

COASTS = Path(__file__).parent.parent / "data" / "coasts.json"


def boundaries() -> Boundaries:
    """Return the boundaries in the file that `MAP_BOUNDARIES` names, and read it again when it has changed.
    If it is not set, or cannot be read (which is logged), these are the coasts of the world."""
    if not settings.MAP_BOUNDARIES:
        return _coasts()
    file = Path(settings.MAP_BOUNDARIES)
    return _kept(str(file), file.stat().st_mtime_ns if file.exists() else 0)


@lru_cache(maxsize=1)
def _coasts() -> Boundaries:
    return load_boundaries(str(COASTS))


@lru_cache(maxsize=1)
def _kept(path: str, changed: int) -> Boundaries:
    try:
        return load_boundaries(path)
    except NotBoundaries as problem:
        structlog.get_logger().warning("map-boundaries", problem=str(problem))
        return _coasts()


def load_boundaries(path: str) -> Boundaries:
    """Read boundaries from a GeoJSON file; raise `NotBoundaries` if it is none."""
    try:
        with Path(path).open("rb") as stream:
            return read_boundaries(stream.read(MOST_BYTES + 1))
    except OSError as problem:
        raise NotBoundaries(str(problem)) from None
