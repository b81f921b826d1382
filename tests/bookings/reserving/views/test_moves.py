"""Moving a booking on the calendar of its instrument."""

import pytest
from django.urls import reverse

from instruments.models import Instrument
from tests.accounts.pages import page_of
from tests.factories import api as programs
from tests.factories.cast import at, reserve

clock = programs.clock  # a fixture


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")


@pytest.fixture
def wang(client, cast, clock):
    client.force_login(cast.people["wang"])
    return client


def address(booked):
    return reverse("bookings:move", args=[booked.pk])


def starts(shown, day):
    return [s for each in shown["days"] if str(each["date"]) == day for s in each["starts"]]


def test_its_own_time_is_free_and_that_of_others_is_not(cast, wang, booked):
    reserve(cast, "2026-03-06 13:00", "2026-03-06 15:00", who="sun")
    page = wang.get(address(booked))
    free = starts(page.context, "2026-03-06")
    assert at("2026-03-06 10:00") in free and at("2026-03-06 11:00") in free
    assert at("2026-03-06 12:00") not in free  # two hours from there meet Sun's
    assert page.context["minutes"] == 120
    # Each start leads back to this page, for who has no script.
    assert f'href="{address(booked)}?start=2026-03-06T' in page_of(page)


def test_another_week_is_a_part_of_the_page(wang, booked):
    part = wang.get(
        address(booked),
        {"week": "2026-03-09", "minutes": "60"},
        headers={"HX-Request": "true", "HX-Target": "week"},
    ).content.decode()
    assert "<html" not in part and 'value="2026-03-09"' in part and "week-setup" in part


def test_of_an_instrument_that_is_shown_no_more_the_form_is_left(cast, wang, booked):
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="retired")
    html = page_of(wang.get(address(booked)))
    assert "week-setup" not in html and 'name="start"' in html


def test_nobody_else_sees_the_week_of_it(client, cast, clock, booked):
    client.force_login(cast.people["sun"])
    assert client.get(address(booked)).status_code == 404
    part = client.get(address(booked), headers={"HX-Request": "true", "HX-Target": "week"})
    assert part.status_code == 404
