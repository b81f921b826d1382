"""What lists have in common: only what waits for the reader, and the whole list as a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.domain.roles import Actor, By
from accounts.replica import streamed
from accounts.selectors.rows import among
from bookings.record.adapters.figures import Cell, csv_pieces, in_transaction
from bookings.record.domain.money import format_amount
from bookings.record.forms.working import WorkingForm
from instruments.domain.opening import day_span


class Pages(Paginator):  # type: ignore[type-arg]
    """Pages of rows of which first the keys are taken, by an index that needs not read the rows."""

    def _get_page(self, object_list: Any, *args: Any) -> Any:
        every: Any = self.object_list
        rows = every.filter(among("pk", object_list.values("pk")))
        return super()._get_page(rows, *args)  # type: ignore[misc]


@dataclass(frozen=True)
class ListPage:
    """A list in pages: `rows` that the actor may see, or one kind of what `waits` for them, each
    as `shown` to the template; `totals` of all of it, which say the `number` of rows as well; and
    all of it as the CSV file `sheet`: its name, heads, and what gives the cells of a row, for which
    the `columns` are read alone, where they are named. A reader may narrow it to rows with some
    words in one of the `words` fields, to days of the `day` field, and to one of the `states`, each
    with what it is called, as `in_state` finds them (else by the field `state`), and sort it by the
    `sorts`: of a column of the template's table, counted from 0, its field; or, where it is no
    table, by the `orders`: of a field, with - before it back to front, what it is called."""

    template: str
    rows: Callable[[Actor], QuerySet[Any]]
    waits: Mapping[str, Callable[[Actor, datetime], QuerySet[Any]]] = field(default_factory=dict)
    shown: Callable[[Any, By], Any] | None = None
    totals: Callable[[QuerySet[Any]], Any] | None = None
    number: Callable[[Any], int] | None = None
    sheet: tuple[str, Sequence[str], Callable[[Any, By], Sequence[Cell]]] | None = None
    columns: Sequence[str] = ()
    size: int = 30
    words: Sequence[str] = ()
    day: str = ""
    states: Sequence[tuple[str, Any]] = ()
    in_state: Callable[[QuerySet[Any], str, datetime], QuerySet[Any]] | None = None
    sorts: Mapping[int, str] = field(default_factory=dict)
    orders: Mapping[str, Any] = field(default_factory=dict)

    def narrows(self, request: HttpRequest) -> bool:
        """Return whether the address narrows it by words, days or state."""
        names = ("q", "since", "until", *(("state",) if self.states else ()))
        return any(request.GET.get(name) for name in names)

    def _worked(self, form: WorkingForm, by: By, rows: QuerySet[Any], sort: str) -> QuerySet[Any]:
        """The rows as the reader narrowed and sorted them."""
        data = form.cleaned_data if form.is_valid() else {}
        if text := data.get("q"):
            fits = Q()
            for name in self.words:
                fits |= Q(**{f"{name}__icontains": text})
            rows = rows.filter(fits)
        zone = ZoneInfo(by.actor.time_zone)
        is_moment = bool(self.day) and _is_moment(rows.model, self.day)
        if since := data.get("since"):
            first = day_span(zone, since)[0] if is_moment else since
            rows = rows.filter(**{f"{self.day}__gte": first})
        if until := data.get("until"):
            behind = day_span(zone, until)[1] if is_moment else until + timedelta(days=1)
            rows = rows.filter(**{f"{self.day}__lt": behind})
        if state := data.get("state"):
            found = self.in_state
            rows = found(rows, state, by.now) if found else rows.filter(state=state)
        return rows.order_by(sort, "pk") if sort else rows

    def narrowed(
        self, request: HttpRequest, by: By, rows: QuerySet[Any]
    ) -> tuple[QuerySet[Any], dict[str, Any]]:
        """The rows as the reader narrowed and sorted them, and what the template knows of it."""
        form = WorkingForm(
            request.GET,
            with_words=bool(self.words),
            with_days=bool(self.day),
            states=self.states,
            orders=self.orders,
        )
        sort = request.GET.get("sort", "")
        if sort not in self.orders and sort.removeprefix("-") not in self.sorts.values():
            sort = ""
        return self._worked(form, by, rows, sort), {
            "working": form,
            "is_narrowed": self.narrows(request),
            "sorts": self.sorts,
            "sort": sort,
        }

    def chosen(self, request: HttpRequest, by: By) -> tuple[str, QuerySet[Any]]:
        """Return which of what waits is asked for (empty: none of it), and the rows."""
        waits = waits_of(request, *self.waits)
        return waits, self.waits[waits](by.actor, by.now) if waits else self.rows(by.actor)

    def answer(
        self, request: HttpRequest, by: By, rows: QuerySet[Any], totals: Any = None, **context: Any
    ) -> HttpResponseBase:
        """The rows, narrowed as the caller likes, as the page asked for or as the file; `totals`
        where the caller has them already."""
        rows, working = self.narrowed(request, by, rows)
        context |= working
        if self.sheet and wants_csv(request):
            name, heads, cells = self.sheet
            if self.columns:
                rows = rows.only(*self.columns)
            lines = (cells(row, by) for row in rows.iterator(2000))
            return csv_answer(request, name, heads, lines)
        pages = Pages(rows, self.size)
        if self.totals and self.number:
            totals = self.totals(rows) if totals is None else totals
            pages.count = self.number(totals)
        page = pages.get_page(request.GET.get("page"))
        if self.shown:
            context["rows"] = [self.shown(row, by) for row in page.object_list]
        if self.totals:
            if totals is None:
                totals = self.totals(rows) if pages.count else []
            context["totals"] = totals
        return render(request, self.template, {"page": page, **context})


def _is_moment(model: type[Model], path: str) -> bool:
    """Return whether a field, perhaps of a row that this one refers to, is an instant."""
    *above, name = path.split("__")
    for each in above:
        model = model._meta.get_field(each).related_model  # type: ignore[assignment]
    return isinstance(model._meta.get_field(name), DateTimeField)


def waits_of(request: HttpRequest, *allowed: str) -> str:
    """Return what the list is narrowed to of what waits (overview/selectors/money); empty: it is
    not."""
    waits = request.GET.get("waits", "")
    return waits if waits in allowed else ""


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def csv_answer(
    request: HttpRequest, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> StreamingHttpResponse:
    """Send all rows of a list as it is narrowed, row by row as they are read, in a transaction, as
    a cursor needs; behind them how it was narrowed. No cell of text begins like a formula."""
    notes = [
        (key, str(value))
        for key, value in request.GET.items()
        if value and key not in ("format", "page", "after")
    ]
    pieces = streamed(in_transaction(csv_pieces(heads, rows, notes)))
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def amount_cell(amount: Decimal, currency: str) -> Decimal:
    """Return a number with the decimals of its currency."""
    return Decimal(format_amount(amount, currency))
