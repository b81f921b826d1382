"""What people say of an instrument, and who reads it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bookings.models import UsageSession
from tests.factories.api import Program
from tests.factories.cast import Cast
from tests.factories.charges import use

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(cast: Cast) -> list[UsageSession]:
    """One well, one badly with remarks, one with remarks alone, one without a word."""
    days = ["2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"]
    remarks: list[dict[str, Any]] = [
        {"rating": 4}, {"rating": 1, "remarks": "<b>It drifts"}, {"remarks": "Dusty"}, {},
    ]  # fmt: skip
    sessions = []
    for day, values in zip(days, remarks, strict=True):
        charge = use(cast, f"{day} 08:00", f"{day} 09:00")
        session = UsageSession.objects.get(reservation=charge.reservation_id)
        UsageSession.objects.filter(pk=session.pk).update(**values)
        sessions.append(session)
    return sessions


def test_managers_read_ratings_and_remarks(
    cast: Cast, rated: list[UsageSession], program: Callable[[str], Program]
) -> None:
    """The latest first; mean and count are of the days, whichever rating is listed; days are those
    of the facility: 8:00 there is the same day in UTC, midnight there is not."""
    path = f"instruments/{cast.microscope.pk}/ratings/"
    zhao = program("zhao")
    body = zhao.get(path).body
    assert [(row["rating"], row["remarks"]) for row in body["results"]] == [
        (None, "Dusty"), (1, "<b>It drifts"), (4, ""),
    ]  # fmt: skip
    first = body["results"][-1]
    assert (first["person"], first["organisation"]) == ("Wang Li", "fudan")
    assert first["reservation"] == str(rated[0].reservation_id)
    assert (body["count"], body["mean"]) == (2, 2.5)
    poor = zhao.get(path + "?rating=1").body
    assert [row["rating"] for row in poor["results"]] == [1]
    assert (poor["count"], poor["mean"]) == (2, 2.5)
    one = zhao.get(path + "?since=2026-03-11&until=2026-03-11").body
    assert ([row["rating"] for row in one["results"]], one["mean"]) == ([1], 1.0)
    none = zhao.get(path + "?since=2026-03-20").body
    assert (none["results"], none["count"], none["mean"]) == ([], 0, None)
    assert zhao.get(path + "?rating=6").status == 400
    assert zhao.get(path + "?since=2026-02-30").status == 400
    for name in ("wang", "sun", "chen", "gao", "auditor"):
        assert program(name).get(path).status == 403


def test_the_page_of_ratings(cast: Cast, rated: list[UsageSession], client: Client) -> None:
    client.force_login(cast.zhao)
    path = f"/manage/instruments/{cast.microscope.pk}/ratings/"
    page = client.get(path).content.decode()
    assert "2.5 of 5 on average, from 2 ratings" in page
    assert "1 of 5, badly" in page and "&lt;b&gt;It drifts" in page and "Dusty" in page
    assert "Wang Li" in page and "Fudan" in page
    page = client.get(path + "?rating=4&since=2026-03-10").content.decode()
    assert "4 of 5, well" in page and "drifts" not in page
    assert client.get(path + "?rating=x&since=y").status_code == 200
    public = client.get(f"/instruments/{cast.microscope.pk}/").content.decode()
    assert "drifts" not in public
    client.logout()
    assert "drifts" not in client.get(f"/instruments/{cast.microscope.pk}/").content.decode()
