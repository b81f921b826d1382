"""Lists as pages: with filters, also for what waits for the reader, and with the whole list as a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.domain.roles import Actor, By
from accounts.forms import NameInput
from accounts.selectors.rows import among
from bookings.record.adapters.figures import FILES, file_answer
from bookings.record.forms.working import WorkingForm
from bookings.record.selectors.lists import Cell, Listing, amount_cell

__all__ = ["ListPage", "Pages", "amount_cell", "csv_answer", "waits_of", "wants_csv"]


class Pages(Paginator):  # type: ignore[type-arg]
    """A paginator that first finds the keys of a page by an index, and then reads only the rows of that
    page."""

    def _get_page(self, object_list: Any, *args: Any) -> Any:
        every: Any = self.object_list
        rows = every.filter(among("pk", object_list.values("pk")))
        return super()._get_page(rows, *args)  # type: ignore[misc]


def names_nobody(form: Form | None) -> bool:
    """Say whether a name by which a list is filtered could not be understood; the form says what is wrong
    with it."""
    return form is not None and any(
        isinstance(field.widget, NameInput) for name, field in form.fields.items() if name in form.errors
    )


@dataclass(frozen=True)
class ListPage:
    """The page of a list with `size` rows, each passed to the template as `shown`; `totals` sums up the whole
    list for a reader, and `number` takes the number of rows from it; `about` gives the template what else it
    needs to know of the rows of a page. Readers sort a table by its columns, other lists by `orders`: column
    names, with - for descending, and their labels."""

    template: str
    listing: Listing
    shown: Callable[[Any, By], Any] | None = None
    about: Callable[[list[Any], By], dict[str, Any]] | None = None
    totals: Callable[[QuerySet[Any], Actor], Any] | None = None
    number: Callable[[Any], int] | None = None
    size: int = 30
    orders: Mapping[str, Any] = field(default_factory=dict)

    def _working(self, request: HttpRequest, form: Form | None) -> tuple[WorkingForm, dict[str, Any]]:
        """Return the form of the list's filters, and the values that filter it; `form` has some of the
        filters as the page's own fields."""
        data = request.GET.copy()
        data["sort"] = self.listing.sort_named(data.get("sort", ""))
        working = WorkingForm(data, self.listing, orders=self.orders)
        if form is None:
            return working, working.narrowing
        form.is_valid()
        for name in form.fields:
            working.fields.pop(name, None)
        own = {name: value for name, value in form.cleaned_data.items() if value}
        return working, working.narrowing | own

    def _means_nothing(self, working: WorkingForm, form: Form | None) -> bool:
        """Say whether one of the list's filters has a value that it does not know, or a name that names
        nobody: then the list shows no row, as all of them would look like the answer."""
        wrong = {*working.errors, *(form.errors if form else ())}
        return bool(wrong & {one.name for one in self.listing.filters}) or names_nobody(form)

    def narrows(self, request: HttpRequest, form: Form | None = None) -> bool:
        """Say whether the address filters the list."""
        working, values = self._working(request, form)
        return bool(values) or self._means_nothing(working, form)

    def narrowed(
        self, request: HttpRequest, by: By, rows: QuerySet[Any], form: Form | None = None
    ) -> tuple[QuerySet[Any], dict[str, Any]]:
        """Return the rows as the reader filtered and sorted them, and the context for the template."""
        working, values = self._working(request, form)
        is_unknown = self._means_nothing(working, form)
        rows = rows.none() if is_unknown else self.listing.narrowed(rows, values, by)
        sort = self.listing.sort_named(request.GET.get("sort", ""))
        if sort:
            rows = rows.annotate(sorted_by=self.listing.sort_key(rows, sort))
            rows = rows.order_by(*(("-sorted_by", "-pk") if sort.startswith("-") else ("sorted_by", "pk")))
        return rows, {
            "working": working,
            "listing": self.listing,
            "narrowing": values,
            "is_narrowed": bool(values) or is_unknown,
            "sort": sort,
        }

    def file(self, request: HttpRequest, by: By, rows: QuerySet[Any]) -> HttpResponseBase | None:
        """Return the rows as a file, where the address asks for one."""
        if (format := request.GET.get("format", "")) not in FILES:
            return None
        lines = self.listing.lines(rows, by)
        asked = request.GET.dict() | {"time_zone": by.actor.time_zone}
        return file_answer(self.listing.name, format, self.listing.heads, lines, asked)

    def chosen(self, request: HttpRequest, by: By) -> tuple[str, QuerySet[Any]]:
        """Return the kind of waiting rows to which the address restricts the list (empty: none), and the rows
        of the list."""
        listing = self.listing
        waits = waits_of(request, *listing.waits)
        return waits, listing.waits[waits](by.actor, by.now) if waits else listing.rows(by.actor)

    def answer(
        self,
        request: HttpRequest,
        by: By,
        rows: QuerySet[Any] | None = None,
        totals: Any = None,
        form: Form | None = None,
        status: int = 200,
        **context: Any,
    ) -> HttpResponseBase:
        """Return the list as a page or, if requested, as a file; `rows` and `totals` may be given by the
        caller."""
        if rows is None:
            context["waits"], rows = self.chosen(request, by)
        rows, working = self.narrowed(request, by, rows, form)
        context |= working | {"form": form}
        if file := self.file(request, by, rows):
            return file
        pages = Pages(rows, self.size)
        if self.totals and self.number:
            totals = self.totals(rows, by.actor) if totals is None else totals
            pages.count = self.number(totals)
        page = pages.get_page(request.GET.get("page"))
        if completed := self.listing.completed:
            page.object_list = list(completed(list(page.object_list)))
        if self.shown:
            context["rows"] = [self.shown(row, by) for row in page.object_list]
        if self.about:
            page.object_list = list(page.object_list)
            context |= self.about(page.object_list, by)
        if self.totals:
            if totals is None:
                totals = self.totals(rows, by.actor) if pages.count else []
            context["totals"] = totals
        return render(request, self.template, {"page": page, **context}, status=status)


def waits_of(request: HttpRequest, *allowed: str) -> str:
    """Return the kind of waiting rows (accounts/menu.py) to which the address restricts the list; empty if to
    none."""
    waits = request.GET.get("waits", "")
    return waits if waits in allowed else ""


def wants_file(request: HttpRequest) -> bool:
    return request.GET.get("format") in FILES


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def csv_answer(
    request: HttpRequest,
    name: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    has_figures: bool = False,
) -> HttpResponseBase:
    """Send all rows of a list as it is filtered as CSV; one that `has_figures` says what was asked."""
    return file_answer(name, "csv", heads, rows, request.GET.dict(), has_figures=has_figures)
