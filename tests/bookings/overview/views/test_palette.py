"""What the command palette finds, and for whom."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from instruments.register.models import Instrument
from instruments.search.services.search import entries_file
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, reserve


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def options(client: Client, text: str, language: str = "en") -> dict[str, list[str]]:
    """The addresses of the options, by the kind of their group."""
    headers = {"accept-language": language}
    html = page_of(client.get("/palette/", {"q": text}, headers=headers))
    parts = re.split(r'<div role="group" aria-labelledby="palette-(\w+)"', html)[1:]
    return {
        kind: re.findall(r'role="option"[^>]*href="([^"]*)"', part)
        for kind, part in zip(parts[::2], parts[1::2], strict=True)
    }


def test_pages_are_those_of_the_reader_s_navigation(client: Client, cast: Cast) -> None:
    assert options(client, "") == {"pages": ["/", "/hours/", "/planning/decisions/", "/map/"]}
    client.force_login(cast.people["zhao"])
    assert options(client, "requ") == {"pages": ["/requests/"]}
    client.force_login(cast.people["wang"])
    assert options(client, "requ") == {"pages": []}
    client.logout()
    assert options(client, "地图", "zh-hans") == {"pages": ["/map/"]}


def test_own_bookings_and_nobody_else_s(client: Client, cast: Cast) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    name = cast.microscope.name[:12]
    client.force_login(cast.people["wang"])
    assert options(client, name)["bookings"] == [f"/bookings/{booking.pk}/"]
    client.force_login(cast.people["sun"])
    assert "bookings" not in options(client, name)


def test_an_instrument_that_is_not_published_is_not_there(client: Client, cast: Cast) -> None:
    name = cast.microscope.name[:12]
    assert options(client, name)["instruments"] == [f"/instruments/{cast.microscope.pk}/"]
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="draft")
    entries_file([cast.microscope.pk])
    assert "instruments" not in options(client, name)


@pytest.mark.parametrize(
    ("who", "sees"), [("", 0), ("alice", 0), ("wang", 0), ("hu", 0), ("zhao", 0), ("chen", 1), ("admin", 1)]
)
def test_people_only_of_organisations_whose_members_one_may_read(
    client: Client, cast: Cast, who: str, sees: int
) -> None:
    if who:
        client.force_login(cast.people[who])
    found = options(client, cast.people["wang"].email)
    assert found.get("people", []) == [f"/organisations/{cast.fudan.pk}/members/"] * sees


def test_organisations_for_who_is_signed_in(client: Client, cast: Cast) -> None:
    assert "organisations" not in options(client, "Fudan")
    client.force_login(cast.people["alice"])
    assert options(client, "Fudan")["organisations"] == [f"/organisations/{cast.fudan.pk}/"]


@pytest.mark.parametrize("text", ["x", "\0", "%", "'\"<b>", "a" * 5000, "()&|!:*"])
def test_any_text_is_answered(client: Client, cast: Cast, text: str) -> None:
    client.force_login(cast.people["admin"])
    html = page_of(client.get("/palette/", {"q": text}))
    assert "<b>" not in html


def test_it_takes_few_statements(client: Client, cast: Cast, django_assert_max_num_queries: Any) -> None:
    client.force_login(cast.people["admin"])
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    client.get("/palette/?q=microscope")
    with django_assert_max_num_queries(8):  # the person, what waits for them, four kinds
        client.get("/palette/?q=microscope")
