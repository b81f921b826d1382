"""Record, field by field, where the values of a record come from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

IMPORT, HAND = "import", "hand"
OPENING_HOURS = "opening_hours"


@dataclass(frozen=True)
class Origin:
    """The origin of a field's value: `by` an import (`job`, its `line`) or a person (`user`), `at` an instant
    in RFC 3339. `source` and `said` are the import source and the digest of its latest value, kept even if a
    person wrote later."""

    by: str
    at: str
    job: str = ""
    line: int = 0
    user: str = ""
    source: str = ""
    said: str = ""


def origins_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Origin]:
    return {name: Origin(**origin) for name, origin in stored.items()}


def origin_json(origin: Origin) -> dict[str, Any]:
    """Return an origin as the JSON that is stored, without empty fields."""
    return {name: value for name, value in asdict(origin).items() if value}


def value_digest(value: object) -> str:
    """Return a digest of a value, sixteen hexadecimal characters."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_hand(
    stored: Mapping[str, Mapping[str, Any]], names: Sequence[str], *, user: str, at: str
) -> dict[str, dict[str, Any]]:
    """Return the stored origins as they are after a person wrote the fields `names`."""
    after = {name: dict(origin) for name, origin in stored.items()}
    for name in names:
        before = after.get(name, {})
        kept = {word: before[word] for word in ("source", "said") if word in before}
        after[name] = origin_json(Origin(HAND, at, user=user)) | kept
    return after
