"""A reference and metadata, which callers note at their own things for their own systems."""

from collections.abc import Mapping
from typing import Any

from accounts.domain.errors import invalid

LONGEST_REFERENCE = 64
MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 20, 40, 500


def noted(kept: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a request sets, of `reference` and `metadata`, of which it has one, both or
    none. Of the metadata `kept` so far a key that it names gets the new value, or goes if the value is empty;
    the others stay; None removes all. Raises `Invalid` for names or numbers that are too large."""
    columns: dict[str, Any] = {}
    if "reference" in given:
        columns["reference"] = given["reference"]
    if "metadata" in given:
        columns["metadata"] = metadata_after(kept, given["metadata"])
    return columns


def metadata_after(kept: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Return metadata after a change, as `noted` describes it."""
    if given is None:
        return {}
    for key in given:
        if not key.strip():
            raise invalid("metadata", "required")
        if len(key) > LONGEST_KEY:
            raise invalid("metadata", "too-long", most=LONGEST_KEY)
        if not key.isprintable():  # neither control characters nor halves of one
            raise invalid("metadata", "bad-character")
    left = {key: value for key, value in (dict(kept) | dict(given)).items() if value}
    if len(left) > MOST_KEYS:
        raise invalid("metadata", "too-many", most=MOST_KEYS)
    return left
