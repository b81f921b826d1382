"""Lists of the API, built from the declaration that their pages use: filters, order, and the list as a
file."""

from collections.abc import Sequence
from functools import wraps
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Mark, lists, parts
from accounts.api.shapes import Choice, Day, Flag, Instant, Query, Text
from accounts.selectors.rows import any_of
from bookings.record.adapters.figures import FILES, file_answer
from bookings.record.api.shapes import month_named
from bookings.record.selectors.copies import IN_ORDER, changed_since
from bookings.record.selectors.lists import CHOICE, DAY, FLAG, ID, MONTH, Filter, Listing

FORMATS = [("json", _("pages of the list")), *((name, name.upper()) for name in FILES)]
FILE_TYPES = [kind.partition(";")[0] for kind in FILES.values()]
ABOUT = "`csv` or `xlsx`: the whole list as a file, whatever `limit` says."


def query_of(listing: Listing) -> type[Pages]:
    """Return the query parameters of a list, which choose a page, filter, sort, and choose a format."""
    return type("ListQuery", (Pages,), _narrowing(listing) | {"format": format_of()})


def narrowing_of(listing: Listing) -> type[Query]:
    """Return the query parameters that filter and sort a list."""
    return type("NarrowingQuery", (Query,), _narrowing(listing))


def sort_of(listing: Listing) -> Choice:
    """Return the parameter that sorts a list."""
    choices = [(f"{minus}{name}", name) for name in listing.sorts for minus in ("", "-")]
    return Choice(choices, required=False, help_text="A leading `-` reverses the order.")


def format_of() -> Choice:
    """Return the parameter that asks for a list as a file."""
    return Choice(FORMATS, required=False, help_text=ABOUT)


def _narrowing(listing: Listing) -> dict[str, Any]:
    fields: dict[str, Any] = {one.name: _field_of(one) for one in listing.filters}
    if listing.words:
        fields["q"] = Text(100, default="", help_text=listing.q_help)
    if listing.day:
        fields["since"] = Day(required=False, help_text="The first day, in your time zone.")
        fields["until"] = Day(required=False, help_text="The last day, in your time zone.")
    if listing.waits:
        choices = [(name, name) for name in listing.waits]
        fields["waits"] = Choice(choices, required=False, help_text=listing.waits_help)
    if listing.copied is not None:
        fields["updated_since"] = Instant(
            required=False,
            help_text="Only what was changed at this moment or later, the earliest change first; not with "
            "`sort`. Ask for everything once with a moment long ago, and then for the last `modified` that "
            "you have seen: nothing is missed, and the last rows come again.",
        )
    if listing.sorts:
        fields["sort"] = sort_of(listing)
    return fields


def listed(summary: Any, listing: Listing, **more: Any) -> Mark:
    """Declare a list of a resource. The decorated function gives the rows that the actor may see; the
    parameters of `listing` then filter and sort them, or return them as a file."""

    def mark[Function](function: Function) -> Function:
        inner: Any = function

        @wraps(inner)
        def answer(self: Any, *given: Any) -> Any:
            order = more.get("order") or self.order
            return answered(self, listing, inner(self, *given), given[-1], order)

        declare = parts if "below" in more else lists
        declare(summary, query=query_of(listing), files=FILE_TYPES, **more)(answer)
        return answer  # type: ignore[return-value]

    return mark


def answered(endpoint: Any, listing: Listing, found: Any, query: dict[str, Any], usual: Sequence[str]) -> Any:
    """Return the rows of a list, filtered and sorted by a query, with what `Resource` needs to page them; or
    their file."""
    rows, seen = found if isinstance(found, tuple) else (found, None)
    values = dict(query)
    for one in listing.filters:
        if one.kind == MONTH and values[one.name]:
            values[one.name] = month_named(values[one.name])
    by = endpoint.by
    rows = listing.narrowed(rows, values, by)
    if waits := query.get("waits"):
        waiting = listing.waits[waits](by.actor, by.now)
        rows = rows.filter(pk__in=waiting.order_by().values("pk"))
    order: Sequence[str] = ()
    if sort := query.get("sort", ""):
        rows = rows.annotate(sorted_by=listing.sort_key(rows, sort))
        order = ("-sorted_by", "-id") if sort.startswith("-") else ("sorted_by", "id")
    is_file = query.get("format", "json") in FILES
    if seen is not None and (is_file or order):
        rows, seen = rows.filter(any_of(seen)) if seen else rows.none(), None
    if listing.copied is not None and query.get("updated_since"):
        rows, order = changed_since(rows, listing.copied, query), IN_ORDER
    if is_file:
        lines = listing.lines(rows.order_by(*(order or usual)), by)
        asked = endpoint.request.query_params.dict() | {"time_zone": by.actor.time_zone}
        return file_answer(listing.name, query["format"], listing.heads, lines, asked)
    return rows, seen, order


def _field_of(one: Filter) -> serializers.Field[Any, Any, Any, Any]:
    about: Any = {"help_text": one.help} if one.help else {}
    if one.kind == CHOICE:
        return Choice(one.choices, required=False, **about)
    if one.kind == ID:
        return serializers.UUIDField(required=False, **about)
    if one.kind == DAY:
        return Day(required=False, **about)
    if one.kind == FLAG:
        return Flag(default=False, **about)
    return Text(7 if one.kind == MONTH else one.most, default="", **about)
