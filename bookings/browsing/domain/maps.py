"""Compute a map of points that we draw ourselves: where sites lie on it, which are drawn as one, and the
boundaries in the background, from an operator's GeoJSON file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians, sqrt
from typing import Any

WIDTH, HEIGHT = 960, 540
NARROW = 360, 300  # width and height of the drawing for a telephone
NEAR = 48  # points that lie nearer to one another are drawn as one: each has the room of a finger
SMALLEST = 0.02  # degrees of latitude that a map shows at least
MOST_POINTS = 150
MOST_BYTES, MOST_CORNERS = 4_000_000, 100_000  # of a file of boundaries

type Line = Sequence[tuple[float, float]]  # longitude and latitude of each corner


@dataclass(frozen=True)
class Site:
    """A site on the map, or several at one place, with the number of instruments there."""

    code: str
    name: str
    name_zh: str
    latitude: float
    longitude: float
    count: int


@dataclass(frozen=True)
class Box:
    """The area between two meridians and two parallels, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, sites: Iterable[Site]) -> "Box":
        """Return the box around some sites, with a margin of a tenth on each side."""
        points = [(site.longitude, site.latitude) for site in sites] or [(-150, -50), (150, 70)]
        longitudes, latitudes = zip(*points, strict=True)
        across = max((max(longitudes) - min(longitudes)) * 0.1, SMALLEST)
        up = max((max(latitudes) - min(latitudes)) * 0.1, SMALLEST)
        return cls(
            max(min(longitudes) - across, -180),
            max(min(latitudes) - up, -90),
            min(max(longitudes) + across, 180),
            min(max(latitudes) + up, 90),
        )

    @classmethod
    def read(cls, text: str) -> "Box | None":
        """Return the box in a query parameter, `west,south,east,north`; None for anything else."""
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            return None
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            return None
        return cls(west, south, east, north)

    def __str__(self) -> str:
        return ",".join(f"{each:.4f}" for each in (self.west, self.south, self.east, self.north))

    def holds(self, site: Site) -> bool:
        return self.west <= site.longitude <= self.east and self.south <= site.latitude <= self.north


@dataclass(frozen=True)
class Frame:
    """The projection of a box onto a drawing, in which degrees of longitude have the length they have in the
    middle of the box."""

    box: Box
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def squeeze(self) -> float:
        return max(cos(radians((self.box.south + self.box.north) / 2)), 0.05)

    @property
    def scale(self) -> float:
        """Return the length of a degree of latitude in the drawing."""
        across = (self.box.east - self.box.west) * self.squeeze
        return min(self.width / across, self.height / (self.box.north - self.box.south))

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return where a point is drawn, measured from the upper left corner."""
        middle_x = (self.box.west + self.box.east) / 2
        middle_y = (self.box.south + self.box.north) / 2
        return (
            self.width / 2 + (longitude - middle_x) * self.squeeze * self.scale,
            self.height / 2 - (latitude - middle_y) * self.scale,
        )


@dataclass(frozen=True)
class Point:
    """Sites that are drawn as one point."""

    x: float
    y: float
    sites: tuple[Site, ...]

    @property
    def count(self) -> int:
        return sum(site.count for site in self.sites)

    @property
    def radius(self) -> float:
        return min(12 + 2.2 * len(str(self.count)) + sqrt(self.count) / 2, 30)

    @property
    def below(self) -> float:
        """Return the distance from the centre of a point down to its label."""
        return self.radius + 14


def points_of(sites: Iterable[Site], frame: Frame) -> list[Point]:
    """Return the points to draw, those with the most instruments first; each site belongs to one of them."""
    groups: list[tuple[float, float, list[Site]]] = []
    for site in sorted(sites, key=lambda site: (-site.count, site.name, site.code)):
        x, y = frame.place(site.longitude, site.latitude)
        near = next((g for g in groups if hypot(g[0] - x, g[1] - y) < NEAR), None)
        if near:
            near[2].append(site)
        else:
            groups.append((x, y, [site]))
    points = (Point(round(x, 1), round(y, 1), tuple(members)) for x, y, members in groups)
    return sorted(points, key=lambda point: -point.count)


def grid_of(frame: Frame) -> tuple[str, list[tuple[float, str]], list[tuple[float, str]]]:
    """Return the meridians and parallels as an SVG path, and the positions and texts of their labels, along
    the lower edge and along the left one."""
    steps = (30, 10, 5, 2, 1, 0.5, 0.2, 0.1)
    step = next((s for s in steps if s * frame.scale * 5 <= frame.width), 0.05)
    # Near a pole meridians are close to each other.
    degree = frame.scale * frame.squeeze
    wide = next((s for s in (step, *reversed(steps)) if s >= step and s * degree * 40 >= frame.width), 30)
    reach_x = frame.width / 2 / frame.scale / frame.squeeze
    reach_y = frame.height / 2 / frame.scale
    middle_x = (frame.box.west + frame.box.east) / 2
    middle_y = (frame.box.south + frame.box.north) / 2
    across, up, pieces = [], [], []
    for n in range(int((middle_x - reach_x) // wide) + 1, int((middle_x + reach_x) // wide) + 1):
        if -180 <= (degrees := n * wide) <= 180:
            x = round(frame.place(degrees, middle_y)[0], 1)
            across.append((x, _degrees(degrees, "E", "W")))
            pieces.append(f"M{x} 0V{frame.height}")
    for n in range(int((middle_y - reach_y) // step) + 1, int((middle_y + reach_y) // step) + 1):
        if -90 <= (degrees := n * step) <= 90:
            y = round(frame.place(middle_x, degrees)[1], 1)
            up.append((y, _degrees(degrees, "N", "S")))
            pieces.append(f"M0 {y}H{frame.width}")
    return "".join(pieces), across, up


def _degrees(value: float, positive: str, negative: str) -> str:
    side = positive if value > 0 else negative if value < 0 else ""
    return f"{abs(value):.4g}° {side}".strip()


# Boundaries


@dataclass(frozen=True)
class Boundaries:
    """Boundaries for the background. `attribution` must be shown beside the map, such as the number of its
    approval."""

    lines: tuple[Line, ...]
    attribution: str = ""


class NotBoundaries(ValueError):
    """The file is not GeoJSON with lines, or is too large."""


def read_boundaries(content: bytes) -> Boundaries:
    """Return the boundaries in a GeoJSON FeatureCollection of polygons or lines in WGS 84, with an
    `attribution` beside its features. Raise `NotBoundaries`, which says in English what is wrong."""
    if len(content) > MOST_BYTES:
        raise NotBoundaries(f"larger than {MOST_BYTES} bytes")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise NotBoundaries("not JSON") from None
    if not isinstance(data, dict) or data.get("type") != "FeatureCollection":
        raise NotBoundaries("not a GeoJSON FeatureCollection")
    features = data.get("features")
    if not isinstance(features, list):
        raise NotBoundaries("no list of features")
    lines, corners = [], 0
    for feature in features:
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if not isinstance(geometry, dict):
            raise NotBoundaries("a feature without a geometry")
        for line in _lines(geometry.get("type"), geometry.get("coordinates")):
            corners += len(line)
            if corners > MOST_CORNERS:
                raise NotBoundaries(f"more than {MOST_CORNERS} corners: simplify it")
            lines.append(line)
    if not lines:
        raise NotBoundaries("no polygon and no line")
    attribution = data.get("attribution", "")
    if not isinstance(attribution, str) or len(attribution) > 300:
        raise NotBoundaries("attribution is no text of at most 300 characters")
    return Boundaries(tuple(lines), attribution)


_DEPTHS = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}


def _lines(kind: Any, coordinates: Any) -> Iterator[Line]:
    if kind not in _DEPTHS:
        raise NotBoundaries(f"a geometry that is neither polygon nor line: {str(kind)[:40]}")
    layers = [coordinates]
    for _ in range(_DEPTHS[kind]):
        if not all(isinstance(layer, list) for layer in layers):
            raise NotBoundaries("coordinates that are no lists")
        layers = [inner for layer in layers for inner in layer]
    for layer in layers:
        if not isinstance(layer, list) or len(layer) < 2:
            raise NotBoundaries("a line of fewer than two corners")
        yield [_corner(each) for each in layer]


def _corner(each: Any) -> tuple[float, float]:
    is_pair = isinstance(each, list) and len(each) >= 2
    if not is_pair or not all(type(value) in (int, float) for value in each[:2]):
        raise NotBoundaries("a corner that is no pair of numbers")
    longitude, latitude = float(each[0]), float(each[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise NotBoundaries("a corner that is not in degrees of WGS 84 (longitude, latitude)")
    return longitude, latitude


def path_of(boundaries: Boundaries, frame: Frame) -> str:
    """Return the part of the boundaries inside a frame as an SVG path, without corners that would not be
    visible."""
    pieces, width, height = [], frame.width, frame.height
    for line in boundaries.lines:
        drawn: list[tuple[int, int]] = []
        for corner in line:
            x, y = frame.place(*corner)
            # Far outside the frame only the direction of a line matters.
            at = round(min(max(x, -width), 2 * width)), round(min(max(y, -height), 2 * height))
            if not drawn or at != drawn[-1]:
                drawn.append(at)
        xs, ys = [x for x, _ in drawn], [y for _, y in drawn]
        is_seen = max(xs) >= 0 and min(xs) <= frame.width and max(ys) >= 0 and min(ys) <= frame.height
        if is_seen and len(drawn) > 1:
            pieces.append("M" + "L".join(f"{x} {y}" for x, y in drawn))
    return "".join(pieces)
