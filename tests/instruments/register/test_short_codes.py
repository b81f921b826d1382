"""Codes of instruments that were there before."""

from importlib import import_module

from django.apps import apps
from django.db import connection

from accounts.models.keys import LETTERS, new_code
from instruments.register.models import Instrument


def test_codes_are_easily_read():
    assert set("01ILOSU").isdisjoint(LETTERS)
    assert len(new_code(7)) == 7


def test_those_without_one_are_given_one_in_batches(cast, monkeypatch):
    migration = import_module("instruments.migrations.0020_short_codes")
    monkeypatch.setattr(migration, "BATCH", 2)
    kept = cast.microscope.short_code
    others = [cast.instrument(name=f"Instrument {n}").pk for n in range(5)]
    Instrument.objects.filter(pk__in=others).update(short_code=None)
    migration.give_codes(apps, None)
    codes = list(Instrument.objects.values_list("short_code", flat=True))
    assert None not in codes
    assert len(set(codes)) == 6
    assert Instrument.objects.get(pk=cast.microscope.pk).short_code == kept


def test_who_knows_nothing_of_codes_inserts_one(db):
    """As the release before does while it still runs: by the database's default."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default FROM information_schema.columns"
            " WHERE table_name = 'instruments_instrument' AND column_name = 'short_code'"
        )
        (default,) = cursor.fetchone()
        cursor.execute(f"SELECT {default}")
        (code,) = cursor.fetchone()
    assert len(code) == 8
    assert set(code) <= set(LETTERS)
