"""The zone in which a page says its times."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Installation
from accounts.selectors.installation import KEPT
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, reserve

pytestmark = pytest.mark.django_db


def zone_of(client: Client, path: str = "/") -> str:
    match = re.search(r'id="reader-zone">Times are in (.+?) where', page_of(client.get(path)))
    assert match
    assert timezone.get_current_timezone_name() == "UTC", "left as it was"
    return match[1]


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("Asia/Shanghai", "Beijing time"),
        ("Asia/Calcutta", "Kolkata time"),
        ("Etc/GMT+3", "Etc/GMT+3"),
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
    assert zone_of(client) == "Beijing time"


def test_who_has_not_said_a_zone_reads_by_that_of_the_first_region(
    client: Client, cast: Cast, settings: Any, request: pytest.FixtureRequest
) -> None:
    """The operator may name another one. The page says which, so that the browser can ask for it
    again; who is signed in has a zone of their own, and what answers a form is not asked twice."""
    Installation.objects.create(name="Commons", languages=["en"], created_at=NOW)
    cache.delete(KEPT)
    request.addfinalizer(lambda: cache.delete(KEPT))
    page = page_of(client.get("/"))
    assert 'data-visitor-zone="Asia/Shanghai"' in page
    assert "zone of your browser" not in page
    assert zone_of(client) == "Beijing time"
    settings.USUAL_TIME_ZONE = "Europe/London"
    assert zone_of(client) == "London time"
    refused = client.post("/accounts/login/", {"login": "nobody@nowhere.example"})
    assert "data-visitor-zone" not in refused.content.decode()
    client.force_login(cast.wang)
    assert "data-visitor-zone" not in client.get("/").content.decode()


def test_the_api_answers_in_utc(client: Client, cast: Cast) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.force_login(cast.wang)
    answer = client.get("/api/v1/reservations/").json()
    assert answer["results"][0]["start"] == "2026-03-06T02:00:00Z"
