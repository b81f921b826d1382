"""The append-only record."""

import hashlib
import json

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import trail
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry, TrailText
from tests.factories.cast import NOW


@pytest.fixture
def entry(cast):
    return trail.record(
        By(cast.actor("zhao"), NOW),
        "instrument.test",
        cast.microscope,
        before={"name": "旧"},
        after={"name": "新", "cost": 12.5, "big": 2**60, "when": NOW},
        reason="because",
        places=([cast.ustc.pk], cast.anhui.lineage),
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_trailentry SET action = 'x'",
        "DELETE FROM accounts_trailentry",
        "TRUNCATE accounts_trailentry CASCADE",
    ],
)
def test_the_database_refuses_to_change_it(entry, statement):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)
    assert TrailEntry.objects.filter(pk=entry.pk, action="instrument.test").exists()


def test_its_digest_is_over_what_is_stored(entry):
    """Read back from the database, the entry gives the same canonical JSON and digest."""
    stored = TrailEntry.objects.get(pk=entry.pk)
    said = trail.canonical(stored)
    assert hashlib.sha256(said).digest() == bytes(stored.digest)
    told = json.loads(said)
    assert told["at"] == "2026-03-05T04:00:00.000000Z"
    assert told["after"] == {
        "name": "新",
        "cost": "12.5",
        "big": str(2**60),
        "when": "2026-03-05T04:00:00.000000Z",
    }
    assert list(told) == sorted(told)


def test_any_change_changes_the_digest(entry):
    stored = TrailEntry.objects.get(pk=entry.pk)
    stored.after["name"] = "别"
    assert hashlib.sha256(trail.canonical(stored)).digest() != bytes(stored.digest)


def test_free_text_lies_apart_and_only_its_digest_is_sealed(entry):
    stored = TrailEntry.objects.get(pk=entry.pk)
    text = TrailText.objects.get(entry=stored)
    assert text.content == {"reason": "because"}
    assert b"because" not in trail.canonical(stored)
    assert trail.text_digest(bytes(text.salt), text.content) == bytes(stored.text_digest)


def test_it_is_written_only_within_a_transaction(real_db):
    """Outside one a change could stay without its entry."""
    with pytest.raises(RuntimeError):
        trail.record(By(PLATFORM, NOW), "x.y", TrailEntry())


def test_an_entry_is_rolled_back_with_its_change(cast):
    before = TrailEntry.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        trail.record(By(PLATFORM, NOW), "x.y", cast.microscope)
        raise ZeroDivisionError
    assert TrailEntry.objects.count() == before
