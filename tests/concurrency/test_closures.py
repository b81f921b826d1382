"""Closures that give several payers' money back at once, while others set some aside."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage
from accounts.services.memberships import role_grant
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, Earmark, FundingSource, Reservation, VoucherGrant
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.usage.services.closures import Outage, closure_create
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of
from tests.factories.agreements import agree, grant, programme
from tests.factories.cast import NOW
from tests.factories.funding import paid_by, source

pytestmark = pytest.mark.concurrency
D = Decimal


def balanced():
    """What grants and sources say is set aside is what their bookings have set aside."""
    for model, name in ((VoucherGrant, "grant"), (FundingSource, "source")):
        for row in model.objects.all():
            held = Earmark.objects.filter(**{name: row}).aggregate(held=Sum("held"))["held"] or 0
            assert row.held == held >= 0
    # Nothing is kept for a booking that will not be.
    over = Reservation.objects.filter(state__in=["displaced", "cancelled"])
    assert not Earmark.objects.filter(reservation__in=over, held__gt=0).exists()


def test_two_closures_and_three_payers(real_cast, race, rounds):
    cast = real_cast
    agree(cast)
    grant(cast, programme(cast), "100000")
    for code, values in (
        ("F1", {"users": ("chen",)}),
        ("F2", {"users": ("chen",)}),
        ("U1", {"by": "gao", "owner": "sun", "organisation": cast.ustc}),
    ):
        source(cast, code, budget=None, **values)
    several = [cast.instrument(name=f"No {n}", hours=ALWAYS) for n in range(3)]
    wang, sun, hu, zhao = (cast.actor(name) for name in ("wang", "sun", "hu", "zhao"))
    payers = [
        (wang, paid_by("F1", "F2", percents=("40", "60"))),
        (sun, paid_by("U1")),
        (wang, paid_by("F2", "F1", percents=("30", "70"))),
        (hu, ()),
    ]
    for round_ in range(rounds(4)):
        start, now = time_of(6 * round_)

        def book(who, shares, instrument, hour, start=start, now=now):
            return reservation_request(
                By(who, now), booking=booking(instrument, start + hour * HOUR, funding=shares)
            )

        made = [
            book(who, shares, instrument, hour)
            for instrument in several
            for hour, (who, shares) in enumerate(payers)
        ]
        balanced()

        def close(instrument, start=start, now=now):
            outage = Outage("maintenance", start, start + 4 * HOUR, reason="Water")
            return closure_create(By(zhao, now), instrument_id=instrument.pk, outage=outage, displace=True)

        acts = [
            *(lambda one=one, close=close: close(one) for one in several[:2]),
            *(lambda n=n, book=book: book(*payers[n % 3], several[2], 5 + n) for n in range(6)),
            *(
                lambda row=row, now=now: reservation_cancel(
                    By(cast.actor("wang"), now), reservation_id=row.pk, reason=""
                )
                for row in made
                if row.user_id == cast.wang.pk
            ),
        ]
        turn = round_ % len(acts)
        results = race(acts[turn:] + acts[:turn])
        # A booking that a closure came before is not cancelled twice.
        assert set(codes(results)) <= {"wrong-state"}
        closed = Reservation.objects.filter(pk__in=[row.pk for row in made])
        assert not closed.filter(instrument__in=several[:2], state="confirmed").exists()
        balanced()
    consistent()


def test_a_manager_cancels_and_closes_over_their_own_at_once(real_cast, race, rounds):
    cast = real_cast
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    zhao = cast.actor("zhao")
    one = cast.instrument(name="One", hours=ALWAYS)
    for round_ in range(rounds(6)):
        start, now = time_of(round_)
        made = reservation_request(By(zhao, now), booking=booking(one, start))
        late = start - HOUR
        outage = Outage("maintenance", start, start + HOUR)
        acts = [
            lambda made=made, late=late: reservation_cancel(
                By(zhao, late), reservation_id=made.pk, reason=""
            ),
            lambda outage=outage, late=late: closure_create(
                By(zhao, late), instrument_id=one.pk, outage=outage, displace=True
            ),
        ]
        turn = round_ % 2
        assert set(codes(race(acts[turn:] + acts[:turn]))) <= {"wrong-state"}
        made.refresh_from_db()
        assert made.state in {"cancelled", "displaced"}
        due = OutboxMessage.objects.filter(kind="charge.due", payload__reservation=str(made.pk)).count()
        assert due == 1
        fee = charge_make(reservation_id=made.pk, now=late)
        assert charge_make(reservation_id=made.pk, now=late) == fee
        assert (fee.kind, Charge.objects.filter(reservation=made).count()) == ("cancellation", 1)
    consistent()
