"""Find bookings that new opening hours or a new policy would no longer allow. They stay as they are, but
whoever is about to change the rules sees them first.

This app does not know bookings: functions that find them register here (`joins` of an area).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from accounts.models import User
from instruments.opening.domain.opening import OpeningHours
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.register.models import Facility, Instrument


@dataclass(frozen=True)
class Misfit:
    """A future booking with the codes of the rules that would newly refuse it; or guaranteed hours of an
    organisation (`state` kept) that would not all fit any more."""

    reservation: UUID
    start: datetime
    end: datetime
    person: str
    organisation: str
    state: str
    codes: tuple[str, ...]
    user: User | None = field(default=None, compare=False)


Finder = Callable[[Instrument, OpeningHours | None, Policy | None, datetime], list[Misfit]]
finders: list[Finder] = []


def load_misfits(
    instrument: Instrument, now: datetime, *, hours: OpeningHours | None = None, policy: Policy | None = None
) -> list[Misfit]:
    """Return the misfits of new hours or a new policy, by start. An argument that is None does not change."""
    return [misfit for find in finders for misfit in find(instrument, hours, policy, now)]


def load_hazardous(facility: Facility, hazards: Sequence[str], now: datetime) -> list[Misfit]:
    """Return the misfits of all instruments of a facility if it refuses these hazards. No statement if none
    is added."""
    added = set(hazards) - set(facility.refused_hazards)
    if not added:
        return []
    rows = facility.instruments.select_related("facility", "organisation", "region", "schedule", "policy")
    found: list[Misfit] = []
    for row in rows:
        present = load_policy(row.policy) if hasattr(row, "policy") else Policy()
        refused = (*present.refused_hazards, *sorted(added))
        found += load_misfits(row, now, policy=replace(present, refused_hazards=refused))
    return sorted(found, key=lambda misfit: misfit.start)


def mark_of(misfits: Sequence[Misfit]) -> str:
    """Return a digest of the misfits that somebody was shown, to notice later whether the list has changed;
    empty if there are none."""
    if not misfits:
        return ""
    text = ";".join(f"{m.reservation}:{m.start}:{m.end}:{','.join(m.codes)}" for m in misfits)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
