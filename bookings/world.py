"""The world in which the demonstration is told: its people, places and instruments.

An area tells its part in a module `story`: `begin(world)` runs as soon as there can be bookings, while the
rules of all instruments are still lenient; `tell(world)` when these are as strict as they will be;
`end(world)` when there are figures of all days. Each returns what it made, in words. Its texts lie beside it,
in `story.yaml`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region, User
from instruments.policy.domain.policies import Policy
from instruments.rates.selectors.ratecards import CardInForce
from instruments.reading.domain.clock import local_date
from instruments.register.models import Facility, Instrument

DAY = timedelta(days=1)


@cache
def read(path: Path) -> Any:
    """Return the content of a YAML file, which is read only once."""
    return yaml.load(path.read_bytes(), yaml.CSafeLoader)


def lines_of(story: str) -> Any:
    """Return the content of the `story.yaml` beside a story, given that module's `__file__`."""
    return read(Path(story).with_suffix(".yaml"))


@dataclass(frozen=True)
class Person:
    """Somebody in the demonstration, with the one organisation they belong to, if any. `activity` is how much
    they book compared with others."""

    user: User
    actor: Actor
    organisation: Organisation | None
    roles: tuple[str, ...]
    field: str
    activity: float


@dataclass
class Places:
    """The regions, organisations, people and facilities of the demonstration, by their names in its files."""

    regions: dict[str, Region] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    facilities: dict[str, Facility] = field(default_factory=dict)

    def manager_of(self, organisation: Organisation) -> Person:
        """Return the person who manages the organisation's instruments."""
        return next(
            person
            for person in self.people.values()
            if person.organisation == organisation and "manager" in person.roles
        )

    @property
    def researchers(self) -> list[Person]:
        return [p for p in self.people.values() if "researcher" in p.roles]


@dataclass(frozen=True)
class Offer:
    """An instrument with what the generators need to know about it. `until`: when it was suspended."""

    key: str
    data: Mapping[str, Any]
    instrument: Instrument
    manager: Person
    policy: Policy
    cards: tuple[CardInForce, ...]
    until: datetime | None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.instrument.facility.time_zone)

    @property
    def field(self) -> str:
        return str(self.data["field"])


@dataclass(frozen=True)
class Calendar:
    """The days to which everything is relative: `began`, when the platform began, and `now`."""

    began: datetime
    now: datetime

    def day(self, zone: ZoneInfo, days: int) -> date:
        """Return the local date some days from today."""
        return local_date(zone, self.now) + days * DAY


@dataclass(frozen=True)
class World:
    """The world of the demonstration so far, in which areas tell their stories: places, offers and a
    calendar."""

    places: Places
    offers: Sequence[Offer]
    calendar: Calendar

    @property
    def now(self) -> datetime:
        return self.calendar.now
