"""Points on a map, and the file of boundaries behind them."""

import json
from math import hypot
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.browsing.domain import maps
from bookings.browsing.domain import maps as map_rules

SITES = st.builds(
    map_rules.Site,
    code=st.uuids().map(str),
    name=st.text(max_size=5),
    name_zh=st.just(""),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    count=st.integers(1, 1000),
)


def site(code: str, latitude: float, longitude: float, count: int = 1) -> map_rules.Site:
    return map_rules.Site(code, code, "", latitude, longitude, count)


@given(st.lists(SITES, max_size=30))
def test_every_site_is_in_one_point_on_the_paper(sites: list[map_rules.Site]) -> None:
    frame = map_rules.Frame(map_rules.Box.around(sites))
    points = map_rules.points_of(sites, frame)
    drawn = [each for point in points for each in point.sites]
    assert sorted(drawn, key=id) == sorted(sites, key=id)
    assert sum(point.count for point in points) == sum(each.count for each in sites)
    for point in points:
        assert -1 <= point.x <= map_rules.WIDTH + 1
        assert -1 <= point.y <= map_rules.HEIGHT + 1
    path, across, up = map_rules.grid_of(frame)
    assert len(across) + len(up) == path.count("M") <= 80


@given(st.lists(SITES, max_size=30))
def test_a_finger_hits_one_point_of_the_map_for_telephones(sites: list[map_rules.Site]) -> None:
    frame = map_rules.Frame(map_rules.Box.around(sites), *map_rules.NARROW)
    points = map_rules.points_of(sites, frame)
    assert sum(point.count for point in points) == sum(each.count for each in sites)
    width, height = map_rules.NARROW
    assert all(-1 <= each.x <= width + 1 and -1 <= each.y <= height + 1 for each in points)
    for n, one in enumerate(points):
        assert all(hypot(one.x - other.x, one.y - other.y) > map_rules.NEAR - 1 for other in points[:n])


def test_near_sites_are_one_point_and_the_most_come_first() -> None:
    frame = map_rules.Frame(map_rules.Box(100, 20, 130, 40))
    points = map_rules.points_of([site("a", 31, 117), site("b", 31.1, 117.1, 4), site("c", 22, 102)], frame)
    assert [[each.code for each in point.sites] for point in points] == [["b", "a"], ["c"]]
    closer = map_rules.Frame(map_rules.Box.around(points[0].sites))
    assert len(map_rules.points_of(points[0].sites, closer)) == 2


def test_north_is_up_and_east_is_right() -> None:
    frame = map_rules.Frame(map_rules.Box(100, 20, 130, 40))
    assert frame.place(115, 30) == (map_rules.WIDTH / 2, map_rules.HEIGHT / 2)
    assert frame.place(116, 31)[0] > map_rules.WIDTH / 2 > frame.place(114, 30)[0]
    assert frame.place(116, 31)[1] < map_rules.HEIGHT / 2


@given(SITES)
def test_a_box_is_read_as_it_is_written(one: map_rules.Site) -> None:
    box = map_rules.Box.around([one])
    again = map_rules.Box.read(str(box))
    assert again is not None
    assert str(again) == str(box)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "nan,0,1,1", "5,0,1,1", "0,0,1,91", "0,0,inf,1", "1,2,3,4,5"]
)
def test_what_is_no_box_is_none(text: str) -> None:
    assert map_rules.Box.read(text) is None


def collection(*geometries: Any, **more: Any) -> bytes:
    features = [{"type": "Feature", "geometry": geometry} for geometry in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode()


SQUARE = [[110, 25], [120, 25], [120, 35], [110, 35], [110, 25]]


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("LineString", SQUARE),
        ("Polygon", [SQUARE]),
        ("MultiLineString", [SQUARE]),
        ("MultiPolygon", [[SQUARE]]),
    ],
)
def test_polygons_and_lines_are_read(kind: str, coordinates: Any) -> None:
    content = collection({"type": kind, "coordinates": coordinates}, attribution="GS 1")
    read = map_rules.read_boundaries(content)
    assert (len(read.lines), len(read.lines[0]), read.attribution) == (1, 5, "GS 1")
    frame = map_rules.Frame(map_rules.Box(100, 20, 130, 40))
    assert map_rules.path_of(read, frame).count("L") == 4
    assert map_rules.path_of(read, map_rules.Frame(map_rules.Box(-10, 20, 0, 40))) == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "FeatureCollection"),
        (b'{"type": "FeatureCollection"}', "no list"),
        (collection(), "no polygon"),
        (collection(None), "without a geometry"),
        (collection({"type": "Point", "coordinates": [1, 2]}), "neither polygon nor line"),
        (collection({"type": "Polygon", "coordinates": 7}), "no lists"),
        (collection({"type": "Polygon", "coordinates": [[[1, 2]]]}), "fewer than two"),
        (collection({"type": "LineString", "coordinates": [[1, 2], ["x", 3]]}), "no pair"),
        (collection({"type": "LineString", "coordinates": [[1, 2], [True, 3]]}), "no pair"),
        (collection({"type": "LineString", "coordinates": [[1, 2], [5e5, 3]]}), "WGS 84"),
        (collection({"type": "LineString", "coordinates": SQUARE}, attribution=7), "attribution"),
        (b" " * (maps.MOST_BYTES + 1), "larger"),
    ],
)
def test_what_is_none_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(map_rules.NotBoundaries, match=says):
        map_rules.read_boundaries(content)


def test_too_many_corners_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MOST_CORNERS", 9)
    line = {"type": "LineString", "coordinates": SQUARE}
    with pytest.raises(map_rules.NotBoundaries, match="more than 9"):
        map_rules.read_boundaries(collection(line, line))
