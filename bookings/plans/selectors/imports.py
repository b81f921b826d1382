"""Load the instruments and earlier imports that the rows of a file of bookings name."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from bookings.plans.domain.imports import ImportReport, References
from bookings.plans.models import ImportedBooking
from instruments.register.models import Instrument
from instruments.register.selectors.registry import RECORD, instruments_for

_NAMES = ("name", "name_zh", "identifier", "source_key")


class Named:
    """The instruments by the names that rows use."""

    def __init__(self, rows: dict[str, list[Instrument]]) -> None:
        self._found = rows

    def one(self, text: str) -> Instrument:
        """Return the instrument with a name. Raises `Invalid` (`instrument`): required, unknown-instrument,
        several-instruments."""
        if not text:
            raise invalid("instrument", "required")
        rows = self._found.get(text.casefold(), [])
        if not rows:
            raise invalid("instrument", "unknown-instrument")
        if len(rows) > 1:
            raise invalid("instrument", "several-instruments", count=len(rows))
        return rows[0]


def load_named(actor: Actor, texts: Iterable[str]) -> Named:
    """Return the instruments that the actor may see by id, PIDINST identifier, key or number in the owner's
    register, or name in either language. Those of the actor's own organisations are matched first, in any
    case; texts that match none of them are matched exactly with all others. Two statements."""
    sought = {text.casefold(): text for text in texts if text}
    mine = actor.organisations | actor.organisations_where("manage-instruments")
    seen = instruments_for(actor)
    columns = ("pk", *_NAMES, "alternate_identifiers")
    called: dict[str, set[UUID]] = {}
    for row in seen.filter(organisation_id__in=mine).values(*columns):
        for text in _names_of(row) & sought.keys():
            called.setdefault(text, set()).add(row["pk"])
    left = [text for name, text in sought.items() if name not in called]
    if left:
        ids = [pk for text in left if (pk := _as_id(text))]
        query = Q(pk__in=ids)
        for name in _NAMES:
            query |= Q(**{f"{name}__in": left})
        for row in seen.exclude(organisation_id__in=mine).filter(query).values("pk", *_NAMES):
            names = {str(row["pk"]), *(row[name] for name in _NAMES)}
            for text in names.intersection(left):
                called.setdefault(text.casefold(), set()).add(row["pk"])
    every = {pk for ids_of in called.values() for pk in ids_of}
    rows = {row.pk: row for row in seen.defer(*RECORD).filter(pk__in=every)}
    return Named({text: [rows[pk] for pk in pks] for text, pks in called.items()})


def _names_of(row: dict[str, Any]) -> set[str]:
    others = [str(item.get("identifier", "")) for item in row["alternate_identifiers"]]
    names = [str(row["pk"]), *(row[name] for name in _NAMES), *others]
    return {" ".join(name.split()).casefold() for name in names if name}


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def load_references(payer: Organisation, references: Collection[str]) -> References:
    """Return which references were imported for a payer before. One statement."""
    rows = ImportedBooking.objects.filter(organisation=payer, reference__in=list(references))
    return References(dict(rows.values_list("reference", "digest")))


def load_shown(report: ImportReport) -> tuple[dict[UUID | None, Instrument], dict[UUID | None, User]]:
    """Return the instruments, with their facilities, and the people that a report names. Two statements."""
    instruments = {o.instrument for o in report.outcomes if o.instrument}
    people = {o.person for o in report.outcomes if o.person}
    rows = Instrument.objects.select_related("facility").defer(*RECORD)
    return (
        {row.pk: row for row in rows.filter(pk__in=instruments)},
        {row.pk: row for row in User.objects.filter(pk__in=people)},
    )
