"""Labels of instruments as PDF."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import RoleGrant
from bookings.usage.views.labels import label_of
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.cast import NOW


@pytest.fixture
def zhao(cast):
    client = Client()
    client.force_login(cast.zhao)
    return client


def test_labels_of_a_facility_and_of_one(cast, zhao):
    other = cast.instrument(name="AFM", name_zh="原子力显微镜")
    here = reverse("bookings:labels")
    html = page_of(zhao.get(here, {"instrument": str(other.pk)}))
    assert html.count("checked") == 2  # it, and the sheet
    for layout in ("sheet", "roll"):
        chosen = [str(cast.microscope.pk), str(other.pk)]
        answer = zhao.get(here, {"layout": layout, "instrument": chosen})
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert answer.content.count(b"/Type /Page\n") == (1 if layout == "sheet" else 2)
    page_of(zhao.get(here, {"layout": "wall", "instrument": chosen}), 400)
    page_of(zhao.get(here, {"layout": "roll", "instrument": [str(cast.wang.pk)]}), 400)


def test_what_a_label_says(cast, settings):
    settings.SITE_URL = "https://commons.example"
    row = Instrument.objects.get(pk=cast.microscope.pk)
    row.room = "214"
    row.alternate_identifiers = [
        {"identifier": "20190042", "identifier_type": "InventoryNumber"},
        {"identifier": "SN-7", "identifier_type": "SerialNumber"},
    ]
    label = label_of(row)
    assert label.link == f"https://commons.example/at/{row.short_code}/"
    assert (label.code, label.title) == (row.short_code, "Transmission electron microscope")
    assert list(label.lines) == ["透射电子显微镜", "No. 20190042", "Instruments Centre · 214"]
    assert "Scan: check in or out, report a fault" in label.foot and "扫码：签到、签退、报修" in label.foot
    with translation.override("zh-hans"):
        label = label_of(row)
    assert (label.title, label.lines[0]) == ("透射电子显微镜", "Transmission electron microscope")


def test_for_managers(cast, client):
    client.force_login(cast.wang)
    assert client.get(reverse("bookings:labels")).status_code == 403


def test_who_manages_one_instrument_prints_its_label_alone(cast, client):
    own = cast.instrument(name="AFM")
    RoleGrant.objects.create(
        user=cast.sun, role="manager", organisation=cast.ustc, instrument_id=own.pk, granted_at=NOW
    )
    client.force_login(cast.sun)
    here = reverse("bookings:labels")
    assert str(cast.microscope.pk) not in page_of(client.get(here))
    assert client.get(here, {"layout": "roll", "instrument": str(own.pk)}).content.startswith(b"%PDF-")
    page_of(client.get(here, {"layout": "roll", "instrument": str(cast.microscope.pk)}), 400)
