"""Import the vocabularies of techniques, measurands and parameters, and edit measurands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By, Place
from accounts.permissions import require
from instruments.vocabulary.domain import needs
from instruments.vocabulary.domain import parameters as capabilities
from instruments.vocabulary.domain.needs import FIELDS
from instruments.vocabulary.domain.techniques import Term, check_hierarchy
from instruments.vocabulary.models import Measurand, Parameter, Technique
from instruments.vocabulary.selectors.needs import read_parameters, vocabulary_changed
from instruments.vocabulary.selectors.techniques import load_terms


@transaction.atomic
def techniques_import(by: By, *, terms: Iterable[Term]) -> list[str]:
    """Create or change techniques, by their codes, and return the codes of those created or changed; none is
    ever removed. `Invalid` (check_hierarchy) changes nothing. For administrators and the platform itself.

    Instruments are filed by the new terms when `register_file` runs next.
    """
    if not by.actor.is_platform:
        require(by.actor, "administer", Place(None))
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE instruments_technique IN SHARE ROW EXCLUSIVE MODE")
    before = load_terms()
    given = {term.code: term for term in terms}
    changed = [code for code, term in given.items() if before.get(code) != _sorted(term)]
    whole = {**before, **given}
    check_hierarchy({code: term.parents for code, term in whole.items()}, changed)
    Technique.objects.bulk_create(
        [Technique(**_columns(given[code])) for code in changed],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["scheme", "name", "name_zh", "synonyms", "definition"],
    )
    rows = Technique.objects.in_bulk(field_name="code")
    links = Technique.parents.through
    links.objects.filter(from_technique__code__in=changed).delete()
    links.objects.bulk_create(
        links(from_technique=rows[code], to_technique=rows[parent])
        for code in changed
        for parent in dict.fromkeys(given[code].parents)
    )
    if changed:
        trail.record_many(
            by,
            changes=[_change(rows[code], before.get(code), given[code]) for code in changed],
            places=((), ()),
        )
        transaction.on_commit(vocabulary_changed)
    return changed


def _sorted(term: Term) -> Term:
    """Return a term with its parents in the order in which the database returns them."""
    return Term(**{**asdict(term), "parents": tuple(sorted(set(term.parents)))})


def _columns(term: Term) -> dict[str, Any]:
    return {k: v for k, v in asdict(term).items() if k not in ("parents", "synonyms")} | {
        "synonyms": list(term.synonyms)
    }


def _change(row: Technique, before: Term | None, after: Term) -> tuple[Any, ...]:
    was = asdict(before) if before else {}
    values = asdict(after)
    names = [name for name in values if values[name] != was.get(name)]
    return (
        "technique.update" if before else "technique.create",
        row,
        {name: was[name] for name in names if name in was},
        {name: values[name] for name in names},
        "",
    )


@transaction.atomic
def measurands_import(by: By, *, measurands: Iterable[needs.Measurand]) -> list[str]:
    """Create or change measurands, by their codes, and return the codes of those created or changed. None is
    removed, and those that a curator edited stay. `Invalid` if a technique is unknown; then nothing is
    changed. For administrators and the platform itself."""
    _begin(by)
    present = {row.code: row for row in Measurand.objects.all()}
    pairs = [(row, present.get(row.code) or Measurand(code=row.code, version=0)) for row in measurands]
    return _store(
        by,
        [
            (row, {name: _stored(getattr(measurand, name)) for name in FIELDS})
            for measurand, row in pairs
            if not row.is_edited
        ],
    )


@transaction.atomic
def parameters_import(by: By, *, parameters: Iterable[capabilities.Parameter]) -> list[str]:
    """Create or change parameters, by their codes, and return the codes of those created or changed. None is
    removed. `Invalid` if a technique is unknown; then nothing is changed. For administrators and the platform
    itself."""
    _begin(by)
    present = read_parameters()
    changed = [row for row in parameters if row != present.get(row.code)]
    _require_known({code for row in changed for code in row.techniques})
    rows = [Parameter(**{name: _stored(value) for name, value in vars(row).items()}) for row in changed]
    Parameter.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[f.name for f in Parameter._meta.fields if f.name not in ("id", "code")],
    )
    by_code = Parameter.objects.in_bulk([row.code for row in changed], field_name="code")
    trail.record_many(
        by,
        changes=[
            (
                "parameter.change" if row.code in present else "parameter.create",
                by_code[row.code],
                vars(present[row.code]) if row.code in present else {},
                vars(row),
                "",
            )
            for row in changed
        ],
        places=((), ()),
    )
    if changed:
        vocabulary_changed()  # the rest of this transaction reads them too
        transaction.on_commit(vocabulary_changed)
    return [row.code for row in changed]


@transaction.atomic
def measurand_set(by: By, *, code: str, values: Mapping[str, Any]) -> Measurand:
    """Create or change one measurand. `values`: the fields of `needs.Measurand` except its code. `Invalid`
    (required, unknown-technique), `WrongVersion`. For administrators, who curate measurands."""
    _begin(by)
    row = Measurand.objects.filter(code=code).first() or Measurand(code=code, version=0)
    by.require_version(row.version)
    for name in ("name", "name_zh", "techniques"):
        if not values[name]:
            raise invalid(name, "required")
    row.is_edited = True
    _store(by, [(row, values)])
    return row


def _begin(by: By) -> None:
    if not by.actor.is_platform:
        require(by.actor, "administer", Place(None))
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE instruments_measurand IN SHARE ROW EXCLUSIVE MODE")


def _store(by: By, rows: Sequence[tuple[Measurand, Mapping[str, Any]]]) -> list[str]:
    """Store measurands with values that differ, and return their codes."""
    _require_known({code for _, values in rows for code in values["techniques"]})
    changes = []
    for row, values in rows:
        before = {name: getattr(row, name) for name in values if row.version}
        after = {name: value for name, value in values.items() if before.get(name) != value}
        if not after:
            continue
        for name, value in after.items():
            setattr(row, name, value)
        act = "measurand.change" if row.version else "measurand.create"
        row.version += 1
        changes.append((act, row, {name: before[name] for name in after if before}, after, ""))
    changed = [change[1] for change in changes]
    Measurand.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[*FIELDS, "is_edited", "version"],
    )
    trail.record_many(by, changes=changes)
    if changed:
        transaction.on_commit(vocabulary_changed)
    return [row.code for row in changed]


def _require_known(techniques: set[str]) -> None:
    """Raise `Invalid` unless all these codes are techniques."""
    known = set(Technique.objects.values_list("code", flat=True))
    if unknown := techniques - known:
        raise invalid("techniques", "unknown-technique", technique=min(unknown))


def _stored(value: Any) -> Any:
    """Return a value in the form in which a JSON column stores it."""
    match value:
        case tuple():
            return [_stored(item) for item in value]
        case Mapping():
            return {name: _stored(item) for name, item in value.items()}
        case Decimal():
            return str(value)
        case _:
            return value
