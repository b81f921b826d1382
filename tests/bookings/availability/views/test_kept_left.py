"""What is left of guaranteed hours, where somebody books: at home, beside the calendar, on the form."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.roles import By
from bookings.availability.services.kept_hours import kept_hours_grant
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW, reserve

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LEFT = "38.0 of 40.0 guaranteed hours left until"


@pytest.fixture
def kept(cast, clock):  # noqa: F811
    row = kept_hours_grant(
        By(cast.actor("zhao"), NOW - DAY),
        instrument=cast.microscope,
        holder=cast.fudan,
        minutes=2400,
        starts_at=NOW - DAY,
        ends_at=NOW + 60 * DAY,
        price=None,
        released_minutes=0,
        reason="An agreement.",
    )
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    return row


def pages(cast):
    choose = reverse("bookings:choose", args=[cast.microscope.pk])
    time = "?start=2026-03-09T02:00:00Z&minutes=60"
    return {
        "home": reverse("bookings:home"),
        "choice": choose,
        "chosen": choose + time,
        "form": reverse("bookings:book", args=[cast.microscope.pk]) + time,
    }


def said(response):
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("name", ["home", "choice", "chosen", "form"])
def test_the_holder_reads_what_is_left(cast, client, kept, name):
    client.force_login(cast.wang)
    assert LEFT in said(client.get(pages(cast)[name]))


@pytest.mark.parametrize("name", ["home", "choice", "chosen", "form"])
def test_nobody_else_does(cast, client, kept, name):
    client.force_login(cast.hu)
    assert "guaranteed hours left" not in said(client.get(pages(cast)[name]))


def test_what_is_used_up_or_yet_to_come_is_not_at_home(cast, client, kept):
    client.force_login(cast.wang)
    for changed in ({"minutes": 120}, {"minutes": 2400, "start_at": NOW + DAY}):
        type(kept).objects.filter(pk=kept.pk).update(**changed)
        assert "guaranteed hours left" not in page_of(client.get(pages(cast)["home"]))


def test_an_instrument_that_keeps_nothing_costs_no_statement(cast, client, clock):  # noqa: F811
    client.force_login(cast.wang)
    with CaptureQueriesContext(connection) as statements:
        client.get(pages(cast)["choice"])
    assert not [row for row in statements if "kepthours" in row["sql"]]
