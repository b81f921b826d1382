"""A record as texts by field: what tables are written from, the reverse of `import_fields`."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from instruments.domain.import_fields import (
    ALTERNATE_IDENTIFIERS,
    DATES,
    FACILITY_FIELDS,
    INSTRUMENT_FIELDS,
    LISTS,
    joined,
)


def told(
    record: Mapping[str, Any], techniques: Iterable[str], facility: Mapping[str, str]
) -> dict[str, str]:
    """Every field a file may fill, empty where there is nothing. `record`: the instrument's
    attributes; `techniques`: codes; `facility`: `FACILITY_FIELDS`."""
    texts = dict.fromkeys((*INSTRUMENT_FIELDS, *FACILITY_FIELDS), "")
    for name in texts:
        if name in record:
            texts[name] = _text(name, record[name])
    for fields, items, word in (
        (DATES, record["dates"], "date"),
        (ALTERNATE_IDENTIFIERS, record["alternate_identifiers"], "identifier"),
    ):
        for name, kind in fields.items():
            mine = [i for i in items if kind in (i.get("date_type"), i.get("identifier_type"))]
            texts[name] = str(mine[0][word]) if mine else ""
    texts["techniques"] = joined(sorted(techniques))
    return texts | dict(facility)


def _text(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case list() if name in LISTS:
            return joined(i if isinstance(i, str) else str(i.get("name", "")) for i in value)
        case Decimal() | date() | int() | str():
            return str(value)
        case _:
            return ""
