"""An area says by itself what it brings: one that is made up is found everywhere, and nothing else
lists areas."""

import re
import runpy
import sys
import tomllib
from importlib import import_module, reload
from itertools import combinations
from pathlib import Path
from textwrap import dedent

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import clear_url_caches, reverse
from django.urls.converters import get_converters

import bookings
from accounts.areas import addresses, areas_load
from accounts.work import effects, timetable
from bookings.areas import PACKAGES
from bookings.demo.services.seed import stories_tell
from bookings.models import DirtyDay
from bookings.record.messages import sentence

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "instruments", "bookings", "config")
# What a made-up area is, file by file.
METEORITES = {
    "__init__": "",
    "area": """
        from accounts.areas import Area
        from accounts.menu import MY_WORK, MenuEntry, everybody

        AREA = Area(
            "bookings.meteorites",
            refusals={"too-hot": "It is still hot."},
            menu=(MenuEntry("bookings:meteorites", "Meteorites", "package", MY_WORK, 95, everybody),),
        )
        """,
    "models": """
        class Meteorite:
            "It stands for a table."

        __all__ = ["Meteorite"]
        """,
    "urls": """
        from django.http import HttpResponse
        from django.urls import path
        from rest_framework.response import Response

        from accounts.api.endpoint import Endpoint

        class Meteorites(Endpoint):
            only_reads = True

            def get(self, request):
                return Response({"fell": 3})

        def page(request):
            return HttpResponse("Three fell.")

        pages = [path("meteorites/", page, name="meteorites")]
        money = [path("meteorites/", page, name="money-meteorites")]
        api = [path("meteorites/", Meteorites.as_view(), name="api-meteorites")]
        """,
    "tasks": """
        from accounts.work import Job, Tasks

        def weigh(row, *, now):
            return "done"

        jobs = (Job("bookings.tasks.count_meteorites", "meteorites", "Counting", 60.0, print),)
        TASKS = Tasks(jobs=jobs, effects={"meteorite": weigh})
        """,
    "admin": """
        from django.contrib import admin

        from accounts.admin import ReadOnly
        from bookings.hours.models import DirtyDay

        admin.site.register(DirtyDay, ReadOnly)
        """,
    "story": """
        def begin(world):
            return "a meteorite in the sky"

        def tell(world):
            return "three meteorites"
        """,
}


@pytest.fixture
def meteorites(tmp_path, monkeypatch):
    """An area that lies elsewhere, named where areas are named and nowhere else."""
    package = tmp_path / "meteorites"
    package.mkdir()
    for name, text in METEORITES.items():
        (package / f"{name}.py").write_text(dedent(text))
    before = set(sys.modules)
    packages = (*PACKAGES, "bookings.meteorites")
    monkeypatch.setattr(bookings, "__path__", [*bookings.__path__, str(tmp_path)])
    monkeypatch.setattr("bookings.areas.PACKAGES", packages)
    areas_load(packages)
    yield
    areas_load(PACKAGES)
    for name in set(sys.modules) - before:
        if name.startswith("bookings.meteorites"):
            del sys.modules[name]


@pytest.fixture
def addressed(meteorites):
    """The addresses as they are when the platform starts with that area."""
    _addresses_read()
    yield
    areas_load(PACKAGES)
    _addresses_read()


def _addresses_read():
    for name in ("config.api.urls", "config.urls"):
        reload(import_module(name))
    clear_url_caches()


@pytest.mark.django_db
def test_its_addresses_answer(addressed):
    assert reverse("bookings:meteorites") == "/meteorites/"
    assert Client().get("/meteorites/").content == b"Three fell."
    assert Client().get(reverse("bookings:money-meteorites")).content == b"Three fell."
    assert Client().get(reverse("api-meteorites")).json() == {"fell": 3}
    assert Client().get(reverse("bookings:catalogue")).status_code == 200


@pytest.mark.django_db
def test_its_entry_is_in_the_menu(addressed):
    page = Client().get(reverse("bookings:catalogue")).content.decode()
    assert 'href="/meteorites/"' in page


def test_its_refusals_have_their_sentences(meteorites):
    assert sentence("too-hot", {}) == "It is still hot."


def test_its_jobs_and_effects_are_those_of_workers(meteorites):
    assert timetable()["meteorites"]["task"] == "bookings.tasks.count_meteorites"
    assert effects()["meteorite"](None, now=None) == "done"


def test_its_tables_are_those_of_its_app(meteorites):
    assert "Meteorite" in runpy.run_path(str(ROOT / "bookings/models.py"))


def test_its_administration_pages_are_there(meteorites):
    assert not admin.site.is_registered(DirtyDay)
    runpy.run_path(str(ROOT / "config/admin.py"))
    assert admin.site.is_registered(DirtyDay)
    admin.site.unregister(DirtyDay)


def test_its_story_is_told(meteorites):
    areas_load(["bookings.meteorites"])  # alone: stories of others need their world
    told = []
    for part in ("begin", "tell", "end"):
        stories_tell(part, None, told.append)
    assert told == ["a meteorite in the sky", "three meteorites"]


# Files that name more than six areas, because they bring together what is about one thing.
COLLECTING = {
    "bookings/areas.py": "the list",
    "bookings/overview/selectors/standing.py": "how things stand for each role",
    "bookings/overview/views/home.py": "the page of what waits",
    "bookings/overview/views/reservations.py": "all that belongs to one booking",
}


def test_areas_are_listed_nowhere_else():
    names = {package.rpartition(".")[2] for package in PACKAGES if "." in package}
    named = re.compile(rf"\bbookings[./]({'|'.join(names)})\b")
    found = {}
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        others = set(named.findall(path.read_text("utf-8"))) - {path.relative_to(ROOT).parts[1]}
        if "/migrations/" not in name and len(others) > 6:
            found[name] = len(others)
    assert found.keys() == COLLECTING.keys(), found


def test_every_package_with_a_manifest_is_an_area():
    found = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for a in APPS
        for path in (ROOT / a).rglob("area.py")
    }
    assert found == set(PACKAGES) and len(PACKAGES) == len(found)


def test_no_address_fits_those_of_two_areas():
    """Else which of them answers would depend on the order of areas."""
    for kind in ("pages", "money", "api"):
        by_area = {}
        for pattern in addresses(kind):
            view = getattr(pattern.callback, "view_class", pattern.callback)
            area = next(p for p in PACKAGES if view.__module__.startswith(f"{p}."))
            by_area.setdefault(area, []).append(str(pattern.pattern))
        assert len(by_area) > 5
        for one, other in combinations(by_area, 2):
            both = [(a, b) for a in by_area[one] for b in by_area[other] if overlap(a, b)]
            assert both == [], (one, other)


@pytest.mark.parametrize("app", ["instruments", "bookings"])
def test_the_rooms_of_every_area_are_checked(app):
    """A contract that does not name an area is kept whatever its rooms import."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rooms,) = [one for one in contracts if one["name"] == f"Rooms import one way: each area of {app}"]
    assert set(rooms["containers"]) == {package for package in PACKAGES if package.startswith(f"{app}.")}


VARIABLE = re.compile(r"<(?:(\w+):)?\w+>")
VALUES = ("0190f0a0-0000-7000-8000-000000000001", "7", "new")


def overlap(one: str, other: str) -> bool:
    """Whether some address fits both routes."""
    parts = one.split("/"), other.split("/")
    return len(parts[0]) == len(parts[1]) and all(map(_meet, *parts))


def _meet(one: str, other: str) -> bool:
    texts = [VARIABLE.sub(value, each) for each in (one, other) for value in VALUES]
    return one == other or any(
        _expression(one).fullmatch(t) and _expression(other).fullmatch(t) for t in texts
    )


def _expression(part: str) -> re.Pattern[str]:
    kinds = iter(VARIABLE.findall(part))
    return re.compile(
        "".join(
            get_converters()[next(kinds) or "str"].regex if VARIABLE.fullmatch(piece) else re.escape(piece)
            for piece in re.split(r"(<[^>]+>)", part)
        )
    )


def test_overlaps_are_seen():
    assert overlap("samples/new/", "samples/<str:code>/")
    assert overlap("a/<slug:kind>/<uuid:pk>/", "a/files/<uuid:pk>/")
    assert not overlap("samples/new/", "samples/<uuid:pk>/")
    assert not overlap("calendar/<str:token>.ics", "calendar/own/")
