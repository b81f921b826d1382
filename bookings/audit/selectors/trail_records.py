"""Look up the names of records that the trail mentions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.areas import Record, areas, computed
from accounts.domain.roles import Actor
from accounts.selectors.names import text


@dataclass(frozen=True)
class Called:
    """The name of a record, also in Chinese if it has one, and the moment it is about."""

    name: str
    name_zh: str
    at: datetime | None


@computed
def records() -> Mapping[str, Record]:
    """Return the kinds of records that acts concern, of all areas."""
    return {record.code: record for area in areas() for record in area.records}


def _called(kind: str, ids: Iterable[UUID]) -> QuerySet[Any]:
    record = records()[kind]
    nothing = Value("", output_field=TextField())
    never = Value(None, output_field=DateTimeField())
    columns = {
        "its_kind": Value(kind, output_field=TextField()),
        "its_name": Coalesce(text(record.name), nothing),
        "its_name_zh": Coalesce(text(record.name_zh), nothing) if record.name_zh else nothing,
        "its_moment": Cast(record.at or never, DateTimeField()),
    }
    rows = record.model._default_manager.filter(pk__in=sorted(ids)).order_by().annotate(**columns)
    named: QuerySet[Any] = rows.values_list("pk", *columns)
    return named


def called_of(which: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Called]:
    """Return the names of records by kind and id; records that have no name or are gone are left out. It
    takes one statement whatever the kinds, none without records."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, pk in which:
        if kind in records() and records()[kind].name is not None:
            by_kind.setdefault(kind, set()).add(pk)
    if not by_kind:
        return {}
    first, *others = (_called(kind, ids) for kind, ids in sorted(by_kind.items()))
    rows = first.union(*others, all=True) if others else first
    return {(kind, pk): Called(name, name_zh, at) for pk, kind, name, name_zh, at in rows}


def has_page(actor: Actor, kind: str, pk: UUID) -> bool:
    """Return whether a record has a page of its own that the actor may see. It takes one or two
    statements."""
    record = records().get(kind)
    if record is None or not record.page or record.seen is None:
        return False
    return record.seen(actor).filter(pk=pk).exists()
