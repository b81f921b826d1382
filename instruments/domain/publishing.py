"""Publication: which step follows which, and what a record needs before it is published."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.domain.errors import Refused, WrongState

# state -> states it may become
STEPS: dict[str, frozenset[str]] = {
    "draft": frozenset({"submitted", "published", "retired"}),
    "submitted": frozenset({"draft", "published", "retired"}),
    "published": frozenset({"suspended", "retired"}),
    "suspended": frozenset({"published", "retired"}),
    "retired": frozenset(),
}


class Incomplete(Refused):
    """The record lacks something; `missing` are the codes of the checklist."""

    code = "record-incomplete"

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(missing=", ".join(self.missing))


class StillBooked(Refused):
    """The record has bookings that are not over: move or cancel them first."""

    code = "still-booked"


@dataclass(frozen=True)
class Record:
    """What the checklist looks at."""

    name: str
    description: str
    manufacturers: int
    service_modes: int
    has_opening_hours: bool
    has_policy: bool
    has_rate_card_in_force: bool


def missing(record: Record) -> list[str]:
    """The codes of what is still to do before publishing, in the order of the checklist."""
    checks = {
        "name": bool(record.name.strip()),
        "description": bool(record.description.strip()),
        "manufacturers": record.manufacturers > 0,
        "service-modes": record.service_modes > 0,
        "opening-hours": record.has_opening_hours,
        "policy": record.has_policy,
        "rate-card": record.has_rate_card_in_force,
    }
    return [code for code, is_there in checks.items() if not is_there]


def step(state: str, wanted: str) -> None:
    """`WrongState` unless `wanted` may follow `state`."""
    if wanted not in STEPS[state]:
        raise WrongState(state=state, wanted=wanted)
