"""Events that areas offer to webhooks, and what is sent about each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.currencies import in_decimals

# How the description of the API writes what a value looks like (JSON Schema).
type Schema = Mapping[str, Any]
TEXT: Schema = MappingProxyType({"type": "string"})
ID: Schema = MappingProxyType({"type": "string", "format": "uuid"})
WHOLE: Schema = MappingProxyType({"type": "integer"})
INSTANT: Schema = MappingProxyType({"type": "string", "format": "date-time"})
DAY: Schema = MappingProxyType({"type": "string", "format": "date"})


class Datum(NamedTuple):
    """One field of what is sent about an event: how it is read from the row, and what it looks like. A field
    whose value is None is left out; it says so by `may_lack`."""

    value: Callable[[Any], Any]
    schema: Schema
    may_lack: bool = False


type Payload = Mapping[str, Datum]


@dataclass(frozen=True)
class Happening:
    """One occurrence of an event. `organisations` are the organisations concerned, `data` what is sent about
    it."""

    event: str
    about: UUID
    cause: str
    organisations: frozenset[UUID]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class HookEvent:
    """An event that an organisation can have sent to a web address.

    `words`: when it happens; `place`: its rank among the events of all areas; `effects`: the kinds of outbox
    effects that report it; `load`: returns what happened, from the code and a row of the outbox; `payload`:
    the fields that it sends.
    """

    code: str
    words: object
    place: int
    effects: tuple[str, ...]
    load: Callable[[str, Any], list[Happening]]
    payload: Payload


def instant(moment: datetime) -> str:
    """Write a moment in UTC as webhooks do: `2026-03-01T08:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def money(value: Decimal, currency: str) -> dict[str, str]:
    """Write money as answers do, with the decimals of its currency."""
    return {"amount": in_decimals(value, currency), "currency": currency}


def data_of(payload: Payload, row: Any) -> dict[str, Any]:
    """Return what is sent about a row."""
    values = ((name, datum.value(row)) for name, datum in payload.items())
    return {name: value for name, value in values if value is not None}


def schema_of(payload: Payload) -> dict[str, Any]:
    """Describe what is sent about a row. Fields may be added, so others are not forbidden."""
    return {
        "type": "object",
        "properties": {name: dict(datum.schema) for name, datum in payload.items()},
        "required": [name for name, datum in payload.items() if not datum.may_lack],
    }


def one_of(words: Iterable[str]) -> Schema:
    """Describe a value that is one of some words."""
    return {"type": "string", "enum": list(words)}


def about(meaning: str, schema: Schema = TEXT) -> Schema:
    """Say of a value what it means, where its name does not."""
    return {**schema, "description": meaning}


def replaced(schema: Schema, *names: str) -> Schema:
    """Say of a value that it stays for one version beside those that replace it."""
    instead = ", ".join(f"`{name}`" for name in names)
    told = f"For one version and a year; read {instead} instead."
    return {**schema, "deprecated": True, "description": told}


_AMOUNT = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
MONEY: Schema = MappingProxyType(
    {
        "type": "object",
        "properties": {"amount": _AMOUNT, "currency": dict(TEXT)},
        "required": ["amount", "currency"],
    }
)
