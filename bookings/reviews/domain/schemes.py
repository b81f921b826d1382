"""The changes that a new version of a review scheme brings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A part of a scheme that changes: its name, and its value before and after, None where it was not or is
    not stated."""

    name: str
    before: Any
    after: Any


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two versions of a scheme, in the order of the file; each ground and each
    number of days by itself."""
    old, new = _flat(before), _flat(after)
    names = [*new, *(name for name in old if name not in new)]
    return [Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _flat(scheme: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in scheme.items():
        if name == "grounds":
            flat |= {f"grounds: {ground['code']}": ground for ground in value}
        elif name == "days":
            flat |= {f"days: {state}": days for state, days in value.items()}
        else:
            flat[name] = value
    return flat
