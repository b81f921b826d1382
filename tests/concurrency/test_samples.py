"""A sample joins a booking while its hazards, or what the instrument accepts, change: one order or
the other is seen, never neither."""

from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.models import BookedSample, SampleItem
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_request
from bookings.samples.services.joining import samples_join
from bookings.samples.services.samples import NextStep, SampleValues, sample_change, samples_step
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.concurrency.races import booking, codes, time_of, won
from tests.factories.samples import announce

pytestmark = pytest.mark.concurrency
POLICY = {"slot_minutes": 30, "max_minutes": 480, "horizon_days": {"external": 730}}


def set_policy(cast, instrument, now, *hazards):
    policy = parse_policy(POLICY | {"refused_hazards": list(hazards)})
    return policy_set(By(cast.actor("zhao"), now), instrument_id=instrument.pk, policy=policy)


def test_a_sample_joins_while_its_hazards_change(real_cast, race, rounds, instrument):
    """Either the sample joins, and then its hazard is refused, or is stated and it does not
    join; whoever read it before it joined begins anew."""
    cast = real_cast
    wang = cast.actor("wang")
    seen = set()
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        set_policy(cast, instrument, now, "magnetic")
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        sample = announce(cast, now=now)
        by = By(wang, now)
        values = SampleValues("Film", hazards=("magnetic",))
        joined, changed = race(
            [
                partial(samples_join, by, reservation_id=made.pk, sample_ids=[sample.pk]),
                partial(sample_change, by, sample_id=sample.pk, values=values),
            ]
        )
        is_on = BookedSample.objects.filter(sample=sample).exists()
        is_magnetic = SampleItem.objects.get(pk=sample.pk).hazards == ["magnetic"]
        assert not (is_on and is_magnetic)
        assert is_on == (not isinstance(joined, RulesRefuse))
        assert is_magnetic == (not isinstance(changed, RulesRefuse | WrongVersion))
        assert is_on or is_magnetic
        seen.add(is_on)
    assert seen


def test_a_sample_joins_while_the_list_changes(real_cast, race, rounds, instrument):
    """The list is changed in any case; the sample is on the booking only where it came first."""
    cast = real_cast
    wang = cast.actor("wang")
    for round_ in range(rounds(2)):
        start, now = time_of(100 + round_)
        set_policy(cast, instrument, now)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        sample = announce(cast, now=now, hazards=["magnetic"])
        results = race(
            [
                partial(samples_join, By(wang, now), reservation_id=made.pk, sample_ids=[sample.pk]),
                partial(set_policy, cast, instrument, now, "magnetic"),
            ]
        )
        link = BookedSample.objects.filter(sample=sample).exists()
        assert codes(results) == ([] if link else ["hazard-not-accepted"])
        assert len(won(results)) == 1 + link


def test_a_booking_with_a_sample_while_its_hazards_and_the_list_change(real_cast, race, rounds, instrument):
    """Three at once: no booking is made with a sample that was not accepted when it was made."""
    cast = real_cast
    wang = cast.actor("wang")
    for round_ in range(rounds(2)):
        start, now = time_of(200 + round_)
        set_policy(cast, instrument, now)
        sample = announce(cast, now=now)
        by = By(wang, now)
        values = SampleValues("Film", hazards=("magnetic",))
        asked = booking(instrument, start, sample_items=(sample.pk,))
        booked, changed, listed = race(
            [
                partial(reservation_request, by, booking=asked),
                partial(sample_change, by, sample_id=sample.pk, values=values),
                partial(set_policy, cast, instrument, now, "magnetic"),
            ]
        )
        assert list(listed.refused_hazards) == ["magnetic"]
        is_on = BookedSample.objects.filter(sample=sample).exists()
        assert is_on == (not isinstance(booked, RulesRefuse))
        if not is_on:
            assert codes([booked]) == ["hazard-not-accepted"]
            assert SampleItem.objects.get(pk=sample.pk).hazards == ["magnetic"]
        if isinstance(changed, RulesRefuse):
            assert is_on


def test_twenty_steps_of_one_sample_are_one_after_the_other(real_cast, race, instrument):
    """Whoever comes second sees what it has become: one ships it, nobody twice withdraws it."""
    cast = real_cast
    wang = cast.actor("wang")
    start, now = time_of(400)
    made = reservation_request(By(wang, now), booking=booking(instrument, start))
    sample = announce(cast, now=now)
    samples_join(By(wang, now), reservation_id=made.pk, sample_ids=[sample.pk])
    by = By(wang, now + timedelta(minutes=1))
    results = race(
        [partial(samples_step, by, sample_ids=[sample.pk], step=NextStep("cancelled")) for _ in range(20)]
    )
    assert codes(results) == ["sample-step"] * 19
    assert sample.steps.count() == 2
    assert OutboxMessage.objects.filter(kind="sample.cancelled").count() == 1
