"""What sticks to a booking that is moved late."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bookings.pricing.domain.fees import cancellation_terms
from bookings.record.domain.periods import Period
from bookings.reserving.domain.moves import least_percent
from instruments.rates.domain.ratecards import CancellationTier
from tests.bookings.pricing.domain.test_fees import EXAMPLE
from tests.factories.moments import NOW

percents = st.sampled_from([Decimal(p) for p in ("0", "12.5", "50", "100")])
minutes = st.integers(0, 20_000)


def period(start: int, length: int = 60) -> Period:
    begins = NOW + timedelta(minutes=start)
    return Period(begins, begins + timedelta(minutes=length))


@given(percents, percents, minutes, minutes, st.booleans(), st.booleans())
def test_what_sticks(
    before: Decimal, reached: Decimal, old: int, new: int, waits: bool, is_free: bool
) -> None:
    """It never becomes less; more only by a later start or a wait, and never where it is free."""
    after = least_percent(before, reached, old=period(old), new=period(new), waits=waits, is_free=is_free)
    assert after >= before
    if is_free or (new <= old and not waits):
        assert after == before
    else:
        assert after == max(before, reached)


@given(
    st.lists(st.tuples(minutes, percents), max_size=4, unique_by=lambda tier: tier[0]),
    st.lists(minutes, min_size=1, max_size=4),
    percents,
)
def test_nobody_escapes_by_moving(
    tiers: list[tuple[int, Decimal]], starts: list[int], before: Decimal
) -> None:
    """However often it is moved at one moment: cancelling costs at least the per cent at the end
    that it cost at first, where less notice never costs less."""
    percent_of = sorted((percent for _, percent in tiers), reverse=False)
    notices = sorted((notice for notice, _ in tiers), reverse=True)
    rising = tuple(CancellationTier(n, p) for n, p in zip(notices, percent_of, strict=True))
    # What has less notice than every tier asks for would be free: the last begins at nothing.
    card = EXAMPLE.card.__class__(**vars(EXAMPLE.card) | {"cancellation": _from_nought(rising)})

    def cost(start: int, least: Decimal) -> Decimal:
        return cancellation_terms(
            card, base=Decimal(100), start=period(start).start, cancelled_at=NOW, minimum_percent=least
        ).percent

    at_first, least = cost(starts[0], before), before
    for old, new in pairwise(starts):
        least = least_percent(least, cost(old, least), old=period(old), new=period(new))
    assert cost(starts[-1], least) >= at_first


def _from_nought(tiers: tuple[CancellationTier, ...]) -> tuple[CancellationTier, ...]:
    if not tiers or tiers[-1].notice_minutes == 0:
        return tiers
    return (*tiers, CancellationTier(0, tiers[-1].percent))
