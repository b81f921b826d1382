"""A charge is made once, becomes final or is disputed, and is corrected once, whoever comes at
the same moment; a month that is drawn up gets no more charges."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import role_grant
from bookings.charging.domain.corrections import Amendment
from bookings.charging.locks import lock_host_books
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open, dispute_reject
from bookings.charging.services.melting import fees_melt
from bookings.models import Charge, ClosedMonth, Dispute, Posting
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import HOUR, booking, codes, time_of, won
from tests.factories.cast import NOW
from tests.factories.ledger import sums_by_currency

pytestmark = pytest.mark.concurrency
DAY = timedelta(days=1)


def used(cast, instrument, round_, who="wang"):
    start, now = time_of(round_)
    actor = cast.actor(who)
    made = reservation_request(By(actor, now), booking=booking(instrument, start))
    reservation_check_in(By(actor, start), reservation_id=made.pk)
    reservation_check_out(By(actor, start + HOUR), reservation_id=made.pk)
    return made, start + HOUR


def charged(cast, instrument, round_):
    made, now = used(cast, instrument, round_)
    return charge_make(reservation_id=made.pk, now=now)


def test_made_once(real_cast, instrument, race, rounds):
    for round_ in range(rounds(2)):
        made, now = used(real_cast, instrument, round_)
        results = race([partial(charge_make, reservation_id=made.pk, now=now)] * 6)
        assert len({charge.pk for charge in results}) == 1
        assert Charge.objects.filter(reservation=made).count() == 1
        assert Posting.objects.filter(entry__charge__reservation=made).count() == 3


def test_final_or_disputed_never_both(real_cast, instrument, race, rounds):
    cast = real_cast
    seen = set()
    wang, lin = cast.actor("wang"), cast.actor("lin")
    for round_ in range(rounds(2)):
        charge = charged(cast, instrument, round_)
        end = charge.open_until
        results = race(
            [
                partial(charges_finalise, now=end),
                partial(charges_finalise, now=end + HOUR),
                *(
                    partial(
                        dispute_open, By(who, end - timedelta(seconds=1)), charge_id=charge.pk, reason="x"
                    )
                    for who in (wang, lin)
                ),
            ]
        )
        charge.refresh_from_db()
        finals = sum(result for result in results[:2])
        disputes = len(won(results[2:]))
        assert finals + disputes == 1
        assert charge.state == ("final" if finals else "disputed")
        assert Dispute.objects.filter(charge=charge).count() == disputes
        seen.add(charge.state)
        if disputes:
            dispute_reject(By(cast.actor("gao"), end), charge_id=charge.pk, answer="x")


def test_agreed_to_once(real_cast, instrument, race, rounds):
    cast = real_cast
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    zhao, gao, sun = cast.actor("zhao"), cast.actor("gao"), cast.actor("sun")
    for round_ in range(rounds(2)):
        charge = charged(cast, instrument, round_)
        now = charge.created_at + DAY
        results = race(
            [
                partial(correction_propose, By(who, now), charge_id=charge.pk,
                    amendment=Amendment(waive_percent=Decimal(50)),
                    reason="x")
                for who in (zhao, gao)
            ]
        )  # fmt: skip
        (proposed,) = won(results)
        assert codes(results) == ["correction-proposed"]
        second = gao if proposed.proposed_by_id == zhao.user_id else zhao
        results = race(
            [
                partial(correction_agree, By(who, now), correction_id=proposed.pk)
                for who in (second, sun, second)
            ]
            + [partial(charges_finalise, now=charge.open_until)]
        )
        assert len(won(results[:3])) == 1
        assert codes(results[:3]) == ["wrong-state"] * 2
        mine = Charge.objects.filter(reservation_id=charge.reservation_id)
        assert sorted(mine.values_list("kind", "state")) == sorted(
            [("use", "reversed"), ("reversal", "final"), ("use", "open")]
        )
    assert set(sums_by_currency().values()) == {0}


def test_a_month_that_is_drawn_up_gets_no_more(real_cast, instrument, race, rounds):
    """Whoever draws up statements holds the host's books, closes the month, then reads it: what
    becomes final at the same moment is either read, or belongs to the next month."""
    cast = real_cast
    for round_ in range(rounds(2)):
        charge = charged(cast, instrument, round_)
        month = date(2020 + round_ // 12, round_ % 12 + 1, 1)
        until = charge.created_at.replace(year=month.year, month=month.month, day=15)
        Charge.objects.filter(pk=charge.pk).update(open_until=until)

        def draw(month=month, until=until):
            with transaction.atomic():
                lock_host_books(cast.ustc.pk)
                ClosedMonth.objects.create(host=cast.ustc, month=month, closed_at=until)
                found = Charge.objects.filter(host=cast.ustc, month=month)
                return set(found.values_list("pk", flat=True))

        drawn, _ = race([draw, partial(charges_finalise, now=until)])
        charges_finalise(now=until)  # what was passed over while another had the books
        charge.refresh_from_db()
        assert charge.state == "final"
        assert (charge.pk in drawn) == (charge.month == month)
        assert charge.month >= month
        assert set(Charge.objects.filter(month=month).values_list("pk", flat=True)) == drawn


def test_a_fee_melts_once(real_cast, instrument, race, rounds):
    cast = real_cast
    wang, sun = cast.actor("wang"), cast.actor("sun")
    for round_ in range(rounds(4)):
        start, now = time_of(round_)
        late = start - HOUR
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        reservation_cancel(By(wang, late), reservation_id=made.pk, reason="x")
        fee = charge_make(reservation_id=made.pk, now=late)
        again = reservation_request(By(sun, late), booking=booking(instrument, start))
        reservation_check_in(By(sun, start), reservation_id=again.pk)
        reservation_check_out(By(sun, start + HOUR), reservation_id=again.pk)
        charge_make(reservation_id=again.pk, now=start + HOUR)
        results = race([partial(fees_melt, now=start + 2 * HOUR)] * 4)
        assert sum(results) == 1
        assert [c.total for c in Charge.objects.filter(reverses=fee)] == [-fee.total]
    assert set(sums_by_currency().values()) == {0}
