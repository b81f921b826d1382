"""Maintenance counters while several people check out at once."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.models import Closure, CounterCycle
from bookings.questions.services.meters import counter_add
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.counters import counters_check
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import ALWAYS, HOUR, booking, time_of

pytestmark = pytest.mark.concurrency


def test_two_check_outs_at_once_warn_once_and_close_once(real_cast, race, rounds):
    cast = real_cast
    wang, sun, zhao = (cast.actor(name) for name in ("wang", "sun", "zhao"))
    for round_ in range(rounds(3)):
        start, now = time_of(6 * round_)
        instrument = cast.instrument(name=f"No {round_}", hours=ALWAYS, policy={"units": 2})
        counter_add(
            By(zhao, now), instrument_id=instrument.pk, meter=None, name="Tip",
            limit=Decimal(2), action="close",
        )  # fmt: skip
        made = [reservation_request(By(who, now), booking=booking(instrument, start)) for who in (wang, sun)]
        for who, row in zip((wang, sun), made, strict=True):
            reservation_check_in(By(who, start), reservation_id=row.pk)

        def leave(who, row, end=start + HOUR, instrument=instrument):
            reservation_check_out(By(who, end), reservation_id=row.pk)
            # As the effect of the check-out does.
            return counters_check(instrument_id=instrument.pk, now=end + timedelta(seconds=1))

        told = race([partial(leave, wang, made[0]), partial(leave, sun, made[1])])
        assert sorted(told) in ([0, 1], [0, 0])
        counters_check(instrument_id=instrument.pk, now=start + 2 * HOUR)
        cycle = CounterCycle.objects.get(counter__meter__instrument=instrument)
        assert Closure.objects.filter(instrument=instrument).count() == 1
        key = f"counter.reached:{cycle.pk}:"
        assert OutboxMessage.objects.filter(key__startswith=key).count() == 1
