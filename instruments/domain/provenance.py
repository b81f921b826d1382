"""Where each field of a record comes from, and what a later file may change of it.

Of each field is kept which import or which hand wrote it, when, and a digest of what the source
said of it then. A file changes a field only where it says something else than it said before;
where a person has written since, the person's words stay unless the import was told to
overwrite them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from instruments.domain.import_fields import NAMED, Value
from instruments.domain.imports import RowValues

IMPORT, HAND = "import", "hand"
# Why a difference is not taken over.
BY_HAND, PUBLISHED = "by-hand", "published"
OPENING_HOURS, FACILITY = "opening_hours", "facility"


@dataclass(frozen=True)
class Origin:
    """Who wrote a field last: `by` an import (`job`, its `line`) or a hand (`user`), `at` an
    instant in RFC 3339. `source`, `said`: what an import said of it last, as a digest, also when
    a hand wrote afterwards."""

    by: str
    at: str
    job: str = ""
    line: int = 0
    user: str = ""
    source: str = ""
    said: str = ""


@dataclass(frozen=True)
class Difference:
    """A field a file would change; `kept` says why it stays as it is."""

    field: str
    before: Any
    after: Any
    kept: str = ""


def origins_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Origin]:
    return {name: Origin(**origin) for name, origin in stored.items()}


def origin_json(origin: Origin) -> dict[str, Any]:
    """As it is stored: what is empty is left out."""
    return {name: value for name, value in asdict(origin).items() if value}


def said_digest(value: object) -> str:
    """Return sixteen hexadecimal characters that stand for a value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_hand(
    stored: Mapping[str, Mapping[str, Any]], names: Sequence[str], *, user: str, at: str
) -> dict[str, dict[str, Any]]:
    """Return the stored origins after a person wrote these fields."""
    after = {name: dict(origin) for name, origin in stored.items()}
    for name in names:
        before = after.get(name, {})
        kept = {word: before[word] for word in ("source", "said") if word in before}
        after[name] = origin_json(Origin(HAND, at, user=user)) | kept
    return after


def differences(
    row: RowValues,
    current: Mapping[str, Value],
    origins: Mapping[str, Origin],
    *,
    source: str,
    is_of_source: bool,
    keep_hand: bool,
) -> list[Difference]:
    """Return what the record of a row would change of an instrument that is `current`.
    `is_of_source`: it came through an earlier import of `source`; else it is known by its id or
    identifier."""
    result = []
    for name, value in row.record.items():
        after, before = carried(name, value, current[name], row), current[name]
        if after == before:
            continue
        origin = origins.get(name)
        last = origin.said if origin and origin.source == source else ""
        is_by_hand = origin.by == HAND if origin else not is_of_source
        if last == said_digest(value) and (keep_hand or not is_by_hand):
            continue  # the source has nothing new to say
        if after in ("", None, []) and not last and not (is_of_source and origin is None):
            continue  # it never said anything
        result.append(Difference(name, before, after, BY_HAND if is_by_hand and keep_hand else ""))
    return result


def carried(name: str, value: Value, before: Value, row: RowValues) -> Value:
    """Return what a field becomes if the row is believed: with what its format cannot say
    (identifiers of makers, dates of other kinds) as it was."""
    if not isinstance(value, list) or not isinstance(before, list):
        return value
    items: list[Any] = list(value)
    if row.names_only and name in NAMED:
        known = {item.get("name"): item for item in before if isinstance(item, dict)}
        return [known.get(item["name"], item) for item in items]
    if row.names_only and name in row.kinds:
        kinds = row.kinds[name]
        there = {_named(item): item for item in before if isinstance(item, dict)}
        items = [there.get(_named(item), item) for item in items]
        items += [i for i in before if isinstance(i, dict) and _kind(i) not in kinds]
        # In the order it was: an order that only a format made is no difference.
        at = {json.dumps(item, sort_keys=True): place for place, item in enumerate(before)}
        items.sort(key=lambda item: at.get(json.dumps(item, sort_keys=True), len(before)))
    return items


def _named(item: Mapping[str, Any]) -> tuple[str, str]:
    return _kind(item), str(item.get("date") or item.get("identifier"))


def _kind(item: Mapping[str, Any]) -> str:
    return str(item.get("date_type") or item.get("identifier_type") or "")
