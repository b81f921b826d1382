"""The vocabulary of measurands: taking in what comes with the platform, and curating it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By, Place
from accounts.permissions import require
from instruments.domain import needs
from instruments.domain.needs import FIELDS
from instruments.models import Measurand, Technique
from instruments.selectors.needs import vocabulary_changed


@transaction.atomic
def measurands_import(by: By, *, measurands: Iterable[needs.Measurand]) -> list[str]:
    """Bring the vocabulary to what measurands say, by their codes, and give the codes of those
    made or changed. None is removed; what a curator changed stays. `Invalid` where a technique is
    unknown, and nothing is changed. For administrators and the platform itself."""
    _begin(by)
    present = {row.code: row for row in Measurand.objects.all()}
    pairs = [
        (row, present.get(row.code) or Measurand(code=row.code, version=0)) for row in measurands
    ]
    return _store(
        by,
        [
            (row, {name: _stored(getattr(measurand, name)) for name in FIELDS})
            for measurand, row in pairs
            if not row.is_edited
        ],
    )


@transaction.atomic
def measurand_set(by: By, *, code: str, values: Mapping[str, Any]) -> Measurand:
    """Enter or change one measurand: the fields of `needs.Measurand` but its code. `Invalid`
    (required, unknown-technique), `WrongVersion`. For administrators, who curate it."""
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
    """The codes of those to which the values are new."""
    known = set(Technique.objects.values_list("code", flat=True))
    changes = []
    for row, values in rows:
        if unknown := set(values["techniques"]) - known:
            raise invalid("techniques", "unknown-technique", technique=min(unknown))
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


def _stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
