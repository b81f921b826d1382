"""Two auditors at the same exceptions."""

import pytest

from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from accounts.services.memberships import role_grant
from bookings.audit.services.audit import exceptions_decide, exceptions_find
from bookings.models import AuditException, Reservation
from bookings.reserving.services.reservations import reservation_request
from tests.concurrency.races import HOUR, booking, time_of

pytestmark = pytest.mark.concurrency


def test_the_same_rows_in_opposite_orders(real_cast, instrument, race, rounds):
    """Each row is decided once, and whoever came second is told of it."""
    wang = real_cast.actor("wang")
    role_grant(By(PLATFORM, time_of(0)[1]), user=real_cast.alice, role="auditor", region=real_cast.anhui)
    auditors = [real_cast.actor("auditor"), real_cast.actor("alice")]
    for round_ in range(rounds(4)):
        start, now = time_of(round_)
        for hour in range(4):
            reservation_request(By(wang, now), booking=booking(instrument, start + hour * HOUR))
        Reservation.objects.filter(overrides=[]).update(overrides=["notice"])
        exceptions_find(By(PLATFORM, now))
        rows = list(AuditException.objects.filter(rule="overrides", state="open"))
        chosen = [(row.pk, row.version) for row in rows]
        assert len(chosen) == 4
        results = race(
            [
                lambda actor=actor, chosen=order, now=now: exceptions_decide(
                    By(actor, now), chosen=chosen, state="explained", reason="Seen"
                )
                for actor, order in zip(auditors, (chosen, chosen[::-1]), strict=True)
            ]
        )
        done = [row.pk for decided, _ in results for row in decided]
        refused = [(pk, error.code) for _, left in results for pk, error in left]
        assert sorted(done) == sorted(pk for pk, _ in refused) == sorted(pk for pk, _ in chosen)
        assert {code for _, code in refused} == {"wrong-version"}
        entries = TrailEntry.objects.filter(object_id__in=done, action="exception.explained")
        assert entries.count() == 4
