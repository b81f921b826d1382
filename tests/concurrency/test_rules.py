"""What changes while one waits for the instrument is what one is judged by."""

import time

import pytest
from django.db import connection, transaction

from accounts.domain.roles import By
from bookings.models import Reservation
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.selectors.reservations import rules_behind
from bookings.reserving.services.reservations import reservation_request
from instruments.managing.services.publishing import instrument_publication
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.policy.services.policies import policy_set
from tests.concurrency.races import ALWAYS, FIRST, HOUR, booking, consistent, time_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def waits():
    """Whether somebody waits for a lock of this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def while_waiting(race, change, act):
    """`change` is committed while `act` waits for its lock; what `act` comes to."""
    with transaction.atomic():
        change()
        acting = race.start(act)
        until = time.monotonic() + 30
        while not waits():
            assert time.monotonic() < until
            time.sleep(0.01)
    return acting.result(timeout=60)


def policy(cast, instrument, **values):
    return lambda: policy_set(
        By(cast.actor("zhao"), NOW),
        instrument_id=instrument.pk,
        policy=parse_policy({"slot_minutes": 30, "max_minutes": 480} | values),
    )


def hours(cast, instrument, weekly):
    return lambda: opening_hours_set(
        By(cast.actor("zhao"), NOW), instrument_id=instrument.pk, hours=parse_hours({"weekly": weekly})
    )


SHORTER = [{"weekday": d, "opens": "12:00", "closes": "24:00"} for d in range(1, 8)]
NONE_EACH = [{"scope": "user", "unit": "bookings", "per": "day", "limit": 0}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c, i: policy(c, i, quotas=NONE_EACH), "user-quota"),
        (lambda c, i: policy(c, i, notice_minutes=14400), "too-soon"),
        (lambda c, i: policy(c, i, qualification="instrument"), "qualification-missing"),
        (lambda c, i: hours(c, i, SHORTER), "outside-opening-hours"),
    ],
)
def test_a_rule_that_became_stricter(real_cast, instrument, race, change, code):
    wang = real_cast.actor("wang")
    result = while_waiting(
        race,
        change(real_cast, instrument),
        lambda: reservation_request(By(wang, NOW), booking=booking(instrument, FIRST)),
    )
    assert isinstance(result, RulesRefuse)
    assert [refusal.code for refusal in result.refusals] == [code]
    assert not Reservation.objects.exists()


def test_the_version_that_judged_is_the_one_that_came_while_it_waited(real_cast, instrument, race):
    wang = real_cast.actor("wang")
    result = while_waiting(
        race,
        policy(real_cast, instrument, notice_minutes=60),
        lambda: reservation_request(By(wang, NOW), booking=booking(instrument, FIRST)),
    )
    assert result.policy_version == 2
    assert rules_behind(result).policy["notice_minutes"] == 60


def test_each_of_many_changes_is_a_version_and_every_booking_names_its_own(
    real_cast, instrument, race, rounds
):
    """Policies and bookings at once: numbers without a gap, and no booking with a version whose
    rules forbid it."""
    people = [real_cast.actor(name) for name in ("wang", "sun", "hu")]
    for round_ in range(rounds(3)):
        start, now = time_of(round_)
        lengths = [60 * n for n in range(1, 5)]
        acts = [
            lambda m=m, now=now: policy_set(
                By(real_cast.actor("zhao"), now),
                instrument_id=instrument.pk,
                policy=parse_policy({"slot_minutes": 30, "max_minutes": m}),
            )
            for m in lengths
        ] + [
            lambda n=n, who=who, start=start, now=now: reservation_request(
                By(who, now), booking=booking(instrument, start + n * 3 * HOUR, 2)
            )
            for n, who in enumerate(people)
        ]
        race(acts)
    versions = PolicyVersion.objects.filter(instrument=instrument).order_by("version")
    assert [row.version for row in versions] == list(range(1, versions.count() + 1))
    assert BookingPolicy.objects.get(instrument=instrument).version == versions.count()
    for made in Reservation.objects.all():
        assert rules_behind(made).policy["max_minutes"] >= 120
    consistent()


def test_hours_that_became_longer(real_cast, race):
    """One that waited finds the instrument as open as it is now."""
    morning = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "02:00"} for d in range(1, 8)]}
    short = real_cast.instrument(name="Mornings", hours=morning)
    wang = real_cast.actor("wang")
    result = while_waiting(
        race,
        hours(real_cast, short, ALWAYS["weekly"]),
        lambda: reservation_request(By(wang, NOW), booking=booking(short, FIRST)),
    )
    assert isinstance(result, Reservation)
    consistent()


def test_a_unit_that_went(real_cast, race):
    pair = real_cast.instrument(name="Pair", hours=ALWAYS, policy={"units": 2})
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    reservation_request(By(sun, NOW), booking=booking(pair, FIRST))
    result = while_waiting(
        race,
        policy(real_cast, pair, units=1),
        lambda: reservation_request(By(wang, NOW), booking=booking(pair, FIRST)),
    )
    assert isinstance(result, RulesRefuse)
    assert [refusal.code for refusal in result.refusals] == ["slot-taken"]
    consistent()


def test_suspended_meanwhile(real_cast, instrument, race):
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    result = while_waiting(
        race,
        lambda: instrument_publication(By(zhao, NOW), instrument_id=instrument.pk, act="suspend"),
        lambda: reservation_request(By(wang, NOW), booking=booking(instrument, FIRST + HOUR)),
    )
    assert not isinstance(result, Reservation)
    assert not Reservation.objects.exists()
