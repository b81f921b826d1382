"""The pages of hours show no more than the reader's roles reach."""

import pytest
from django.test import Client

from accounts.domain.roles import By
from bookings.models import Reservation
from bookings.usage.services.usage import reservation_check_in
from instruments.managing.services.registry import instrument_create
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, reserve


@pytest.mark.parametrize(("who", "is_named"), [("zhao", True), ("chen", False)])
def test_a_draft_and_its_facility_are_named_to_those_alone_who_read_its_hours(
    client: Client, cast: Cast, who: str, is_named: bool
) -> None:
    draft = instrument_create(
        By(cast.actor("zhao"), NOW),
        facility=cast.facility,
        techniques=[],
        name="Secret draft",
        manufacturers=[{"name": "x"}],
        description="d",
        service_modes=["self"],
    )
    client.force_login(cast.people[who])
    html = page_of(client.get("/hours/", {"instrument": draft.pk}))
    assert ("Secret draft" in html) is is_named
    html = page_of(client.get("/hours/", {"facility": cast.facility.pk}))
    assert ("Instruments Centre" in html) is is_named
    assert "Anhui" in page_of(client.get("/hours/", {"region": "CN-AH"}))


@pytest.mark.parametrize(("who", "reads"), [("coordinator", False), ("zhao", True), ("auditor", True)])
def test_people_and_bookings_are_shown_to_those_who_may_read_them(
    client: Client, cast: Cast, who: str, reads: bool
) -> None:
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    missed = reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00")
    reservation_check_in(By(cast.actor("wang"), used.start_at), reservation_id=used.pk)
    Reservation.objects.filter(pk=missed.pk).update(state="no_show")
    client.force_login(cast.people[who])
    asked = {"since": "2026-03-06", "instrument": str(cast.microscope.pk)}
    html = page_of(client.get("/hours/rows/", asked))
    assert "Fudan University" in html and "15:00" in html
    assert ("Wang Li" in html) is reads
    assert (f"/bookings/{used.pk}/" in html) is reads
    assert (f"/bookings/{missed.pk}/" in html) is reads
