"""The story of a record, as far as the reader may read the trail."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, RoleGrant
from accounts.trail import record
from bookings.audit.selectors.trail import TrailQuery, entries_where, trail_page
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, reserve


@pytest.mark.parametrize(("who", "reads_all"), [("zhao", False), ("auditor", True)])
def test_who_acted_once_reads_no_more_than_their_own_acts(
    client: Client, cast: Cast, who: str, reads_all: bool
) -> None:
    instrument = cast.instrument(policy={"approval": "manual"})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00", instrument=instrument)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=made.pk, approve=True, reason="")
    RoleGrant.objects.filter(user=cast.people["zhao"]).update(revoked_at=NOW)
    Membership.objects.filter(user=cast.people["zhao"]).update(ended_at=NOW)
    reservation_cancel(
        By(cast.actor("wang"), NOW + timedelta(minutes=1)), reservation_id=made.pk, reason="private-reason"
    )
    client.force_login(cast.people[who])
    html = page_of(client.get(f"/trail/{made.pk}/"))
    assert "reservation.confirmed" in html
    assert ("reservation.cancelled" in html) is reads_all
    assert ("private-reason" in html) is reads_all
    assert (f"/bookings/{made.pk}/" in html) is reads_all


def test_who_never_acted_on_it_finds_nothing(client: Client, cast: Cast) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    client.force_login(cast.people["sun"])
    page_of(client.get(f"/trail/{made.pk}/"), 404)


def test_pages_go_back_through_quiet_times(cast: Cast) -> None:
    auditor, zhao = cast.actor("auditor"), cast.people["zhao"]
    # Busy days long ago, then nothing for months, then a little.
    days = [0, 3, 100, 100.5, 101, 101.5, 200]
    made = [
        record(
            By(PLATFORM, NOW - timedelta(days=day)),
            action="user.update",
            target=zhao,
            places=((), [cast.anhui.pk]),
        )
        for day in days
    ]
    entries = entries_where(auditor, TrailQuery(object_id=zhao.pk, action="user.update"))
    found, after = [], ""
    while True:
        page = trail_page(entries, after, most=2)
        found += [step.entry.pk for step in page.steps]
        if page.older is None:
            break
        after = page.older
    assert found == [entry.pk for entry in made]
