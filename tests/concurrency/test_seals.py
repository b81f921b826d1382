"""Sealing while others write: no entry is skipped, none sealed twice, nobody waits."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts import trail
from accounts.domain.roles import PLATFORM, By
from accounts.models import Seal, SealedEntry, TrailEntry, UnsealedEntry
from accounts.selectors.verification import trail_verify
from accounts.services.seals import trail_seal
from tests.conftest import DEEP

# Ids of entries are of the time they are made at, so they are written and sealed now.
NOW = datetime.now(UTC)

pytestmark = pytest.mark.concurrency
WRITERS, SEALERS = 8, 3


def write(cast, number, pause=0.0):
    with transaction.atomic():
        entry = trail.record(
            By(PLATFORM, NOW),
            "instrument.test",
            cast.microscope,
            after={"n": number},
            reason="why" if number % 3 else "",
        )
        time.sleep(pause)
        if number % 11 == 0:
            transaction.set_rollback(True)
    return entry


def test_no_entry_is_skipped_or_sealed_twice(race, real_cast):
    """Writers commit in another order than they wrote, some take back what they wrote."""
    rounds, each = (40, 25) if DEEP else (4, 12)
    for round_ in range(rounds):
        done = threading.Event()
        chance = random.Random(round_)
        pauses = [[chance.choice((0, 0, 0.002, 0.02)) for _ in range(each)] for _ in range(WRITERS)]

        def writer(mine):
            for number, pause in enumerate(mine):
                write(real_cast, number, pause)

        def sealer(done=done, round_=round_):
            while not done.is_set():
                trail_seal(now=NOW + timedelta(minutes=round_))

        sealing = [race.start(sealer) for _ in range(SEALERS)]
        race([lambda mine=mine: writer(mine) for mine in pauses])
        done.set()
        for future in sealing:
            future.result(timeout=60)
        trail_seal(now=NOW + timedelta(minutes=round_))
    assert not UnsealedEntry.objects.exists()
    held = list(SealedEntry.objects.values_list("entry_id", flat=True))
    assert sorted(held) == sorted(TrailEntry.objects.values_list("pk", flat=True))
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > rounds
    assert trail_verify().problems == []


def test_who_commits_late_is_in_a_later_seal(race, real_cast):
    wrote, may_commit = threading.Event(), threading.Event()

    def late():
        with transaction.atomic():
            entry = trail.record(By(PLATFORM, NOW), "instrument.test", real_cast.microscope)
            wrote.set()
            assert may_commit.wait(30)
        return entry

    trail_seal(now=NOW)
    written = race.start(late)
    assert wrote.wait(30)
    after = write(real_cast, 1)
    (first,) = trail_seal(now=NOW)  # does not wait for the one under way
    may_commit.set()
    entry = written.result(timeout=30)
    (second,) = trail_seal(now=NOW)
    assert SealedEntry.objects.get(pk=after.pk).seal_id == first.number
    assert SealedEntry.objects.get(pk=entry.pk).seal_id == second.number


def test_nobody_waits_for_sealing(race, real_cast):
    """What is written while a seal is being made commits before the seal does."""
    write(real_cast, 1)
    with transaction.atomic():
        (seal,) = trail_seal(now=NOW)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1ms'")

        def writer():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20ms'")
            try:
                return write(real_cast, 2)
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")

        entry = race.start(writer).result(timeout=30)
    assert SealedEntry.objects.filter(pk=entry.pk).exists() is False
    assert UnsealedEntry.objects.filter(pk=entry.pk).exists()
    assert seal.count >= 1
