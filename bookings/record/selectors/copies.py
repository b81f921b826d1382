"""Changes of rows, as systems that keep copies ask for them: by the moment since which they were made."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.domain.errors import invalid

IN_ORDER = ("modified", "id")

# The first number of the advisory locks of transactions that write such rows; the second is the second in
# which the transaction began, since 2000 (the trigger `copied_modified`).
_LOCKS = 7_310_847

_SETTLED = """
SELECT least(statement_timestamp(), (
    SELECT to_timestamp(946684800 + min(l.objid::bigint)) FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objsubid = 2 AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
))
"""


def settled_until() -> datetime:
    """Return a moment before which no further change can appear: that in which the oldest transaction began
    that writes such rows and has not ended, or the present one.

    Transactions end in another order than they write in. A reader that has seen a change of 10:00:01 would
    never ask for one of 10:00:00 that is committed after it; so what is not before this moment is left for
    the next time. Read it first: what is read after it has every change before it."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [_LOCKS])
        moment: datetime = cursor.fetchone()[0]
    return moment


def changed_since(rows: QuerySet[Any], of: Q, query: Mapping[str, Any]) -> QuerySet[Any]:
    """Return those of the rows that meet the condition `of` and were changed since the query's
    `updated_since`, to be read `IN_ORDER`. One statement. Raises `Invalid` for another order."""
    if query.get("sort"):
        raise invalid("sort", "unknown-value")
    return rows.filter(of, modified__gte=query["updated_since"], modified__lt=settled_until())
