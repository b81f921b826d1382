"""Lists in pages: `{next, previous, results}`.

A cursor holds the place in the list (the values of its ordering at the edge of a page), not
a number of rows: what is added or removed meanwhile moves nothing, and the thousandth page
costs no more than the first.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from accounts.api.shapes import Query, Text, Whole, rfc3339
from accounts.domain.errors import invalid
from accounts.selectors.rows import first_of

USUAL, MOST = 50, 200


class Pages(Query):
    """Which page of a list."""

    limit = Whole(min_value=1, max_value=MOST, default=USUAL, help_text="How many results at most.")
    cursor = Text(
        400, required=False, help_text="Where to go on: part of `next` and `previous`, opaque."
    )


@dataclass(frozen=True)
class Cursor:
    """The place after (or, backwards, before) the record with these values of the ordering."""

    values: tuple[str, ...]
    backwards: bool = False

    def encoded(self) -> str:
        content = json.dumps([int(self.backwards), *self.values], ensure_ascii=False)
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def cursor_of(text: str | None) -> Cursor | None:
    """`Invalid` for one we did not make."""
    if text is None:
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        backwards, *values = content
        if backwards not in (0, 1) or not all(isinstance(v, str) and "\0" not in v for v in values):
            raise ValueError
        "".join(values).encode()
    except (ValueError, TypeError, RecursionError):
        raise invalid("cursor", "unknown-cursor") from None
    return Cursor(tuple(values), bool(backwards))


def paginated[M: Model](
    request: Request,
    rows: QuerySet[M],
    query: dict[str, Any],
    order: Sequence[str],
    show: Callable[[list[M]], Any],
    seen: Sequence[Q] | None = None,
) -> Response:
    """One page of rows ordered by `order`: fields of the rows that together are unique and
    never null, all ascending or all with a minus. `seen`: of the rows only those for which one of
    these conditions holds (`first_of`)."""
    limit, cursor = query["limit"], cursor_of(query.get("cursor"))
    names = [name.lstrip("-") for name in order]
    backwards = cursor is not None and cursor.backwards
    ascending = order[0].startswith("-") == backwards
    if cursor is not None:
        rows = rows.filter(_beyond(rows, names, cursor.values, ascending))
    ordered = [name if ascending else f"-{name}" for name in names]
    if seen is None:
        taken = list(rows.order_by(*ordered)[: limit + 1])
    else:
        taken = list(first_of(rows, seen, ordered, limit + 1))
    has_more, page = len(taken) > limit, taken[:limit]
    if backwards:
        page.reverse()
    has_next, has_previous = (
        (bool(page), has_more) if backwards else (has_more, cursor is not None and bool(page))
    )
    return answer(
        request,
        show(page),
        following=Cursor(_place(page[-1], names)) if has_next else None,
        preceding=Cursor(_place(page[0], names), backwards=True) if has_previous else None,
    )


def answer(
    request: Request, results: Any, *, following: Cursor | None, preceding: Cursor | None = None
) -> Response:
    """A page with the addresses of its neighbours."""
    here = remove_query_param(request.build_absolute_uri(), "cursor")

    def address(cursor: Cursor | None) -> str | None:
        return replace_query_param(here, "cursor", cursor.encoded()) if cursor else None

    return Response(
        {"next": address(following), "previous": address(preceding), "results": results}
    )


def _place(row: Model, names: Sequence[str]) -> tuple[str, ...]:
    values = (getattr(row, name) for name in names)
    return tuple(rfc3339(v) if isinstance(v, datetime) else str(v) for v in values)


def _beyond(rows: QuerySet[Any], names: Sequence[str], values: Sequence[str], ascending: bool) -> Q:
    """Past the place, in the direction of reading: (a, b) > (x, y)."""
    if len(values) != len(names):
        raise invalid("cursor", "unknown-cursor")
    step = "gt" if ascending else "lt"
    typed = [_typed(rows.model, name, value) for name, value in zip(names, values, strict=True)]
    # The first condition says nothing new; it lets the database begin at the place.
    return Q(**{f"{names[0]}__{step}e": typed[0]}) & reduce(
        or_,
        (
            Q(**dict(zip(names[:i], typed[:i], strict=True)), **{f"{names[i]}__{step}": typed[i]})
            for i in range(len(names))
        ),
    )


def _typed(model: type[Model], name: str, value: str) -> Any:
    field: Any = model._meta.get_field(name)
    try:
        typed = field.to_python(value)
        if isinstance(typed, datetime) and typed.tzinfo is None:
            raise ValueError(value)
        field.get_prep_value(typed)
    except (ValidationError, ValueError, OverflowError):
        raise invalid("cursor", "unknown-cursor") from None
    return typed
