"""Locks of imports."""

from uuid import UUID

from django.db import connection


def lock_imports(organisation_id: UUID) -> None:
    """Lock the booking imports of one payer, so that each file sees what those before it brought. Take this
    lock first, before the instruments."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bookings-import:{organisation_id}"]
        )
