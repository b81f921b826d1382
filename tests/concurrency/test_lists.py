"""The same star at the same moment."""

import pytest

from accounts.domain.roles import By
from bookings.browsing.services.lists import entry_keep
from bookings.models import InstrumentList, ListEntry
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def test_two_stars_at_once_are_one(real_cast, instrument, race, rounds):
    by = By(real_cast.actor("wang"), NOW)
    for _ in range(rounds(5)):
        InstrumentList.objects.all().delete()
        results = race([lambda: entry_keep(by, instrument_id=instrument.pk)] * 8)
        assert len({entry.pk for entry in results}) == 1
        assert (InstrumentList.objects.count(), ListEntry.objects.count()) == (1, 1)
