"""The register at the same moment: merging, publishing, retiring, while others book."""

import pytest

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import Reservation
from bookings.organisations.services.duplicates import duplicates_merge
from bookings.reserving.services.reservations import reservation_request
from instruments.managing.services.publishing import instrument_publication
from instruments.register.models import Instrument
from tests.concurrency.races import ALWAYS, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


def test_merged_while_it_is_booked(real_cast, race, rounds):
    """Either the record is booked and stays, or it is merged and nobody has booked it; the other
    way round at the same moment, one of two is kept."""
    cast = real_cast
    zhao = cast.actor("zhao")
    people = [cast.actor(name) for name in ("wang", "sun", "hu")]
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        keeper, loser = (cast.instrument(name=f"{word} {round_}", hours=ALWAYS) for word in ("Kept", "Twice"))

        def merge(keeper, loser, now=now):
            return duplicates_merge(By(zhao, now), keeper_id=keeper.pk, loser_id=loser.pk, note="twice")

        acts = [
            lambda who=who, loser=loser, start=start, now=now: reservation_request(
                By(who, now), booking=booking(loser, start)
            )
            for who in people
        ]
        acts.insert(round_ % 4, lambda a=keeper, b=loser, merge=merge: merge(a, b))
        acts.insert(round_ % 3, lambda a=loser, b=keeper, merge=merge: merge(a, b))
        results = race(acts)
        booked = Reservation.objects.filter(instrument=loser, state="confirmed").count()
        retired = set(Instrument.objects.filter(pk__in=[keeper.pk, loser.pk], publication="retired"))
        assert len(retired) == 1
        assert booked <= 1 and not (booked and loser in retired)
        assert len(won(results)) == 1 + booked
    consistent()


def test_published_and_retired_twice(real_cast, race, rounds):
    cast = real_cast
    zhao, wang = cast.actor("zhao"), cast.actor("wang")
    for round_ in range(rounds(4)):
        start, now = time_of(round_)
        one = cast.instrument(name=f"Shown {round_}", hours=ALWAYS)

        def act(word, one=one, now=now):
            return lambda: instrument_publication(By(zhao, now), instrument_id=one.pk, act=word)

        race([act("suspend"), act("suspend")])
        results = race([act("publish")] * 4)
        assert (len(won(results)), codes(results)) == (1, ["wrong-state"] * 3)
        book = [
            lambda one=one, start=start, now=now: reservation_request(
                By(wang, now), booking=booking(one, start)
            )
        ]
        acts = [act("retire"), *book, act("retire")]
        results = race(acts[round_ % 3 :] + acts[: round_ % 3])
        one.refresh_from_db()
        # Booked, and then not retired by either; or retired once, and not booked.
        is_booked = Reservation.objects.filter(instrument=one, state="confirmed").exists()
        assert is_booked == (one.publication == "published")
        entries = TrailEntry.objects.filter(object_id=one.pk, action="instrument.retire")
        assert entries.count() == (not is_booked)
        assert len(won(results)) == 1
    consistent()
