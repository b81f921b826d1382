"""The zone in which a page says its times."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from tests.accounts.pages import page_of
from tests.factories.cast import Cast, reserve

pytestmark = pytest.mark.django_db


def zone_of(client: Client, path: str = "/") -> str:
    match = re.search(r'id="reader-zone">Times are in (\S+) where', page_of(client.get(path)))
    assert match
    assert timezone.get_current_timezone_name() == "UTC", "left as it was"
    return match[1]


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("", "UTC"),
        ("Asia/Nowhere", "UTC"),
        ("asia/shanghai", "UTC"),
        ("Asia", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("/etc/localtime", "UTC"),
        ('<script>"', "UTC"),
        ("A" * 4000, "UTC"),
    ],
)
def test_visitors_read_by_their_browsers_clock_if_it_names_a_zone(cookie: str, zone: str) -> None:
    client = Client()
    client.cookies["time_zone"] = cookie
    assert zone_of(client) == zone


def test_people_read_by_their_profile(client: Client, cast: Cast) -> None:
    client.cookies["time_zone"] = "Europe/London"
    client.force_login(cast.wang)
    assert zone_of(client) == "Asia/Shanghai"


def test_the_api_answers_in_utc(client: Client, cast: Cast) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.force_login(cast.wang)
    answer = client.get("/api/v1/reservations/").json()
    assert answer["results"][0]["start"] == "2026-03-06T02:00:00Z"
