"""Search rows for words in some of their fields, and for an amount."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from bookings.record.domain.money import amounts_searched


def with_words(
    rows: QuerySet[Any],
    names: Iterable[str],
    text: str,
    *,
    amounts: Sequence[str] = (),
    also: Q | None = None,
) -> QuerySet[Any]:
    """Return the rows that have a text, in any case, in one of the fields, that have the amount which it
    names in one of `amounts` (a whole number also finds what begins with it, `amounts_searched`), or that
    meet the condition `also`; all rows if the text is empty."""
    if not text:
        return rows
    fits = also or Q()
    for name in names:
        fits |= Q(**{f"{name}__icontains": text})
    if amounts and (named := amounts_searched(text)):
        amount, below, currency = named
        of_currency = Q(currency=currency) if currency else Q()
        # What is taken back is found by its amount, too.
        for name in amounts:
            if below is None:
                fits |= Q(of_currency, **{f"{name}__in": [amount, -amount]})
            else:
                fits |= Q(of_currency, **{f"{name}__gte": amount, f"{name}__lt": below})
                fits |= Q(of_currency, **{f"{name}__lte": -amount, f"{name}__gt": -below})
    return rows.filter(fits)
