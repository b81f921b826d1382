"""Search rows for words in some of their fields."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet


def with_words(rows: QuerySet[Any], names: Iterable[str], text: str) -> QuerySet[Any]:
    """Return the rows that have a text, in any case, in one of the fields; all of them if the text is
    empty."""
    if not text:
        return rows
    fits = Q()
    for name in names:
        fits |= Q(**{f"{name}__icontains": text})
    return rows.filter(fits)
