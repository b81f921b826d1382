"""The entries of the menu: that of the page is marked, an area brings its own."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import ngettext_lazy

from accounts.areas import Area
from accounts.menu import FACILITY, Below, MenuEntry, Waits, has
from accounts.models import User
from config.pages.context import menu_entries
from config.pages.icons import SHAPES
from tests.accounts.pages import page_of
from tests.factories.areas import made_up
from tests.factories.cast import Cast, reserve


def marked(client: Client, path: str) -> list[tuple[str, str]]:
    """(address, kind of mark) of the marked entries."""
    html = page_of(client.get(path))
    menu = html[html.index('id="menu"') : html.index("</nav>")]
    return re.findall(r'href="([^"]+)"\s+aria-current="(\w+)"', menu)


@pytest.mark.parametrize(
    ("who", "path", "part"),
    [
        ("wang", "/home/", ("/home/", "page")),
        ("wang", "/", ("/", "page")),
        ("wang", "/instruments/{i}/", ("/", "true")),
        ("wang", "/instruments/{i}/book/?start=2026-03-06T10:00:00%2B08:00&minutes=60", ("/", "true")),
        ("wang", "/bookings/", ("/bookings/", "page")),
        ("wang", "/bookings/{r}/", ("/bookings/", "true")),
        ("zhao", "/bookings/{r}/", None),
        ("zhao", "/manage/instruments/{i}/", ("/manage/", "true")),
        ("zhao", "/manage/instruments/{i}/closures/", ("/manage/", "true")),
        ("zhao", "/hours/rows/?since=2026-03-06&instrument={i}", ("/hours/", "true")),
        ("auditor", "/trail/{r}/", ("/audit/", "true")),
        ("wang", "/profile/", None),
        ("wang", "/samples/new/", ("/samples/", "true")),
        ("zhao", "/techniques/", ("/", "true")),
        ("lin", "/money/charges/", ("/money/charges/", "page")),
        ("lin", "/money/ageing/", ("/money/", "true")),
        ("lin", "/audit/findings/", ("/money/", "true")),
        ("admin", "/people/roles/", ("/people/roles/", "page")),
        ("coordinator", "/money/agreements/new/", ("/money/agreements/", "true")),
        ("lin", "/money/vouchers/", ("/money/", "true")),
    ],
)
def test_a_page_marks_the_part_it_belongs_to(
    client: Client, cast: Cast, who: str, path: str, part: tuple[str, str] | None
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.force_login(cast.people[who])
    found = marked(client, path.format(i=cast.microscope.pk, r=made.pk))
    assert found == ([part] if part else [])


# A page that is another's first, or begins with what its reader does there.
OTHERWISE = {"/": "Find an instrument", "/people/": None}


@pytest.mark.parametrize("who", ["zhao", "lin", "coordinator", "auditor", "admin"])
def test_a_page_is_called_as_its_entry(client: Client, cast: Cast, who: str) -> None:
    client.force_login(cast.people[who])
    entries = menu_of(page_of(client.get("/home/")))
    assert entries
    for path, label in entries:
        html = page_of(client.get(path, follow=True))
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.S)
        assert heading
        wanted = OTHERWISE.get(path, label)
        assert wanted in (None, heading[1].strip()), path
        assert wanted in (None, "Find an instrument") or f"<title>{label} ·" in html, path


def menu_of(html: str) -> list[tuple[str, str]]:
    """(address, name) of the entries."""
    menu = html[html.index('id="menu"') : html.index("</nav>")]
    return re.findall(r'href="([^"]+)".*?title="([^"]+)"', menu, re.S)


@pytest.fixture
def rocks() -> Iterator[None]:
    """An area above all others, with an entry, a page below it and something that waits there."""
    area = Area(
        "rocks",
        menu=(MenuEntry("bookings:map", "Made up", "map", FACILITY, 25, has("manager")),),
        below=(Below("bookings:map", "bookings:compare"),),
        waits=(
            Waits(
                "made-up", 5, "bookings:map", ngettext_lazy("thing", "things"), "Because.",
                has("manager"), lambda actor, now: User.objects.filter(pk=actor.person),
                entry="bookings:map", group="language",
            ),
        ),
    )  # fmt: skip
    with made_up(area):
        yield


@pytest.mark.usefixtures("rocks")
def test_an_area_brings_its_entry_and_what_waits_there(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["zhao"])
    assert marked(client, "/compare/") == [("/map/", "true")]
    menu = " ".join(page_of(client.get("/map/")).split())
    assert menu.index(">Requests<") < menu.index(">Made up<") < menu.index(">Manage instruments<")
    assert '>Made up</span><span class="visually-hidden">, 1 waiting<' in menu.replace("> <", "><")
    home = page_of(client.get("/home/"))
    assert 'data-waits="made-up"' in home and "Because." in home
    client.force_login(cast.people["wang"])
    assert "Made up" not in page_of(client.get("/map/"))


def test_every_entry_has_an_icon_and_a_page() -> None:
    for entry in menu_entries():
        assert entry.icon in SHAPES and reverse(entry.view), entry.view
