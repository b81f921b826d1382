"""Find records that look like the same instrument, and merge two records."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.domain.errors import Refused

# Placeholders in registers for an unknown number.
_NO_NUMBER = frozenset({"unknown", "none", "null", "test", "tbd", "notavailable"})
_LEAST = 3
# Words in company names that do not distinguish companies.
_COMPANY = frozenset(
    ("ag", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "inc", "kg", "limited",
     "llc", "ltd", "nv", "oy", "plc", "sa", "sas", "srl")
)  # fmt: skip
_COMPANY_ZH = re.compile("(股份)?(有限)?(责任)?公司$")


class SameRecord(Refused):
    """The two records are the same one, and a record is not a duplicate of itself."""

    code = "same-record"


class MergedAlready(Refused):
    """One of the two records is retired, and retired records can no longer be merged."""

    code = "retired-already"


@dataclass(frozen=True)
class Traits:
    """The features of a record that tell one piece of equipment from another, in comparable form."""

    facility: UUID
    host: UUID
    model: str
    makers: frozenset[str] = field(default_factory=frozenset)
    serial_numbers: frozenset[str] = field(default_factory=frozenset)
    inventory_numbers: frozenset[str] = field(default_factory=frozenset)


def traits(
    *,
    facility: UUID,
    host: UUID,
    model: str,
    manufacturers: Iterable[Mapping[str, Any]],
    alternate_identifiers: Sequence[Mapping[str, Any]],
) -> Traits:
    """Return the traits of a record from its fields as they are stored."""

    def numbers(kind: str) -> frozenset[str]:
        items = (i for i in alternate_identifiers if i.get("identifier_type") == kind)
        return frozenset(n for i in items if (n := comparable_number(str(i.get("identifier", "")))))

    return Traits(
        facility=facility,
        host=host,
        model=_plain(model),
        makers=frozenset(m for maker in manufacturers if (m := _maker(str(maker.get("name", ""))))),
        serial_numbers=numbers("SerialNumber"),
        inventory_numbers=numbers("InventoryNumber"),
    )


def likeness(one: Traits, other: Traits) -> tuple[str, ...]:
    """Return the codes of the reasons why two records may describe the same instrument; empty if there are
    none.

    The same serial number counts everywhere, the same inventory number only within a host. The same maker and
    model at the same site count unless the serial numbers differ, as sites own several of a kind.
    """
    reasons = []
    if one.serial_numbers & other.serial_numbers:
        reasons.append("serial-number")
    if one.host == other.host and one.inventory_numbers & other.inventory_numbers:
        reasons.append("inventory-number")
    is_alike = (
        one.facility == other.facility
        and bool(one.model)
        and one.model == other.model
        and bool(one.makers & other.makers)
    )
    is_told_apart = (
        bool(one.serial_numbers and other.serial_numbers) and not one.serial_numbers & other.serial_numbers
    )
    if is_alike and not is_told_apart:
        reasons.append("maker-model-site")
    return tuple(reasons)


def comparable_number(text: str) -> str:
    """Return a number without case, spaces and punctuation; empty if it is a placeholder or too short."""
    number = _plain(text)
    if len(number) < _LEAST or len(set(number)) == 1 or number in _NO_NUMBER:
        return ""
    return number


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _maker(name: str) -> str:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold())
    return _COMPANY_ZH.sub("", "".join(word for word in words if word not in _COMPANY))


# Lists to which new items are added; and fields that stay as they are, or are taken over together.
# Every other field is filled in if it is empty.
JOINED = (
    "instrument_types", "measured_variables", "dates", "related_identifiers",
    "alternate_identifiers",
)  # fmt: skip
KEPT = frozenset(JOINED) | {
    "name", "identifier", "identifier_type", "owners", "acquisition_cost", "acquisition_currency",
    "service_modes", "kind", "norm_hours",
}  # fmt: skip


def merged(kept: Mapping[str, Any], lost: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes to the kept record: values that only the lost one has. No value of the kept record
    is overwritten. If both have an identifier, the lost one's becomes an alternate identifier."""
    changes: dict[str, Any] = {
        name: lost[name] for name in kept if name not in KEPT and not kept[name] and lost[name]
    }
    if kept["acquisition_cost"] is None and lost["acquisition_cost"] is not None:
        changes["acquisition_cost"] = lost["acquisition_cost"]
        changes["acquisition_currency"] = lost["acquisition_currency"]
    for name in JOINED:
        known = [_identity(item) for item in kept[name]]
        news = [item for item in lost[name] if _identity(item) not in known]
        if news:
            changes[name] = [*kept[name], *news]
    if lost["identifier"] and lost["identifier"] != kept["identifier"]:
        if kept["identifier"]:
            names = changes.get("alternate_identifiers", kept["alternate_identifiers"])
            kind = lost["identifier_type"] or "Other"
            also = {"identifier": lost["identifier"], "identifier_type": "Other", "name": kind}
            changes["alternate_identifiers"] = [*names, also]
        else:
            changes["identifier"] = lost["identifier"]
            changes["identifier_type"] = lost["identifier_type"]
    return changes


def _identity(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return the kind and the value by which two items of a list count as the same."""
    kind = item.get("identifier_type") or item.get("date_type") or ""
    return str(kind), _plain(str(item.get("identifier") or item.get("date") or item.get("name")))
