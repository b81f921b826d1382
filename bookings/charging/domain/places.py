"""Decide whether the result of a place in a course may still charge it, or take its charge back."""

from datetime import datetime

from accounts.domain.errors import WrongState
from instruments.training.domain.training import CHARGED_WITHIN


def require_timely(ended: datetime, now: datetime) -> None:
    """Raise `WrongState` if a session ended too long ago for a place in it to be charged for the first
    time."""
    if now - ended > CHARGED_WITHIN:
        raise WrongState("result-too-late", days=CHARGED_WITHIN.days)


def require_reversible(*, state: str, open_until: datetime | None, now: datetime) -> None:
    """Raise `WrongState` unless the charge of a place can still be disputed but is not, so that it is in no
    month and on no statement. Later it is corrected, for which a second person is needed."""
    if state == "disputed":
        raise WrongState("result-disputed")
    if state != "open" or open_until is None or now >= open_until:
        raise WrongState("result-final")
