"""Check what a record needs to be published, and grade its quality."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.domain.errors import Refused, WrongState

# state -> states to which it may change
STEPS: dict[str, frozenset[str]] = {
    "draft": frozenset({"submitted", "published", "retired"}),
    "submitted": frozenset({"draft", "published", "retired"}),
    "published": frozenset({"suspended", "retired"}),
    "suspended": frozenset({"published", "retired"}),
    "retired": frozenset(),
}


class Incomplete(Refused):
    """The record is incomplete; `missing` are the codes of the unfinished items of the checklist."""

    code = "record-incomplete"

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(missing=", ".join(self.missing))


class StillBooked(Refused):
    """The instrument has bookings that are not over: move or cancel them first."""

    code = "still-booked"


@dataclass(frozen=True)
class Record:
    """The facts of a record that the checklist for publishing needs."""

    name: str
    description: str
    manufacturers: int
    service_modes: int
    has_opening_hours: bool
    has_policy: bool
    has_rate_card_in_force: bool


def missing(record: Record) -> list[str]:
    """Return the codes of the items still to do before publishing, in the order of the checklist."""
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


def step(state: str, following: str) -> None:
    """Raise `WrongState` unless a record may go from `state` to `following`."""
    if following not in STEPS[state]:
        raise WrongState(state=state, wanted=following)


MARKS = ("bronze", "silver", "gold")
# A record that nobody has changed or confirmed for so long may no longer be true.
FRESH_FOR = timedelta(days=365)
# The least length of a telling description. A Chinese character counts about as much as two letters.
TELLING, TELLING_ZH = 80, 40


@dataclass(frozen=True)
class Details:
    """The facts of a record that the marks silver and gold need."""

    model: str = ""
    name_zh: str = ""
    description: str = ""
    description_zh: str = ""
    techniques: int = 0
    has_address: bool = False
    has_contact: bool = False
    photos: int = 0
    has_identifier: bool = False
    has_serial_number: bool = False
    has_date: bool = False
    has_variables: bool = False
    is_stale: bool = False


@dataclass(frozen=True)
class Quality:
    """The quality of a record: its `mark` (empty below bronze), the `following` mark (empty after gold), and
    `lacking`, the codes of what it lacks for that."""

    mark: str
    following: str
    lacking: tuple[str, ...]


def quality(record: Record, details: Details) -> Quality:
    """Return the highest mark whose conditions are met, together with those of all marks below it.

    Bronze has what publishing requires; silver what a stranger needs to choose the instrument, in both
    languages; gold what another register needs to take the record over, and a review within a year.
    """
    mark = ""
    for following, lacking in zip(
        MARKS, (tuple(missing(record)), _lacking_silver(details), _lacking_gold(details)), strict=True
    ):
        if lacking:
            return Quality(mark, following, lacking)
        mark = following
    return Quality(mark, "", ())


def _lacking_silver(details: Details) -> tuple[str, ...]:
    is_telling = (
        len(details.description.strip()) >= TELLING or len(details.description_zh.strip()) >= TELLING_ZH
    )
    return _not_met(
        {
            "name-in-both": bool(details.name_zh.strip()),
            "model": bool(details.model.strip()),
            "techniques": details.techniques > 0,
            "telling-description": is_telling,
            "address": details.has_address,
            "contact": details.has_contact,
        }
    )


def _lacking_gold(details: Details) -> tuple[str, ...]:
    is_in_both = bool(details.description.strip() and details.description_zh.strip())
    return _not_met(
        {
            "photo": details.photos > 0,
            "description-in-both": is_in_both,
            "identifier": details.has_identifier,
            "serial-number": details.has_serial_number,
            "date": details.has_date,
            "measured-variables": details.has_variables,
            "confirmation": not details.is_stale,
        }
    )


def _not_met(checks: dict[str, bool]) -> tuple[str, ...]:
    return tuple(code for code, is_met in checks.items() if not is_met)


def stale_from(changed_at: datetime, confirmed_at: datetime | None) -> datetime:
    """Return the instant from which a record counts as stale."""
    return max(changed_at, confirmed_at or changed_at) + FRESH_FOR


def is_stale(changed_at: datetime, confirmed_at: datetime | None, now: datetime) -> bool:
    return now >= stale_from(changed_at, confirmed_at)
