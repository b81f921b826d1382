"""Find one row among those that a person may see."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Manager, Model, Q, QuerySet

from accounts.domain.errors import NotFound


def visible[Row: Model](rows: QuerySet[Row] | Manager[Row], *conditions: Q, **values: Any) -> Row:
    """Return the first of the rows that has these values; raise `NotFound` if there is none."""
    found = rows.filter(*conditions, **values)
    # One row needs no order, which is a quarter of the work of asking for it.
    row = next(iter(found.order_by()[:1]), None) if "pk" in values else found.first()
    if row is None:
        raise NotFound
    return row


def among(column: str, ids: QuerySet[Any, Any]) -> Q:
    """Return the condition that a column holds one of the ids that a query gives. The database computes them
    once and looks up each in an index, even if the condition is one of several (with `IN` it would search a
    list for every row)."""
    one_of = Func(
        F(column),
        ArraySubquery(ids),
        template="(%(expressions)s))",
        arg_joiner=" = ANY (",
        output_field=BooleanField(),
    )
    return Q(one_of)


def any_of(conditions: Sequence[Q]) -> Q:
    """Return the condition that at least one of these conditions holds."""
    return reduce(or_, conditions)


def first_of[Row: Model](
    rows: QuerySet[Row], conditions: Sequence[Q], order: Sequence[str], number: int
) -> QuerySet[Row]:
    """Return the first `number` rows, in an order, that meet at least one condition. For each condition its
    first rows are taken by an index in that order, then the first of all these: with the conditions in one
    `OR` the database would read all rows, or all that meet one."""
    if not conditions:
        return rows.none()
    plain = rows.select_related(None).prefetch_related(None).order_by(*order)
    parts = [plain.filter(condition).values("pk")[:number] for condition in conditions]
    chosen = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    return rows.filter(among("pk", chosen)).order_by(*order)[:number]


def field_at(model: type[Model], path: str) -> Any:
    """Return the field at a path that starts from a model and may lead through related models."""
    *above, name = path.split("__")
    for each in above:
        model = model._meta.get_field(each).related_model  # type: ignore[assignment]
    return model._meta.get_field(name)


def as_uuid(text: str) -> UUID | None:
    """Return the UUID that a text represents; None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None
