"""Find instruments that may match a search, by a condition in SQL, before the rules are applied.

A calendar in Python for each of a hundred thousand instruments takes minutes. The conditions of
`catalogue_sieve` let through everything that the rules would offer; the rules then judge the rest. Only the
index by name determines the order, so a page at the end of the list costs the same as one at its beginning.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Q, QuerySet

from bookings.catalogue.selectors.catalogue_by_price import by_price
from bookings.catalogue.selectors.catalogue_sieve import Place, Sieve, passing, raw
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.models import SearchEntry
from instruments.search.selectors.search import entries, ordered, records_of


def candidates(
    criteria: Criteria,
    sieve: Sieve,
    *,
    after: Place | None,
    most: int,
    skip: int = 0,
    rows: QuerySet[SearchEntry] | None = None,
) -> list[Instrument]:
    """Return the first `most` published instruments that may match, in the order of the search and after a
    position in it, with what their calendars need. `rows`: the matching entries, if the criteria do not
    determine them. It takes one statement."""
    fitting, order = ordered(criteria, entries(criteria) if rows is None else rows)
    is_by_price = criteria.sort == "price"
    if after is not None and not is_by_price:
        fitting = fitting.filter(_beyond(order, after))
    columns = ["name", "organisation_id", "region_id", *(["place"] if "place" in order else [])]
    try:
        sql, given = fitting.values(*columns, id=F("pk")).query.sql_with_params()
    except EmptyResultSet:  # no instrument can match
        return []
    if is_by_price:
        return by_price(criteria, sieve, sql, given, after=after, most=most, skip=skip)
    by = ", ".join("id" if name == "pk" else name for name in order)
    if "place" in order:  # the order depends on all rows
        sql = f"{sql} ORDER BY {by} OFFSET 0"
    values = sieve.values | {"most": most, "skip": skip}
    return records_of(criteria, raw(passing(sql, sieve, by), given, values))


def _beyond(order: Sequence[str], after: Place) -> Q:
    """Return the condition that a row lies beyond a position, all fields ascending: (a, b) > (x, y)."""
    # The first condition is redundant, but lets the query begin at the position.
    return Q(**{f"{order[0]}__gte": after[0]}) & reduce(
        or_,
        (
            Q(**dict(zip(order[:i], after[:i], strict=True)), **{f"{name}__gt": after[i]})
            for i, name in enumerate(order)
        ),
    )
