"""Decide whether the host may still remove a no-show, and what has to be given for it."""

from datetime import datetime

from accounts.domain.errors import WrongState, invalid
from bookings.pricing.domain.charges import DISPUTABLE
from bookings.pricing.domain.usage import Usage

WAS_THERE = "was_there"
CAUSES = (WAS_THERE, "host_fault", "other")


def check_cause(cause: str, usage: Usage | None) -> None:
    """Raise `Invalid` unless the times of use are given for a person who was there, and only then."""
    if cause not in CAUSES:
        raise invalid("cause", "unknown-value")
    if cause == WAS_THERE and usage is None:
        raise invalid("check_in", "required")
    if cause != WAS_THERE and usage is not None:
        raise invalid("check_in", "times-only-if-there")


def require_strikable(
    *,
    state: str,
    struck: str,
    charge: str | None,
    settled_at: datetime,
    open_until: datetime | None,
    is_on_statement: bool,
    now: datetime,
) -> None:
    """Raise `WrongState` unless the no-show of a booking may be removed: it still counts, and its charge can
    still be disputed but is not. `charge` is the state of the charge in force, None if there is none; then
    there is as much time after `settled_at`, the end of the booking or, if later, the moment at which its
    charge was taken back. Later the charge is corrected first, for which a second person is needed."""
    if struck:
        raise WrongState("no-show-struck")
    if state != "no_show":
        raise WrongState(state=state, wanted="no_show")
    if charge is None:
        if now >= settled_at + DISPUTABLE:
            raise WrongState("no-show-past", days=DISPUTABLE.days)
        return
    if charge == "disputed":
        raise WrongState("no-show-disputed")
    if is_on_statement:
        raise WrongState("no-show-on-statement")
    if charge != "open" or open_until is None or now >= open_until:
        raise WrongState("no-show-final")


def require_chargeable(*, has_usage: bool, was_charged: bool, is_in_force: bool) -> None:
    """Raise `WrongState` if a use should be charged whose charge was taken back: a second person agreed that
    the booking costs nothing, so it is removed without times of use."""
    if has_usage and was_charged and not is_in_force:
        raise WrongState("no-show-waived")
