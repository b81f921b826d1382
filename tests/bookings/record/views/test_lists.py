"""Working with a list: words, days, order, and the file of what is left."""

import csv
from datetime import datetime
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bookings.models import Earmark
from tests.factories.cast import NOW, reserve
from tests.factories.funding import source
from tests.factories.money import charge_of, store

CHARGES = reverse("bookings:money-charges")


@pytest.fixture
def lin(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    client = Client()
    client.force_login(cast.people["lin"])
    return client


@pytest.fixture
def three(cast):
    """Of 318.00, 106.00 and 212.00, the second on another instrument."""
    furnace = cast.instrument(name="Tube furnace", name_zh="管式炉")
    rows = [
        charge_of(cast, total="318.00"),
        charge_of(cast, total="106.00", instrument=furnace),
        charge_of(cast, total="212.00"),
    ]
    store(rows)
    return rows


def listed(client, **query):
    page = client.get(CHARGES, query)
    assert page.status_code == 200
    return [f"{charge.total:.0f}" for charge in page.context["page"]]


@pytest.mark.parametrize("text", ["tube", "TUBE FURN", "管式"])
def test_words_find_names_in_both_languages(lin, three, text):
    assert listed(lin, q=text) == ["106"]


def test_words_that_are_nowhere_say_so_and_offer_all(lin, three):
    page = lin.get(CHARGES, {"q": "cyclotron"})
    assert "Nothing matches these conditions." in page.content.decode()
    assert listed(lin, q="\0") == listed(lin)


def test_sorted_by_a_column_and_back_to_front(lin, three):
    assert listed(lin, sort="total") == ["106", "212", "318"]
    assert listed(lin, sort="-total") == ["318", "212", "106"]
    html = lin.get(CHARGES, {"sort": "total", "q": "u", "page": "2"}).content.decode()
    assert 'href="?sort=-total&amp;q=u">Total ▲' in html


@pytest.mark.parametrize("sort", ["created_at; drop", "inputs", "-", "host__password", "-id"])
def test_what_is_no_column_changes_nothing(lin, three, sort):
    assert listed(lin, sort=sort) == listed(lin)


@pytest.mark.parametrize("query", [{"payer": "abc"}, {"side": "xx"}, {"month": "2026-13"}])
def test_what_no_filter_knows_is_said_at_its_field_and_lists_nothing(lin, three, query):
    page = lin.get(CHARGES, query)
    assert "invalid-feedback" in page.content.decode()
    assert not len(page.context["page"].object_list)


def test_days_are_the_readers_and_the_last_is_included(lin, three):
    day = three[0].created_at.date().isoformat()
    assert len(listed(lin, since=day, until=day)) == 3
    assert listed(lin, until="2026-01-01") == []
    # What is no day is said at its field, and narrows nothing.
    page = lin.get(CHARGES, {"since": "2026-02-30"})
    assert "invalid-feedback" in page.content.decode()
    assert len(page.context["page"].object_list) == 3


def test_the_file_is_narrowed_and_sorted_too(lin, three):
    answer = lin.get(CHARGES, {"q": "tube", "sort": "total", "format": "csv"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert [line for line in lines if "Tube furnace" in line] == lines[1:2] and len(lines) == 2


def test_a_file_of_money_is_what_book_keeping_reads(lin, three, cast):
    """Nothing but heading and rows, in the reader's zone, with net, person and source; a workbook has dates
    and numbers as such. A host does not see its guests' sources."""
    paid = source(cast, "NSFC-17")
    Earmark.objects.create(
        reservation=three[1].reservation, source=paid, percent=100, redeemed=106, created_at=NOW,
        released_at=NOW,
    )  # fmt: skip
    answer = lin.get(CHARGES, {"sort": "total", "format": "csv"})
    rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [(row["net"], row["tax"], row["total"], row["source"]) for row in rows] == [
        ("100.00", "6.00", "106.00", "NSFC-17"),
        ("200.00", "12.00", "212.00", ""),
        ("300.00", "18.00", "318.00", ""),
    ]
    assert {row["start"] for row in rows} == {"2026-03-02T10:00:00+08:00"}
    assert all(row["person"] and row["made"].endswith("+08:00") for row in rows)
    book = openpyxl.load_workbook(BytesIO(lin.get(CHARGES, {"format": "xlsx"}).content))
    heads, *lines = book["figures"].iter_rows(values_only=True)
    assert {line[heads.index("start")] for line in lines} == {datetime(2026, 3, 2, 10)}
    assert sum(line[heads.index("net")] for line in lines) == 600
    host = Client()
    host.force_login(cast.people["gao"])
    text = b"".join(host.get(CHARGES, {"format": "csv"}).streaming_content).decode()
    assert "106.00" in text and "NSFC-17" not in text


def test_totals_are_of_what_is_left(lin, three):
    totals = lin.get(CHARGES, {"q": "tube"}).context["totals"]
    assert [(f"{each.total:.0f}", each.number) for each in totals] == [("106", 1)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["Anvil", "Zoom", "Zoom two"]), ("zh-hans", ["Zoom two", "Zoom", "Anvil"])],
)
def test_things_are_sorted_by_the_name_shown_in_chinese_by_pinyin(cast, monkeypatch, language, expected):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    for name, name_zh in (("Anvil", "中子炉"), ("Zoom", "安全炉"), ("Zoom two", "")):
        thing = cast.instrument(name=name, name_zh=name_zh)
        reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=thing)
    User.objects.filter(pk=cast.zhao.pk).update(language=language)
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(pk=cast.zhao.pk))
    for sort, order in (("instrument__name", 1), ("-instrument__name", -1)):
        page = client.get(reverse("bookings:hosted"), {"sort": sort})
        shown = [row.instrument.name for row in page.context["rows"]]
        assert shown == expected[::order]
