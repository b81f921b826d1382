"""Give lists in pages: `{next, previous, results}`.

A cursor holds the position in the list (the values of the ordering at the edge of a page), not a number of
rows: rows added or removed meanwhile do not shift the pages, and the thousandth page costs no more than the
first.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from accounts.api.shapes import Query, Text, Whole, rfc3339
from accounts.domain.errors import invalid
from accounts.selectors.rows import field_at, first_of

USUAL, MOST = 50, 200


class Pages(Query):
    """The query parameters that choose a page of a list."""

    limit = Whole(
        min_value=1, max_value=MOST, default=USUAL, help_text="Maximum number of results on a page."
    )
    cursor = Text(
        400,
        required=False,
        help_text="Where the page begins: an opaque value, taken from `next` or `previous`.",
    )


@dataclass(frozen=True)
class Cursor:
    """The position after (or, backwards, before) the row with these values of the ordering."""

    values: tuple[str | None, ...]
    backwards: bool = False

    def encoded(self) -> str:
        content = json.dumps([int(self.backwards), *self.values], ensure_ascii=False)
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def cursor_of(text: str | None) -> Cursor | None:
    """Return the cursor that a text encodes, None for no text; `Invalid` if we did not make it."""
    if text is None:
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        backwards, *values = content
        texts = [value for value in values if value is not None]
        if backwards not in (0, 1) or not all(isinstance(v, str) and "\0" not in v for v in texts):
            raise ValueError
        "".join(texts).encode()
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
    """Return one page of the rows, ordered by `order`: fields that together are unique, all ascending or all
    descending. They are never null, except that the first may be an annotation; null then sorts last. With
    `seen`, only rows that meet one of these conditions are listed (see `first_of`)."""
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
    """Return a page of results with the addresses of the next and the previous page."""
    here = remove_query_param(request.build_absolute_uri(), "cursor")

    def address(cursor: Cursor | None) -> str | None:
        return replace_query_param(here, "cursor", cursor.encoded()) if cursor else None

    return Response({"next": address(following), "previous": address(preceding), "results": results})


def _place(row: Model, names: Sequence[str]) -> tuple[str | None, ...]:
    values = (reduce(getattr, name.split("__"), row) for name in names)
    return tuple(rfc3339(v) if isinstance(v, datetime) else None if v is None else str(v) for v in values)


def _beyond(rows: QuerySet[Any], names: Sequence[str], values: Sequence[str | None], ascending: bool) -> Q:
    """Return the condition that a row lies beyond a position, in reading direction: (a, b) > (x, y)."""
    if len(values) != len(names):
        raise invalid("cursor", "unknown-cursor")
    typed = [_typed(rows, name, value) for name, value in zip(names, values, strict=True)]
    past = reduce(
        or_,
        (
            reduce(and_, map(_same, names[:i], typed[:i]), _past(rows, names[i], typed[i], ascending))
            for i in range(len(names))
        ),
    )
    if names[0] in rows.query.annotations:
        return past
    # The first condition is redundant, but lets the database begin at the position.
    return Q(**{f"{names[0]}__{'gte' if ascending else 'lte'}": typed[0]}) & past


def _same(name: str, value: Any) -> Q:
    return Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})


def _past(rows: QuerySet[Any], name: str, value: Any, ascending: bool) -> Q:
    """Return the condition that a field is beyond a value, in reading direction. Null sorts last, as in the
    database."""
    if value is None:
        return Q(pk__in=[]) if ascending else Q(**{f"{name}__isnull": False})
    if not ascending:
        return Q(**{f"{name}__lt": value})
    behind = Q(**{f"{name}__gt": value})
    return behind | Q(**{f"{name}__isnull": True}) if name in rows.query.annotations else behind


def _typed(rows: QuerySet[Any], name: str, value: str | None) -> Any:
    annotation = rows.query.annotations.get(name)
    if value is None:
        if annotation is None:
            raise invalid("cursor", "unknown-cursor")
        return None
    field: Any = field_at(rows.model, name) if annotation is None else annotation.output_field
    try:
        typed = field.to_python(value)
        if isinstance(typed, datetime) and typed.tzinfo is None:
            raise ValueError(value)
        field.get_prep_value(typed)
        if annotation is not None:  # a computed number, held by no column
            field.run_validators(typed)
    except (ValidationError, ValueError, OverflowError):
        raise invalid("cursor", "unknown-cursor") from None
    return typed
