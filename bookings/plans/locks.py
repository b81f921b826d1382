"""Locks of imports."""

from uuid import UUID

from django.db import connection


def lock_imports(organisation_id: UUID) -> None:
    """Files of bookings of one payer follow one another: each sees what those before it brought.
    The first lock to take, before the instruments; nobody else takes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"bookings-import:{organisation_id}"],
        )
