"""Jobs while workers are killed with -9, the broker is stopped and started, sessions are cut and
the timetable is read out twice: each effect once, each message at least once."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.domain.roles import By
from accounts.models import JobFailure, Message, OutboxMessage, TrailEntry
from bookings.charging.services.charges import charges_finalise
from bookings.models import Charge, InstrumentDay, Occupancy, Posting, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.reserving.services.reservations import reservations_lapse, reservations_request
from bookings.usage.services.usage import usage_settle
from tests.concurrency.chaos import Chaos
from tests.concurrency.races import ALWAYS, FIRST, HOUR, booking
from tests.conftest import DEEP
from tests.factories.money import charge_of, store

pytestmark = pytest.mark.concurrency
JOBS = 2000 if DEEP else 200
WORKERS = 3 if DEEP else 2
LONGEST = 300 if DEEP else 8  # seconds of chaos


def booked(cast, count, **policy):
    """Bookings of Wang's for an hour each, on instruments of their own, all past by now."""
    made = []
    for name in ("One", "Two"):
        instrument = cast.instrument(name=name, hours=ALWAYS, policy=policy)
        hours = [booking(instrument, FIRST + n * HOUR) for n in range(count // 2)]
        for first in range(0, len(hours), 20):
            made += reservations_request(
                By(cast.actor("wang"), FIRST - timedelta(days=2)), bookings=hours[first : first + 20]
            )
    return [row.pk for row in made]


def entries(action, ids):
    """Of the trail, how many each of them has."""
    found = TrailEntry.objects.filter(action=action, object_id__in=ids)
    return sorted(found.values_list("object_id").annotate(n=Count("pk")).values_list("n", flat=True))


def left():
    now = timezone.now()
    return (
        Occupancy.objects.filter(expires_at__lte=now).count()
        + Reservation.objects.filter(state="confirmed", end_at__lte=now).count()
        + Charge.objects.filter(state="open", open_until__lte=now).count()
        + OutboxMessage.objects.filter(done_at=None, attempts=0).count()
    )


def done():
    return OutboxMessage.objects.exclude(done_at=None).count()


def test_chaos(real_cast, tmp_path, settings):
    part = JOBS // 4
    asked = booked(real_cast, part, approval="manual")
    missed = booked(real_cast, part, check_in_minutes=30)
    past = booked(real_cast, part)
    charges = [charge_of(real_cast, real_cast.fudan, month=None) for _ in range(part)]
    for charge in charges:
        charge.open_until = FIRST
    final = [charge.pk for charge in store(charges)]
    OutboxMessage.objects.all().delete()  # what was said when they were booked
    assert left() == JOBS

    chaos = Chaos(tmp_path, workers=WORKERS, seed=part)
    began = time.monotonic()
    try:
        while not OutboxMessage.objects.exists() and time.monotonic() - began < 60:
            time.sleep(0.02)  # until they are at work
        working = time.monotonic()
        acts = [chaos.kill_child, chaos.kill_child, chaos.cut_sessions]
        if DEEP:
            acts = [*acts * 3, chaos.kill_worker]
        step = 0
        while left() and time.monotonic() - working < LONGEST:
            time.sleep(chaos.random.uniform(0.2, 0.8) * (2 if DEEP else 1))
            step += 1
            if step % 10 == 4:
                chaos.restart_broker(chaos.random.uniform(0.2, 1.0))
            else:
                acts[step % len(acts)]()
        # On a machine that is busy with other things they had no time between two blows.
        while done() <= JOBS / 4 and time.monotonic() - working < LONGEST + 120:
            time.sleep(0.2)
        took = time.monotonic() - working
        by_workers = done()
        chaos.stop_workers()
        settings.MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": chaos.mail.port},
            }
        }
        # What was put off (as tried by those who died) comes later: nothing has to be done by hand.
        now = timezone.now()
        for _ in range(12):
            now += timedelta(hours=3)
            reservations_lapse(now=now)
            usage_settle(now=now)
            charges_finalise(now=now)
            while effects_carry_out(now=now):
                pass
        accepted, lost = chaos.mail.accepted, chaos.mail.lost
    finally:
        chaos.close()

    # Each effect once.
    states = dict(Reservation.objects.values_list("pk", "state"))
    assert {states[pk] for pk in asked} == {"expired"}
    assert {states[pk] for pk in missed} == {"no_show"}
    assert {states[pk] for pk in past} == {"completed"}
    for action, ids in (
        ("reservation.expired", asked),
        ("reservation.no_show", missed),
        ("reservation.completed", past),
        ("charge.final", final),
    ):
        assert entries(action, ids) == [1] * part, action
    assert set(Charge.objects.filter(pk__in=final).values_list("state", flat=True)) == {"final"}
    assert Occupancy.objects.filter(reservation__in=[*asked, *missed]).count() == 0
    made = Charge.objects.filter(reservation__in=[*missed, *past])
    assert sorted(made.values_list("reservation", flat=True)) == sorted([*missed, *past])
    assert entries("charge.create", made.values_list("pk", flat=True)) == [1] * 2 * part
    posted = Posting.objects.values("entry").annotate(sum=Sum("amount"))
    assert posted.count() == Charge.objects.exclude(total=0).count()
    assert not posted.exclude(sum=0).exists()

    # Each message at least once.
    rows = OutboxMessage.objects.all()
    assert Counter(rows.values_list("kind", flat=True)) == {
        "mail.expired": part,
        "mail.no-show": part,
        "event.ended": part,
        "event.final": part,
        "mail.charged": made.exclude(total=0).count(),
        "letter.send": 2 * part + made.exclude(total=0).count(),
        "charge.due": 2 * part,
        "hours.dirty": 2 * part,
    }
    assert not rows.exclude(outcome__in=["sent", "done"]).exists()
    assert not JobFailure.objects.exists()
    # Named by the message, whose id follows from the effect's: once in the inbox, once there.
    letters = set(rows.filter(lane="letters").values_list("payload__message", flat=True))
    assert {named.partition("@")[0] for named in accepted} == letters
    assert {str(pk) for pk in Message.objects.values_list("pk", flat=True)} == letters
    twice = sum(accepted.values()) - len(accepted)
    broken = chaos.happened["processes killed"] + chaos.happened["sessions cut"]
    broken += 2 * chaos.happened["workers killed"]
    # No more than SMTP cannot rule out: its yes was lost, or whoever heard it died.
    assert lost <= twice <= lost + broken
    assert InstrumentDay.objects.count() == 0  # nothing but what was asked for
    assert by_workers > JOBS / 4  # they did it, not we
    print(
        f"\n{JOBS} jobs, {rows.count()} effects in {took:.1f} s; {by_workers} of them by workers;"
        f" {len(accepted)} mails, {twice} of them twice, {lost} because the server's yes was lost;"
        f" {dict(chaos.happened)}"
    )
