"""Indexes that are built while rows are written."""

from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from accounts.models.indexes import AddIndexConcurrently
from bookings.models import Reservation


def test_what_an_earlier_attempt_has_left_is_built_anew(real_db: None) -> None:
    index = next(one for one in Reservation._meta.indexes if one.name == "reservation_start")
    state = MigrationLoader(connection).project_state()

    def one(statement: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    lookup = "indexrelid = 'reservation_start'::regclass"
    one(f"UPDATE pg_index SET indisvalid = false WHERE {lookup} RETURNING 1")
    with connection.schema_editor(atomic=False) as editor:
        AddIndexConcurrently("reservation", index).database_forwards("bookings", editor, state, state)
    assert one(f"SELECT indisvalid FROM pg_index WHERE {lookup}") == (True,)
    assert one("SHOW lock_timeout") == ("10s",)  # of what comes after it
