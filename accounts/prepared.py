"""Querysets built and compiled once, for the few questions that every booking asks, and the rows
that it stores.

Building a queryset and compiling it to SQL takes several times as long as the database takes to
answer a question by an indexed key. `Prepared` keeps what was compiled and fills in the values;
the rows are the same objects that the queryset would give. `insert` does the same for new rows.
For hot paths only (docs/decisions/0006-prepared.md).
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from itertools import chain, groupby
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Expression, Field, ForeignObject, Lookup, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.expressions import Col
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

MOST_SHAPES = 64  # of a question; what is beyond is compiled each time
MOST_ITEMS = 16  # of a list with a slot for each; a longer one is a single value


class Slot(Expression):
    """The place of a value that is known later. Converted by nobody: what fills it must be what
    the driver takes (a UUID, an instant, a date, a number, a text, a range)."""

    def __init__(self, name: str, place: int | None = None) -> None:
        super().__init__()
        self.name, self.place = name, place

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def value(self, values: dict[str, Any]) -> Any:
        value = values[self.name]
        return value if self.place is None else value[self.place]


@ForeignObject.register_lookup  # which does not inherit those of a field
@Field.register_lookup
class OneOf(Lookup):
    """`in`, for slots and arrays of a row, also of a foreign key, whose own `in` wants to convert
    the values."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.process_lhs(compiler, connection)
        if isinstance(self.rhs, Col):  # that holds an array
            array, more = compiler.compile(self.rhs)
            return f"{sql} = ANY({array})", (*params, *more)
        if not self.rhs:
            raise EmptyResultSet
        if isinstance(self.rhs, Slot):  # all of a long list
            return f"{sql} = ANY(%s)", (*params, self.rhs)
        return f"{sql} IN ({', '.join(['%s'] * len(self.rhs))})", (*params, *self.rhs)


class Prepared[R]:
    """Rows of `build(*shape, **slots)`.

    `shape` decides what is asked (flags), the slots what for. A value that is a list becomes
    one slot for each of its items, to be asked by `one_of`, so that each length is a shape of
    its own; a long one is one slot. None is no value: `= NULL` holds for no row.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]]) -> None:
        self.build = build
        self.compiled: dict[Any, tuple[QuerySet[Any, R], SQLCompiler, str, Sequence[Any]]] = {}

    def rows(self, *shape: Any, **values: Any) -> list[R]:
        """Return the rows. One statement; none if an empty list leaves nothing to ask for."""
        if any(value is None for value in values.values()):
            raise ValueError("a prepared question takes no None")
        lengths = tuple(
            min(len(v), MOST_ITEMS + 1) if isinstance(v, list) else None for v in values.values()
        )
        key = (shape, tuple(values), lengths)
        if key not in self.compiled:
            try:
                compiled = self._compile(shape, values)
            except EmptyResultSet:
                return []
            if len(self.compiled) >= MOST_SHAPES:
                return self._filled(*compiled, values)
            self.compiled[key] = compiled
        return self._filled(*self.compiled[key], values)

    def first(self, *shape: Any, **values: Any) -> R | None:
        """Return the first of `rows`: for a question of which there is at most one answer."""
        rows = self.rows(*shape, **values)
        return rows[0] if rows else None

    def _compile(
        self, shape: tuple[Any, ...], values: dict[str, Any]
    ) -> tuple[QuerySet[Any, R], SQLCompiler, str, Sequence[Any]]:
        slots = {
            name: [Slot(name, place) for place in range(len(value))]
            if isinstance(value, list) and len(value) <= MOST_ITEMS
            else Slot(name)
            for name, value in values.items()
        }
        queryset = self.build(*shape, **slots)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, params = compiler.as_sql()
        # What makes values of what the database gives is the same each time.
        columns = [column for column, *_ in compiler.select]
        converters, is_composite = (
            compiler.get_converters(columns),
            compiler.has_composite_fields(columns),
        )
        compiler.get_converters = lambda _: converters
        compiler.has_composite_fields = lambda _: is_composite
        return queryset, compiler, sql, params

    def _filled(
        self,
        queryset: QuerySet[Any, R],
        compiler: SQLCompiler,
        sql: str,
        params: Sequence[Any],
        values: dict[str, Any],
    ) -> list[R]:
        filled = copy(compiler)
        # A thread has a connection of its own.
        filled.connection = connections[queryset.db]
        if queryset.query.select_for_update and filled.connection.get_autocommit():
            raise TransactionManagementError("a lock is kept until a transaction ends")
        ready = sql, tuple(p.value(values) if isinstance(p, Slot) else p for p in params)
        filled.as_sql = lambda *args, **kwargs: ready  # type: ignore[method-assign]
        again = queryset.all()
        again.query.get_compiler = lambda *args, **kwargs: filled  # type: ignore[method-assign]
        return list(again)


_INSERTS: dict[tuple[type[Model], int, bool], str] = {}


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    """Store new rows, each with its key, as `bulk_create` does, those of one model together. One
    statement for all; none for none."""
    if not rows:
        return
    connection = connections["default"]
    statements: list[str] = []
    params: list[Any] = []
    for model, group in groupby(rows, type):
        sql, values = _insert(model, list(group), ignore_conflicts, connection)
        statements.append(sql)
        params += values
    *before, last = statements
    named = [f"_{n} AS ({sql})" for n, sql in enumerate(before)]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(named)} {last}" if named else last, params)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _insert(
    model: type[Model], rows: Sequence[Model], ignore_conflicts: bool, connection: Any
) -> tuple[str, Iterable[Any]]:
    fields = model._meta.concrete_fields
    key = (model, len(rows), ignore_conflicts)
    if (sql := _INSERTS.get(key)) is None:
        query = InsertQuery(model, on_conflict=OnConflict.IGNORE if ignore_conflicts else None)
        query.insert_values(fields, list(rows))
        ((sql, _),) = query.get_compiler(connection=connection).as_sql()
        if len(rows) <= MOST_ITEMS:
            _INSERTS[key] = sql
    values = [
        [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
        for row in rows
    ]
    # Several rows of plain columns are sent as one list for each column.
    by_column = len(rows) > 1 and "UNNEST(" in sql
    return sql, [list(v) for v in zip(*values, strict=True)] if by_column else chain(*values)
