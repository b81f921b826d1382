"""Read what undoing an import would do, before anybody asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import batched
from uuid import UUID

from django.db.models import Model
from django.db.models.fields.reverse_related import ForeignObjectRel

from instruments.exchange.domain.imports import Result
from instruments.exchange.domain.undoing import Standing, reason_to_stay
from instruments.exchange.models import Import, ImportRow
from instruments.register.models import Instrument

MOST_LOOKED_AT = 5000  # rows of an import before it is undone
_BATCH = 500
# Tables whose rows are a part of the record and go with it: an import writes them.
_PARTS = frozenset(
    {
        *("instruments.Provenance", "instruments.Capability", "instruments.ScheduleAssignment"),
        *("instruments.SearchEntry", "instruments.ImportRow", "instruments.Instrument_techniques"),
    }
)


@dataclass
class Undoing:
    """The effect of undoing an import: the number of drafts that are deleted and of records that get back
    what they were, and the rows whose draft stays, each with the reason in its `problem`. `is_cut`: the
    import has more rows than were looked at."""

    deleted: int = 0
    restored: int = 0
    stays: list[ImportRow] = field(default_factory=list)
    is_cut: bool = False


def load_undoing(job: Import) -> Undoing:
    """Return what undoing an import would do to its first rows today."""
    undoing = Undoing()
    if not job.may_undo:
        return undoing
    rows = job.rows.filter(result__in=[Result.CREATED, Result.CHANGED], instrument__isnull=False)
    found = list(rows.defer("values", "differences").order_by("position")[: MOST_LOOKED_AT + 1])
    undoing.is_cut = len(found) > MOST_LOOKED_AT
    for batch in batched(found[:MOST_LOOKED_AT], _BATCH):
        made = [row.instrument_id for row in batch if row.result == Result.CREATED and row.instrument_id]
        standing = standings(made)
        for row in batch:
            if row.result == Result.CHANGED:
                undoing.restored += 1
            elif row.instrument_id in standing:
                reason, numbers = reason_to_stay(standing[row.instrument_id])
                if reason:
                    row.problem = {"code": reason, "numbers": numbers}
                    undoing.stays.append(row)
                else:
                    undoing.deleted += 1
    return undoing


def standings(ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return, by id, how instruments that an import made stand today."""
    made = list(ids)
    used = used_by(Instrument, made)
    rows = Instrument.objects.filter(pk__in=made).values_list("pk", "publication", "version")
    return {pk: Standing(publication, version, used.get(pk, "")) for pk, publication, version in rows}


def used_by(model: type[Model], ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return, by id, what uses rows of a model: the name of a table that refers to them, whichever area it
    belongs to; rows that nothing uses are absent."""
    asked, used = list(ids), dict[UUID, str]()
    relations = model._meta.get_fields(include_hidden=True)
    for relation in relations if asked else ():
        if not isinstance(relation, ForeignObjectRel) or relation.many_to_many:
            continue
        other, name = relation.related_model, relation.field
        if isinstance(other, str) or other._meta.label in _PARTS:
            continue
        there = other._base_manager.filter(**{f"{name.name}__in": asked})
        for pk in there.values_list(name.attname, flat=True).distinct():
            used.setdefault(pk, str(other._meta.verbose_name))
    return used
