"""One row of those that somebody may see."""

from typing import Any
from uuid import UUID

from django.db.models import Manager, Model, Q, QuerySet

from accounts.domain.errors import NotFound


def visible[Row: Model](rows: QuerySet[Row] | Manager[Row], *conditions: Q, **values: Any) -> Row:
    """Return the first of the rows with these values; `NotFound` where there is none."""
    row = rows.filter(*conditions, **values).first()
    if row is None:
        raise NotFound
    return row


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is; None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None
