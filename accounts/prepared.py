"""Querysets that are built and compiled once, for the few queries that every booking needs, and inserts of
the rows that it stores.

Building a queryset and compiling it to SQL takes several times as long as the database needs to answer a
query by an indexed key. `Prepared` keeps the compiled SQL and fills in the values; it returns the same
objects as the queryset would. `insert` does the same for new rows, `PreparedFor` for plain rows that depend
on the person who asks. They are meant for hot paths only (docs/decisions/0006-prepared.md).
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Expression, Field, ForeignObject, Lookup, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.expressions import Col
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language
from psycopg.types.json import Jsonb

from accounts.domain.roles import Actor, Grant

MOST_SHAPES = 64  # of a question; what is beyond is compiled each time
MOST_ITEMS = 16  # of a list with a slot for each; a longer one is a single value


class Slot(Expression):
    """The place of a value that is filled in later. The value is not converted, so it must be of a type that
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
    """The lookup `in` for slots and for array columns, also for foreign keys, whose own `in` would try to
    convert the values."""

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
    """The rows of `build(*shape, **slots)`, compiled once per shape.

    `shape` holds flags that change the query, the slots hold its values. A value that is a list becomes one
    slot per item, to be used with `one_of`, so that each length is a shape of its own; a long list becomes a
    single slot. None is not a usable value: `= NULL` holds for no row.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]]) -> None:
        self.build = build
        self.compiled: dict[Any, tuple[QuerySet[Any, R], SQLCompiler, str, Sequence[Any]]] = {}

    def rows(self, *shape: Any, **values: Any) -> list[R]:
        """Return the rows. It takes one statement, or none if an empty list rules out all rows."""
        if any(value is None for value in values.values()):
            raise ValueError("a prepared question takes no None")
        lengths = tuple(min(len(v), MOST_ITEMS + 1) if isinstance(v, list) else None for v in values.values())
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
        """Return the first of `rows`, or None; meant for queries that give at most one row."""
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
        converters, is_composite = (compiler.get_converters(columns), compiler.has_composite_fields(columns))
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
    """Store new rows, each with its key, as `bulk_create` does; rows of the same model are inserted together.
    It takes one statement in all, or none without rows."""
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


# For which `PreparedFor` compiles: they have no day, hour or minute in common.
_MOMENTS = (
    datetime(2031, 3, 7, 10, 11, 12, 131313, tzinfo=UTC),
    datetime(2037, 11, 21, 1, 2, 3, 414141, tzinfo=UTC),
)
MOST_PEOPLE = 512  # who differ in more than their ids


@dataclass(frozen=True)
class _Id:
    """A placeholder for the id at position `at` among the ids of the person who asks."""

    at: int


@dataclass(frozen=True)
class _After:
    """A placeholder for a moment that lies `time` after the moment of the query."""

    time: timedelta


class _Differs(Exception):
    """The query depends on more than ids and moments, so it cannot be compiled once for several people."""


class PreparedFor:
    """Plain rows of `build(actor, now)`, compiled once for all people who hold the same roles in the same
    number of places.

    The query is compiled twice, for invented people and moments. Where their ids and moments occur among the
    values, those of the actual person and moment are filled in later. If the two compilations differ in
    anything else, or building one queries the database, the query is compiled each time it runs.
    """

    def __init__(self) -> None:
        self.compiled: dict[Any, tuple[str, list[Any]] | None] = {}

    def rows(
        self, key: Any, build: Callable[[Actor, datetime], QuerySet[Any, Any]], actor: Actor, now: datetime
    ) -> list[tuple[Any, ...]]:
        """Return the rows; `key` identifies the query that `build` returns. It takes one statement, or none
        if no row can match."""
        shape, ids = _shape(actor)
        key = (key, shape, get_language(), get_current_timezone_name())
        if key not in self.compiled:
            if len(self.compiled) >= MOST_PEOPLE:
                self.compiled.clear()
            try:
                self.compiled[key] = _compiled_for(build, actor, ids)
            except _Differs:
                self.compiled[key] = None
        found = self.compiled[key]
        if found:
            sql, values = found[0], [_filled(value, ids, now) for value in found[1]]
        else:
            sql, values = _sql(build(actor, now))
        if not sql:
            return []
        with connections["default"].cursor() as cursor:
            cursor.execute(sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _shape(actor: Actor) -> tuple[Any, list[UUID]]:
    """Return what people for whom the same SQL serves have in common, and the actor's ids in the order in
    which that shape refers to them."""
    places: dict[UUID, int] = {}

    def at(one: UUID | None) -> int | None:
        return None if one is None else places.setdefault(one, len(places))

    grants = sorted(actor.grants, key=lambda grant: (grant.role, *map(str, _places(grant))))
    shape = (
        tuple((grant.role, *map(at, _places(grant))) for grant in grants),
        tuple(at(one) for one in sorted(actor.organisations)),
        at(actor.user_id),
        (actor.language, actor.time_zone, actor.is_platform, actor.is_service),
    )
    return shape, list(places)


def _places(grant: Grant) -> tuple[UUID | None, ...]:
    return grant.organisation_id, grant.region_id, grant.facility_id, grant.instrument_id


def _compiled_for(
    build: Callable[[Actor, datetime], QuerySet[Any, Any]], actor: Actor, ids: list[UUID]
) -> tuple[str, list[Any]]:
    """Return the SQL and its values, with placeholders for what differs between people and moments. Raise
    `_Differs`."""
    (sql, first), (other, second) = (
        _built(build, actor, {one: UUID(int=(number << 120) + at + 1) for at, one in enumerate(ids)}, moment)
        for number, moment in enumerate(_MOMENTS, 1)
    )
    if sql != other or len(first) != len(second):
        raise _Differs
    values = []
    for value, again in zip(first, second, strict=True):
        # A set has no order: which of its ids comes first may differ.
        is_same = value == again or (_is_id(value) and _is_id(again))
        if not is_same and not (isinstance(value, Jsonb) and value.obj == again.obj):
            raise _Differs
        values.append(value)
    return sql, values


def _is_id(value: Any) -> bool:
    return all(map(_is_id, value)) if isinstance(value, list) else isinstance(value, _Id)


def _built(
    build: Callable[[Actor, datetime], QuerySet[Any, Any]],
    actor: Actor,
    names: dict[UUID, UUID],
    moment: datetime,
) -> tuple[str, list[Any]]:
    """Compile a query with stand-ins for the actor's ids and for the time, which are replaced by real values
    each time it runs."""
    stand_in = replace(
        actor,
        user_id=names[actor.person],
        organisations=frozenset(names[one] for one in actor.organisations),
        grants=tuple(
            replace(
                grant,
                organisation_id=grant.organisation_id and names[grant.organisation_id],
                region_id=grant.region_id and names[grant.region_id],
                facility_id=grant.facility_id and names[grant.facility_id],
                instrument_id=grant.instrument_id and names[grant.instrument_id],
            )
            for grant in actor.grants
        ),
    )

    def refuse(*_: Any) -> Any:
        raise _Differs

    with connections["default"].execute_wrapper(refuse):
        sql, values = _sql(build(stand_in, moment))
    places = {name: _Id(at) for at, name in enumerate(names.values())}
    return sql, [_placed(value, places, moment) for value in values]


def _placed(value: Any, places: dict[UUID, _Id], moment: datetime) -> Any:
    if isinstance(value, list):
        return [_placed(one, places, moment) for one in value]
    if isinstance(value, datetime):
        return _After(value - moment) if value.tzinfo else value
    return places.get(value, value) if isinstance(value, UUID) else value


def _filled(value: Any, ids: list[UUID], now: datetime) -> Any:
    if isinstance(value, list):
        return [_filled(one, ids, now) for one in value]
    if isinstance(value, _After):
        return now + value.time
    return ids[value.at] if isinstance(value, _Id) else value


def _sql(rows: QuerySet[Any, Any]) -> tuple[str, list[Any]]:
    """Return the statement and its values; an empty statement if no row can match."""
    try:
        sql, values = rows.query.get_compiler(using="default").as_sql()
    except EmptyResultSet:
        return "", []
    return sql, list(values)
