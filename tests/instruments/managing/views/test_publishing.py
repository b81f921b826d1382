"""Steps of publication from the instrument's page."""

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.reserving.services.reservations import reservation_cancel
from instruments.managing.services.registry import instrument_create
from instruments.register.models import Instrument
from tests.factories.cast import NOW, reserve
from tests.instruments.conftest import signed_in


def step(client, instrument, act, **more):
    address = reverse("instruments:publication", args=[instrument.pk])
    return client.post(address, {"act": act, **more})


def state(instrument) -> str:
    return Instrument.objects.get(pk=instrument.pk).publication


def test_suspended_with_a_reason_and_published_again(cast, zhao):
    response = step(zhao, cast.microscope, "suspend", reason="moving house")
    assert response.url == f"/manage/instruments/{cast.microscope.pk}/"
    assert state(cast.microscope) == "suspended"
    assert TrailEntry.objects.filter(action="instrument.suspend").exists()
    page = zhao.get(response.url).content.decode()
    assert "Publish again" in page
    step(zhao, cast.microscope, "publish")
    assert state(cast.microscope) == "published"


@pytest.mark.parametrize("act", ["suspend", "retire"])
def test_taking_it_out_needs_a_reason(cast, zhao, act):
    response = step(zhao, cast.microscope, act)
    assert response.status_code == 400
    assert "Give a reason" in response.content.decode()
    assert state(cast.microscope) == "published"


def test_retiring_is_final(cast, zhao):
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    response = step(zhao, cast.microscope, "retire", reason="sold")
    assert response.status_code == 422
    assert "has bookings that are not over (1)" in response.content.decode()
    assert state(cast.microscope) == "published"
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booked.pk, reason="")
    step(zhao, cast.microscope, "retire", reason="sold")
    response = step(zhao, cast.microscope, "publish")
    assert response.status_code == 409
    assert "no longer possible" in response.content.decode()
    assert state(cast.microscope) == "retired"


def test_publishing_an_incomplete_record_says_what_is_missing(cast, zhao):
    made = instrument_create(By(cast.actor("zhao"), NOW), facility=cast.facility, techniques=[], name="Raman")
    response = step(zhao, made, "publish")
    assert response.status_code == 422
    assert "It cannot be published yet. Missing: description, maker" in response.content.decode()
    assert state(made) == "draft"


def test_changed_meanwhile_is_412(cast, zhao):
    response = step(zhao, cast.microscope, "suspend", reason="x", version=99)
    assert response.status_code == 412
    assert state(cast.microscope) == "published"


def test_unknown_act_is_400(cast, zhao):
    assert step(zhao, cast.microscope, "explode").status_code == 400


def test_only_managers_of_the_owner(cast, noon):
    assert step(signed_in(cast.chen), cast.microscope, "suspend", reason="x").status_code == 403
    assert state(cast.microscope) == "published"


def test_get_leads_to_the_page(cast, zhao):
    address = reverse("instruments:publication", args=[cast.microscope.pk])
    page = reverse("instruments:instrument-manage", args=[cast.microscope.pk])
    assert zhao.get(address)["Location"] == page
