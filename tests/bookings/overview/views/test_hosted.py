"""The bookings of one's instruments: by instrument, state, person, organisation and region, with hours and
price."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.roles import By
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, at, reserve

ADDRESS = reverse("bookings:hosted")


@pytest.fixture
def zhao(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    client = Client()
    client.force_login(cast.people["zhao"])
    return client


@pytest.fixture
def three(cast):
    """One of Wang Li that was used, one of Sun that was cancelled, one of the owner's own on a furnace."""
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    by = By(cast.actor("wang"), at("2026-03-06 10:00"))
    reservation_check_in(by, reservation_id=used.pk)
    reservation_check_out(By(by.actor, at("2026-03-06 11:30")), reservation_id=used.pk)
    off = reserve(cast, "2026-03-09 10:00", "2026-03-09 13:00", who="sun")
    reservation_cancel(By(cast.actor("sun"), NOW + timedelta(hours=1)), reservation_id=off.pk, reason="")
    furnace = cast.instrument(name="Tube furnace", name_zh="管式炉")
    other = reserve(cast, "2026-03-10 10:00", "2026-03-10 14:00", instrument=furnace)
    return used, off, other


def listed(client, **query):
    page = client.get(ADDRESS, query)
    assert page.status_code == 200
    return [row.pk for row in page.context["page"]]


def file_of(client, **query):
    content = b"".join(client.get(ADDRESS, {"format": "csv"} | query).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content.partition("\r\n\r\n")[0])))


def test_each_filter_narrows_to_its_bookings(cast, zhao, three):
    used, off, other = (row.pk for row in three)
    assert listed(zhao) == [other, off, used]
    assert listed(zhao, instrument=three[2].instrument_id) == [other]
    assert listed(zhao, state="cancelled") == [off]
    assert listed(zhao, state="completed") == [used]
    assert listed(zhao, person="Wang Li (wang@fudan.example)") == [other, used]
    assert listed(zhao, organisation="Fudan University") == [other, used]
    assert listed(zhao, organisation="USTC") == listed(zhao, region="CN-AH") == [off]
    assert listed(zhao, region="CN-SH", mode="self") == [other, used]
    assert listed(zhao, region="CN-SH", mode="entrusted") == []
    assert listed(zhao, q=str(used)[-12:]) == [used]
    assert listed(zhao, since="2026-03-09", until="2026-03-09") == [off]


def test_what_names_nobody_is_said_at_its_field_and_lists_nothing(zhao, three):
    page = page_of(zhao.get(ADDRESS, {"person": "nobody at all"}))
    assert "You know of nobody called so." in page and "Nothing matches these conditions." in page
    assert listed(zhao, person="nobody at all") == listed(zhao, organisation="no such one") == []
    assert file_of(zhao, person="nobody at all") == []


def test_price_and_hours_stand_in_columns_and_what_was_cancelled_is_struck_through(cast, zhao, three):
    page = page_of(zhao.get(ADDRESS))
    text = re.sub(r"\s+", " ", re.sub(r"<(?!/?s\b)[^>]*>", " ", page))
    assert re.search(r"2 h used 1 h 30 min CNY 657\.20", text)
    assert re.search(r"<s [^>]*> ?3 h ?</s> .*<s [^>]*> ?CNY [0-9.]+ ?</s> cancelled", text)
    # Two and four hours; not the three that were cancelled.
    assert "3 bookings, 6 h (1 was cancelled or declined: its time is not counted)" in text


def test_the_file_says_when_in_the_readers_zone_and_what_was_booked_and_used(zhao, three):
    other, off, used = file_of(zhao)
    assert (used["start"], used["end"]) == ("2026-03-06T10:00:00+08:00", "2026-03-06T12:00:00+08:00")
    assert (used["hours"], used["hours_used"]) == ("2.00", "1.50")
    assert (used["price"], used["currency"], used["mode"]) == ("657.20", "CNY", "self")
    assert (off["hours"], off["hours_used"], off["state"]) == ("0.00", "", "cancelled")
    assert other["payer_region"] == "CN-SH"


def test_it_is_sorted_by_price_and_hours(zhao, three):
    used, off, other = (row.pk for row in three)
    assert listed(zhao, sort="price") == [off, used, other]  # the owner's own is cheaper
    assert listed(zhao, sort="hours") == [used, off, other]
    assert listed(zhao, sort="-hours") == [other, off, used]


def test_more_rows_take_no_more_statements(cast, zhao):
    def statements():
        with CaptureQueriesContext(connection) as asked:
            zhao.get(ADDRESS)
        return len(asked)

    reserve(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    zhao.get(ADDRESS)
    one = statements()
    for hour in (13, 15):
        reserve(cast, f"2026-03-11 {hour}:00", f"2026-03-11 {hour + 1}:00")
    assert statements() == one <= 8
