"""How a facility receives samples by post: who says it, and where it is read."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from accounts.domain.errors import NotFound, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.samples.domain.samples import MOST_DAYS, USUAL_DAYS
from bookings.samples.models import SampleReceiving
from bookings.samples.selectors.labels import load_labels
from bookings.samples.selectors.receiving import receiving_of
from bookings.samples.services.receiving import receiving_set
from instruments.reading.domain.clock import local_date
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW, reserve
from tests.factories.samples import announce, join

pytestmark = pytest.mark.django_db
VALUES = {
    "recipient": "样品室 Sample office",
    "address": "96 Jinzhai Road, Hefei",
    "phone": "+86 551 0000",
    "hours": "9–16",
    "not_accepted": "radioactive samples",
    "packing": "sealed vessel",
}


def said(cast, who="zhao", version=None, **values):
    by = By(cast.actor(who), NOW, version)
    return receiving_set(by, facility_id=cast.facility.pk, **VALUES | values)


def test_its_managers_set_it_and_the_trail_keeps_what_it_was(cast):
    assert said(cast, version=0).version == 1
    assert said(cast, version=1).version == 1  # nothing has changed
    assert said(cast, version=1, hours="").version == 2
    entry = TrailEntry.objects.filter(action="facility.sample-receiving").latest("at", "id")
    assert (entry.before["hours"], entry.after["hours"]) == ("9–16", "")
    assert receiving_of(cast.facility.pk).recipient == VALUES["recipient"]


def test_who_read_another_version_or_may_not_changes_nothing(cast):
    said(cast, version=0)
    for version in (0, 2):
        with pytest.raises(WrongVersion):
            said(cast, version=version, hours="")
    with pytest.raises(NotPermitted):
        said(cast, "wang", version=1, hours="")
    with pytest.raises(NotFound):
        receiving_set(By(cast.actor("zhao"), NOW), facility_id=cast.ustc.pk, **VALUES)
    assert receiving_of(cast.facility.pk).hours == "9–16"


@pytest.mark.usefixtures("clock")
def test_it_is_read_where_a_sample_is_sent(cast):
    cast.microscope.service_modes = ["self", "entrusted"]
    cast.microscope.save(update_fields=["service_modes"])
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    paths = [f"/instruments/{cast.microscope.pk}/", f"/bookings/{booking.pk}/", f"/samples/{sample.code}/"]
    client = Client()
    client.force_login(cast.wang)
    assert not any(VALUES["recipient"] in page_of(client.get(path)) for path in paths)
    said(cast)
    for path in paths:
        html = page_of(client.get(path))
        assert all(value in html for value in VALUES.values())
    assert VALUES["phone"] not in page_of(Client().get(paths[0]))  # who is not signed in sends nothing
    (label,) = load_labels(cast.actor("wang"), [sample.pk])
    assert any("样品室" in line and "Jinzhai" in line for line in label.lines)


@pytest.mark.usefixtures("clock")
def test_set_on_the_page_of_the_facility(cast):
    client = Client()
    client.force_login(cast.zhao)
    address = f"/manage/facilities/{cast.facility.pk}/samples/"
    assert address in page_of(client.get(f"/manage/facilities/{cast.facility.pk}/"))
    page_of(client.get(address))
    assert page_of(client.post(address, VALUES | {"version": "0", "recipient": " "}), 400)
    assert page_of(client.post(address, VALUES | {"version": "0", "packing": "x" * 1001}), 400)
    assert receiving_of(cast.facility.pk) is None
    assert client.post(address, VALUES | {"version": "0"}).status_code == 302
    assert page_of(client.post(address, VALUES | {"version": "0", "hours": "never"}), 412)
    assert receiving_of(cast.facility.pk).hours == "9–16"


@pytest.mark.usefixtures("clock")
def test_times_for_samples_sent_in_come_after_they_have_arrived(cast):
    cast.microscope.service_modes = ["self", "entrusted"]
    cast.microscope.save(update_fields=["service_modes"])

    def first(mode):
        offer = load_offers([cast.microscope], cast.fudan, NOW, user_id=cast.wang.pk, mode=mode)
        return local_date(cast.facility.zone, offer[cast.microscope.pk].starts[0])

    today = local_date(cast.facility.zone, NOW)
    assert first("self") == today
    assert today + USUAL_DAYS * timedelta(days=1) == date(2026, 3, 8)  # a Sunday
    assert first("entrusted") == date(2026, 3, 9)
    said(cast, version=0, lead_days=5)
    assert first("entrusted") == date(2026, 3, 10)
    said(cast, version=1, lead_days=0)
    assert first("entrusted") == today  # brought to the counter
    with pytest.raises(IntegrityError):
        SampleReceiving.objects.update(lead_days=MOST_DAYS + 1)


@pytest.mark.usefixtures("clock")
def test_the_form_says_when_what_is_posted_can_be_worked_on(cast):
    cast.microscope.service_modes = ["self", "entrusted"]
    cast.microscope.save(update_fields=["service_modes"])
    client = Client()
    client.force_login(cast.wang)
    address = f"/instruments/{cast.microscope.pk}/book/"
    asked = {"start": "2026-03-06T02:00:00Z", "minutes": "120"}
    hint = "Samples that you post today can be worked on from"
    assert hint not in page_of(client.get(address, asked | {"service_mode": "self"}))
    assert hint in page_of(client.get(address, asked | {"service_mode": "entrusted"}))
    later = asked | {"service_mode": "entrusted", "start": "2026-03-10T02:00:00Z"}
    assert hint not in page_of(client.get(address, later))
    page = client.get(f"/instruments/{cast.microscope.pk}/", {"service_mode": "entrusted"})
    starts = page.context["next_starts"]
    assert starts and all(local_date(cast.facility.zone, s) >= date(2026, 3, 8) for s in starts)
    zhao = Client()
    zhao.force_login(cast.zhao)
    address = f"/manage/facilities/{cast.facility.pk}/samples/"
    assert page_of(zhao.post(address, VALUES | {"version": "0", "lead_days": "15"}), 400)
    assert zhao.post(address, VALUES | {"version": "0", "lead_days": "1"}).status_code == 302
    assert receiving_of(cast.facility.pk).lead_days == 1
