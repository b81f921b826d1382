"""Whether results were handed over, where a charge is disputed."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import NOBODY, By
from bookings.charging.services.charges import charge_make
from bookings.charging.services.disputes import dispute_open
from bookings.models import Charge
from bookings.reserving.services.reservations import reservation_cancel
from bookings.results.services.collecting import delivery_begin, delivery_note, link_make
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, reserve
from tests.factories.results import announced, released

pytestmark = pytest.mark.django_db


@pytest.fixture
def disputed(cast, settings, tmp_path, monkeypatch):
    """A charge that Wang disputes, of a booking with results."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    booking = reserve(cast, "2026-03-05 16:00", "2026-03-05 17:00", now=NOW - timedelta(minutes=11))
    hand_off = released(cast, announced(cast, booking))
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booking.pk, reason="")
    charge = charge_make(reservation_id=booking.pk, now=NOW)
    dispute_open(By(cast.actor("wang"), NOW), charge_id=charge.pk, reason="Results never came.")
    return charge, hand_off


def page(cast, charge, who):
    client = Client()
    client.force_login(cast.people[who])
    return page_of(client.get(reverse("bookings:money-charges-one", args=[charge.pk])))


@pytest.mark.parametrize("who", ["wang", "gao", "auditor"])
def test_a_dispute_is_answered_by_the_receipts(cast, disputed, who):
    charge, hand_off = disputed
    before = page(cast, charge, who)
    assert "Results of this booking" in before and hand_off.manifest_digest in before
    assert "not yet" in before
    by = By(cast.actor("wang"), NOW)
    row = delivery_begin(by, hand_off=hand_off, path="", size=1000)
    delivery_note(receipt_id=row.pk, start=0, end=1000, now=NOW)
    after = page(cast, charge, who)
    assert after.count("not yet") == before.count("not yet") - 1  # the tick of the host is another
    assert "delivered" in after and "everything" in after


@pytest.mark.parametrize("who", ["wang", "gao", "auditor"])
def test_a_delivery_that_the_host_made_to_itself_proves_nothing(cast, disputed, who):
    charge, hand_off = disputed
    zhao = By(cast.actor("zhao"), NOW)
    link = link_make(zhao, hand_off_id=hand_off.pk, label="Wang Li", expires_at=NOW + timedelta(days=1))
    row = delivery_begin(By(NOBODY, NOW), hand_off=hand_off, path="", size=1000, link=link)
    delivery_note(receipt_id=row.pk, start=0, end=1000, now=NOW)
    shown = page(cast, charge, who)
    assert "created by Zhao Min" in shown and "not a delivery" in shown
    assert "not yet" in shown and ">delivered<" not in shown


def test_a_charge_that_nobody_disputes_says_nothing_of_results(cast, disputed):
    charge, _ = disputed
    charge.disputes.all().delete()
    Charge.objects.filter(pk=charge.pk).update(state="open")
    assert "Results of this booking" not in page(cast, charge, "wang")
