"""Events that areas offer to webhooks, and what is sent about each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


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
    effects that report it (each of these tells a person, too); `load`: returns what happened, from the code
    and a row of the outbox.
    """

    code: str
    words: object
    place: int
    effects: tuple[str, ...]
    load: Callable[[str, Any], list[Happening]]


def instant(moment: datetime) -> str:
    """Write a moment in UTC as webhooks do: `2026-03-01T08:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")
