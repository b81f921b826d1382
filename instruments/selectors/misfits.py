"""Bookings that new hours or new rules would no longer allow. They stay as they are; whoever is
about to change the rules sees them first.

This app does not know of bookings: what finds them registers here (bookings/apps.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from instruments.domain.opening import OpeningHours
from instruments.domain.policies import Policy
from instruments.models import Instrument


@dataclass(frozen=True)
class Misfit:
    """A coming booking, and the rules that would refuse it then and do not now; or hours kept for
    an organisation (`state` kept) that would not all fit then."""

    reservation: UUID
    start: datetime
    end: datetime
    person: str
    organisation: str
    state: str
    codes: tuple[str, ...]


Finder = Callable[[Instrument, OpeningHours | None, Policy | None, datetime], list[Misfit]]
finders: list[Finder] = []


def load_misfits(
    instrument: Instrument,
    now: datetime,
    *,
    hours: OpeningHours | None = None,
    policy: Policy | None = None,
) -> list[Misfit]:
    """Return the misfits by start. What is None stays as it is."""
    return [misfit for find in finders for misfit in find(instrument, hours, policy, now)]


def mark_of(misfits: Sequence[Misfit]) -> str:
    """Return a mark that stands for what somebody was shown: another list has another mark. Empty
    for none."""
    if not misfits:
        return ""
    text = ";".join(f"{m.reservation}:{m.start}:{m.end}:{','.join(m.codes)}" for m in misfits)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
