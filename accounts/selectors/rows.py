"""One row of those that somebody may see."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Manager, Model, Q, QuerySet

from accounts.domain.errors import NotFound


def visible[Row: Model](rows: QuerySet[Row] | Manager[Row], *conditions: Q, **values: Any) -> Row:
    """Return the first of the rows with these values; `NotFound` where there is none."""
    row = rows.filter(*conditions, **values).first()
    if row is None:
        raise NotFound
    return row


def among(column: str, ids: QuerySet[Any, Any]) -> Q:
    """Return the condition that a column holds one of the ids that a statement gives. The database
    reads them once and then asks an index for each, also where the condition is one of several
    (`IN` would be a list to look through for every row)."""
    one_of = Func(
        F(column),
        ArraySubquery(ids),
        template="(%(expressions)s))",
        arg_joiner=" = ANY (",
        output_field=BooleanField(),
    )
    return Q(one_of)


def any_of(conditions: Sequence[Q]) -> Q:
    """Return the condition that one of these holds; there is at least one."""
    return reduce(or_, conditions)


def first_of[Row: Model](
    rows: QuerySet[Row], conditions: Sequence[Q], order: Sequence[str], number: int
) -> QuerySet[Row]:
    """Return the first rows, in an order, for which one of the conditions holds. Of each condition
    its first are taken by an index that has the order, and then the first of those: with all
    conditions in one `OR` the database would read all rows, or all for which one holds."""
    if not conditions:
        return rows.none()
    plain = rows.select_related(None).prefetch_related(None).order_by(*order)
    parts = [plain.filter(condition).values("pk")[:number] for condition in conditions]
    chosen = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    return rows.filter(among("pk", chosen)).order_by(*order)[:number]


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is; None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None
