"""The page on which a calendar is brought in."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.models import Reservation
from tests.factories.cast import CARD, publish

PAGE = "/bookings/import/"


@pytest.fixture
def cast(shared_cast, db):
    return shared_cast


@pytest.fixture
def wang(cast):
    browser = Client()
    browser.force_login(cast.wang)
    return browser


def soon(hours=0):
    """Wall clock of the instrument, ten days ahead."""
    day = timezone.localtime(timezone.now(), timezone.get_fixed_timezone(480)).date()
    return f"{day + timedelta(days=10)} {10 + hours}:00"


def file_of(*rows, name="old.csv"):
    text = "仪器,开始时间,结束时间,使用人邮箱,编号\n" + "".join(f"{row}\n" for row in rows)
    return SimpleUploadedFile(name, text.encode("gb18030"))


def carried(answer):
    """What the form below a preview sends."""
    text = answer.content.decode()
    form = text[text.index("card-footer") :].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


@pytest.fixture
def always(cast):
    hours = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
    return publish(cast, name="Always", name_zh="常开", hours=hours, card=CARD)


def test_a_file_is_shown_first_and_then_booked_without_choosing_it_again(always, wang):
    rows = [f"常开,{soon()},{soon(2)},,B-1", f"常开,{soon(1)},{soon(3)},,B-2"]
    assert wang.get(PAGE).status_code == 200
    answer = wang.post(PAGE, {"file": file_of(*rows), "encoding": "gb18030", "act": "preview"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert re.findall(r'data-result="(\w+)"', text) == ["booked", "refused"]
    assert re.findall(r'data-code="([\w-]+)"', text) == ["slot-taken"]
    assert Reservation.objects.count() == 0
    again = carried(answer)
    refused = wang.post(PAGE, again | {"act": "refuse"})
    assert (refused.status_code, Reservation.objects.count()) == (422, 0)
    done = wang.post(PAGE, carried(refused) | {"act": "skip"})
    assert done.status_code == 302 and done["Location"] == reverse("bookings:mine")
    made = Reservation.objects.get()
    page = wang.get(reverse("bookings:reservation", kwargs={"reservation_id": made.pk}))
    assert "row 2 of old.csv (B-1)" in page.content.decode()
    # Once more: it was imported before.
    text = wang.post(PAGE, again | {"act": "preview"}).content.decode()
    assert re.findall(r'data-result="(\w+)"', text) == ["unchanged", "refused"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "This field is required."),
        ({"content": "no base64"}, "This field is required."),
        ({"file": file_of("常开,x,y,,")}, "is not utf-8 text"),
        ({"file": SimpleUploadedFile("x.csv", b"x" * 700_001)}, "too large"),
        ({"file": SimpleUploadedFile("x.csv", b"name\n1\n")}, "lacks a column: instrument"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_its_field(wang, sent, said):
    answer = wang.post(PAGE, sent | {"act": "preview"})
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_a_cell_stays_text(wang, always):
    """Nothing of a file is taken for markup."""
    answer = wang.post(
        PAGE, {"file": file_of(f"<b>x</b>,{soon()},{soon(1)},,"), "encoding": "gb18030", "act": "preview"}
    )
    assert "<b>x</b>" not in answer.content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in answer.content.decode()
