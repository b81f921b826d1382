"""Lists that are declared once for their page, their files and the API: their columns, filters and order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import batched, chain
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, F, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf

from accounts.domain.roles import Actor, By
from accounts.letters.words import is_chinese
from accounts.selectors.rows import as_uuid, field_at
from bookings.record.domain.money import format_amount
from bookings.record.domain.months import month_after
from bookings.record.selectors.words import with_words
from instruments.reading.domain.clock import day_span

TEXT, CHOICE, MONTH, DAY, ID, FLAG = "text", "choice", "month", "day", "id", "flag"

READ_AT_ONCE = 2000  # rows of a file

type Rows = QuerySet[Any]
type Cell = str | int | Decimal | date | None  # an instant is in the reader's zone


@dataclass(frozen=True)
class Column:
    """A column of a list. It is in files if it has a `cell`: a path of attributes from the row, or a function
    of it. `sort=` in the query accepts its name if it has a `sort`, which is a field. `label` is its heading
    in the page's table; `kind` is "end" or "num" for numbers."""

    name: str
    cell: str | Callable[[Any, By], Any] | None = None
    label: Any = ""
    sort: str = ""
    kind: str = ""

    def read(self, row: Any, by: By) -> Any:
        if callable(self.cell):
            return self.cell(row, by)
        return reduce(getattr, str(self.cell).split("."), row)


@dataclass(frozen=True)
class Filter:
    """A parameter that filters a list to rows whose `field` has the value, or by a function. The page shows
    it as an input if it has a `label`; otherwise it can only be set in the address."""

    name: str
    narrow: str | Callable[[Rows, Any, By], Rows]
    kind: str = TEXT
    label: Any = ""
    help: str = ""
    choices: Sequence[tuple[str, Any]] = ()
    most: int = 40

    def narrowed(self, rows: Rows, value: Any, by: By) -> Rows:
        if callable(self.narrow):
            return self.narrow(rows, value, by)
        if self.kind == MONTH:
            return rows.filter(**{f"{self.narrow}__gte": value, f"{self.narrow}__lt": month_after(value)})
        return rows.filter(**{self.narrow: value})


def payer_filter(path: str) -> Filter:
    """Return a filter by the organisation that pays, which lies at a path of a row."""

    def narrow(rows: Rows, value: str, by: By) -> Rows:
        pk = as_uuid(value)
        return rows.filter(**({f"{path}_id": pk} if pk else {f"{path}__code": value}))

    return Filter("payer", narrow, help="Id of the paying organisation; its code for one version and a year.")


@dataclass(frozen=True)
class Listing:
    """A list of the `rows` that an actor may see, or of those in one of its `waits` that need their
    attention. A reader may search it for words in `words` (fields or `aliases`; `q_help` describes them), for
    an amount in `amounts`, and for what `finds` looks up in other tables for the rows; restrict it to days of
    the `day` field, filter it by `filters`, and sort it by the columns, each of which is a field or one of
    the `aliases`. Its file is called `name` and has the columns with cells; `for_files` adds to the rows what
    the cells read, and `only` restricts the fields that are loaded; `completed` adds to so many rows at a
    time what SQL cannot give the cells. Programs that keep a copy ask for what was changed since a moment, of
    the rows that meet the condition `copied`; None: they cannot."""

    name: str
    rows: Callable[[Actor], Rows]
    columns: Sequence[Column]
    waits: Mapping[str, Callable[[Actor, datetime], Rows]] = field(default_factory=dict)
    words: Sequence[str] = ()
    amounts: Sequence[str] = ()
    finds: Callable[[Rows, str, By], Q] | None = None
    aliases: Mapping[str, Any] = field(default_factory=dict)
    q_help: str = ""
    day: str = ""
    filters: Sequence[Filter] = ()
    for_files: Callable[[Rows, By], Rows] | None = None
    only: Sequence[str] = ()
    completed: Callable[[list[Any]], Iterable[Any]] | None = None
    waits_help: str = ""
    copied: Q | None = None

    @property
    def sorts(self) -> dict[str, str]:
        """Return, by column name, the field by which each sortable column sorts."""
        return {column.name: column.sort for column in self.columns if column.sort}

    @property
    def heads(self) -> list[str]:
        """Return the names of the columns that files of the list have."""
        return [column.name for column in self.columns if column.cell is not None]

    def sort_named(self, text: str) -> str:
        """Return the order that a parameter names, by a column or by its field; empty if it names none."""
        minus, name = ("-", text[1:]) if text.startswith("-") else ("", text)
        known = (column for column in self.columns if column.sort and name in (column.name, column.sort))
        column = next(known, None)
        return f"{minus}{column.name}" if column else ""

    def sort_key(self, rows: Rows, sort: str) -> Combinable:
        """Return the expression by which rows are sorted; of two names of a thing it is the one shown."""
        path = self.sorts[sort.removeprefix("-")]
        # A copy: a query may change the subquery that it takes.
        return deepcopy(self.aliases[path]) if path in self.aliases else _as_shown(rows.model, path)

    def narrowed(self, rows: Rows, values: Mapping[str, Any], by: By) -> Rows:
        """Return the rows filtered by the reader's values; empty values filter nothing."""
        if text := values.get("q"):
            also = self.finds(rows, text, by) if self.finds else None
            named = rows.alias(**deepcopy(dict(self.aliases)))
            rows = with_words(named, self.words, text, amounts=self.amounts, also=also)
        zone = ZoneInfo(by.actor.time_zone)
        is_moment = bool(self.day) and _is_moment(rows.model, self.day)
        if since := values.get("since"):
            first = day_span(zone, since)[0] if is_moment else since
            rows = rows.filter(**{f"{self.day}__gte": first})
        if until := values.get("until"):
            behind = day_span(zone, until)[1] if is_moment else until + timedelta(days=1)
            rows = rows.filter(**{f"{self.day}__lt": behind})
        for one in self.filters:
            if value := values.get(one.name):
                rows = one.narrowed(rows, value, by)
        return rows

    def lines(self, rows: Rows, by: By) -> Iterable[list[Cell]]:
        """Yield the rows as lines of a file."""
        if self.for_files:
            rows = self.for_files(rows, by)
        if self.only:
            rows = rows.only(*self.only)
        found: Iterable[Any] = rows.iterator(READ_AT_ONCE)
        if self.completed:
            found = chain.from_iterable(map(self.completed, map(list, batched(found, READ_AT_ONCE))))
        return (self.line(row, by) for row in found)

    def line(self, row: Any, by: By) -> list[Cell]:
        """Return the cells of a row, as a file of the list has them."""
        zone = ZoneInfo(by.actor.time_zone)
        return [_plain(column.read(row, by), zone) for column in self.columns if column.cell is not None]


def amount_of(name: str, currency: str = "currency") -> Callable[[Any, By], Any]:
    """Return a function that reads an amount with the decimals of its currency; empty if there is no
    amount."""
    amount, unit = attrgetter(name), attrgetter(currency)

    def cell(row: Any, by: By) -> Decimal | None:
        value = amount(row)
        return None if value is None else amount_cell(value, unit(row))

    return cell


def amount_cell(amount: Decimal, currency: str) -> Decimal:
    """Return an amount as a number with the decimals of its currency."""
    return Decimal(format_amount(amount, currency))


def month_cell(row: Any, by: By) -> str:
    """Return the month of a row as files write it."""
    return f"{row.month:%Y-%m}" if row.month else ""


def _plain(value: Any, zone: ZoneInfo) -> Cell:
    if isinstance(value, datetime):
        return value.astimezone(zone)
    return value if value is None or isinstance(value, (int, Decimal, date)) else str(value)


def _as_shown(model: type[Model], path: str) -> Combinable:
    if path.rpartition("__")[2] != "name" or not is_chinese():
        return F(path)
    shown: Combinable = F(path)
    if "name_zh" in {field.name for field in field_at(model, path).model._meta.get_fields()}:
        shown = Coalesce(NullIf(F(f"{path}_zh"), Value("")), F(path))
    # By pinyin, as `name_order` in accounts/letters/words.py. The text of its bytes also fits into a cursor.
    by_pinyin = "encode(convert_to(%(expressions)s, 'GB18030'), 'hex')"
    return Func(shown, template=by_pinyin, output_field=TextField())


def _is_moment(model: type[Model], path: str) -> bool:
    """Say whether a field, perhaps of a related row, is an instant."""
    return isinstance(field_at(model, path), DateTimeField)
