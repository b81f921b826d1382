"""The times at which an instrument was used, from which a charge is computed."""

from datetime import datetime

from accounts.domain.errors import FieldProblem, Invalid
from bookings.record.domain.reservations import CHECK_IN_BEFORE, SESSION_LEFT_OPEN

Usage = tuple[datetime, datetime]


def require_usage(usage: Usage, *, reserved: Usage, now: datetime) -> None:
    """Raise `Invalid` (`check_in`, `check_out`) unless the times are in order, past, and within the limits of
    checking in and out: from 15 minutes before the reservation until 12 hours after."""
    check_in, check_out = usage
    problems = []
    if not reserved[0] - CHECK_IN_BEFORE <= check_in < reserved[1]:
        problems.append(FieldProblem("check_in", "not-near-the-booking"))
    if check_out <= check_in:
        problems.append(FieldProblem("check_out", "not-after-start"))
    elif check_out > now:
        problems.append(FieldProblem("check_out", "in-the-future"))
    elif check_out > reserved[1] + SESSION_LEFT_OPEN:
        problems.append(FieldProblem("check_out", "not-near-the-booking"))
    if problems:
        raise Invalid(problems)
