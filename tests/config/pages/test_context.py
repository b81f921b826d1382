"""The entry of the menu that is marked."""

import re

import pytest
from django.test import Client

from tests.accounts.pages import page_of
from tests.factories.cast import Cast, reserve


def marked(client: Client, path: str) -> list[tuple[str, str]]:
    """(address, kind of mark) of the marked entries."""
    html = page_of(client.get(path))
    menu = html[html.index('id="menu"') : html.index("</nav>")]
    return re.findall(r'href="([^"]+)" aria-current="(\w+)"', menu)


@pytest.mark.parametrize(
    ("who", "path", "part"),
    [
        ("wang", "/home/", ("/home/", "page")),
        ("wang", "/", ("/", "page")),
        ("wang", "/instruments/{i}/", ("/", "true")),
        (
            "wang",
            "/instruments/{i}/book/?start=2026-03-06T10:00:00%2B08:00&minutes=60",
            ("/", "true"),
        ),
        ("wang", "/bookings/", ("/bookings/", "page")),
        ("wang", "/bookings/{r}/", ("/bookings/", "true")),
        ("zhao", "/bookings/{r}/", None),
        ("zhao", "/manage/instruments/{i}/", ("/manage/", "true")),
        ("zhao", "/manage/instruments/{i}/closures/", ("/manage/", "true")),
        ("zhao", "/hours/rows/?since=2026-03-06&instrument={i}", ("/hours/", "true")),
        ("auditor", "/trail/{r}/", ("/audit/", "true")),
        ("wang", "/profile/", None),
        ("admin", "/people/roles/", ("/people/roles/", "page")),
    ],
)
def test_a_page_marks_the_part_it_belongs_to(
    client: Client, cast: Cast, who: str, path: str, part: tuple[str, str] | None
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.force_login(cast.people[who])
    found = marked(client, path.format(i=cast.microscope.pk, r=made.pk))
    assert found == ([part] if part else [])
