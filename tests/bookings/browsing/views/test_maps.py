"""The map of a search, and the list of one site."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.browsing.views import maps
from instruments.register.models import Facility, Instrument
from instruments.search.services.search import entries_file
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast
from tests.factories.needs import measurand_of


@pytest.fixture(autouse=True)
def _placed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    Facility.objects.filter(pk=cast.facility.pk).update(latitude="31.84", longitude="117.25")


def facility(cast: Cast, name: str, latitude: str | None, longitude: str | None) -> Instrument:
    """An instrument at a facility of its own."""
    row = cast.instrument(name=f"At {name}")
    row.facility = Facility.objects.create(
        organisation=cast.ustc, name=name, time_zone="Asia/Shanghai", latitude=latitude, longitude=longitude
    )
    row.save(update_fields=["facility"])
    entries_file([row.pk])
    return row


def points(html: str) -> list[tuple[str, str]]:
    """What each point of the wide map says, and where it leads."""
    wide = html.partition('class="map map-narrow"')[0]
    found = re.findall(r'class="map-point"\s+href="([^"]*)"\s+aria-label="([^"]*)"', wide)
    return [(" ".join(label.split()), href.replace("&amp;", "&")) for href, label in found]


def test_a_point_leads_to_its_instruments_with_the_filters_of_the_list(client: Client, cast: Cast) -> None:
    other = facility(cast, "Bengbu", "32.92", "117.39")
    html = page_of(client.get("/map/", {"kind": "general"}))
    at = f"/?kind=general&facility={other.facility_id}"
    assert points(html) == [
        ("Bengbu: 1", at),
        (f"{cast.facility.name}: 1", f"/?kind=general&facility={cast.facility.pk}"),
    ]
    listed = page_of(client.get(at))
    assert "At Bengbu" in listed
    assert cast.microscope.name not in listed
    assert f'name="facility" value="{other.facility_id}"' in listed
    assert points(page_of(client.get("/map/", {"q": "Bengbu"}))) == [
        ("Bengbu: 1", f"/?q=Bengbu&facility={other.facility_id}")
    ]
    assert points(page_of(client.get("/map/", {"max_price": "0", "currency": "CNY"}))) == []


def test_near_sites_are_one_until_one_looks_closer(client: Client, cast: Cast) -> None:
    facility(cast, "Near", "31.85", "117.26")
    facility(cast, "Far", "55.9", "-3.2")
    (_, first), (far, _) = points(page_of(client.get("/map/")))
    assert far == "Far: 1"
    assert first.startswith("?box=")
    closer = page_of(client.get(f"/map/{first}"))
    assert [label for label, _ in points(closer)] == [f"{cast.facility.name}: 1", "Near: 1"]
    assert "The whole map" in closer


def test_sites_at_one_place_are_named_below(client: Client, cast: Cast) -> None:
    facility(cast, "Upstairs", "31.84", "117.25")
    html = page_of(client.get("/map/"))
    assert points(html) == [("Anhui: 2", "#places")]
    assert "Upstairs</a>" in html


def test_what_has_no_place_and_what_is_hidden(client: Client, cast: Cast) -> None:
    facility(cast, "Nowhere", None, None)
    hidden = facility(cast, "Hidden", "30", "117")
    Instrument.objects.filter(pk=hidden.pk).update(publication="draft")
    entries_file([hidden.pk])
    html = page_of(client.get("/map/"))
    assert "1 not shown on the map" in html
    assert len(points(html)) == 1
    assert "Hidden" not in html


def test_many_sites_are_drawn_by_region_and_the_largest_of_one(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.browsing.views.maps.MOST_POINTS", 2)
    facility(cast, "B", "32.9", "117.4")
    moved = facility(cast, "C", "31.2", "121.4")
    Instrument.objects.filter(pk=moved.pk).update(region=cast.shanghai)
    entries_file([moved.pk])
    html = page_of(client.get("/map/"))
    assert points(html) == [
        ("Anhui: 2", f"?region={cast.anhui.code}"),
        ("Shanghai: 1", f"?region={cast.shanghai.code}"),
    ]
    facility(cast, "D", "30.5", "117.1")
    one = page_of(client.get(f"/map/?region={cast.anhui.code}"))
    assert "only the largest sites are shown" in one
    assert len(points(one)) == 2


@pytest.mark.parametrize("box", ["x", "1,2,3", "nan,nan,nan,nan", "0,0,0,0", "\0"])
def test_a_part_that_cannot_be_is_the_whole(client: Client, cast: Cast, box: str) -> None:
    assert len(points(page_of(client.get("/map/", {"box": box})))) == 1
    page_of(client.get("/map/?free_from=x&max_price=y&facility=z"))


def test_coasts_are_drawn_until_an_operator_names_a_file(
    client: Client, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    coasts = page_of(client.get("/map/"))
    assert "map-boundaries" in coasts and "Natural Earth" in coasts
    line = [[117.0, 31.7], [117.5, 31.9]]
    file = tmp_path / "regions.json"
    geometry = {"type": "LineString", "coordinates": line}
    data = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": geometry}],
        "attribution": "Approved <1>",
    }
    file.write_text(json.dumps(data))
    settings.MAP_BOUNDARIES = str(file)
    html = page_of(client.get("/map/"))
    assert "map-boundaries" in html
    assert "Approved &lt;1&gt;" in html
    assert "Natural Earth" not in html
    file.write_text("no map, and longer than that")
    assert "Natural Earth" in page_of(client.get("/map/"))
    settings.MAP_BOUNDARIES = str(tmp_path / "absent.json")
    assert "Natural Earth" in page_of(client.get("/map/"))


def test_the_lines_of_each_map_are_computed_once(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(maps, "path_of", lambda behind, frame: drawn.append(frame) or "M0 0")
    assert page_of(client.get("/map/")).count('class="map-boundaries"') == len(drawn) == 2


def test_more_sites_take_no_more_statements(
    client: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    client.get("/map/")
    with django_assert_max_num_queries(3):
        client.get("/map/")
    for n in range(3):
        facility(cast, f"F{n}", f"3{n}.5", "110")
    with django_assert_max_num_queries(3):
        client.get("/map/")


def test_a_need_without_one_of_its_meanings_is_drawn(
    client: Client, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)
    for without, number in (("x", 1), ("grain-size", 0)):
        html = page_of(client.get("/map/", {"q": "how large are the grains", "without": without}))
        assert len(points(html)) == number
