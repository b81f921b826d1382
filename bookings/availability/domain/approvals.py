"""Decide whether a request needs approval, and by when."""

from datetime import datetime, timedelta


def needs_approval(approval: str, *, is_cross_region: bool, has_completed: bool) -> bool:
    """Say whether the policy's `approval` requires approval of a request: automatic, manual, first-time or
    cross-region."""
    match approval:
        case "manual":
            return True
        case "first-time":
            return not has_completed
        case "cross-region":
            return is_cross_region
        case _:
            return False


def answer_deadline(now: datetime, approval_minutes: int, start: datetime) -> datetime:
    """Return the deadline for deciding a request, which expires if it is not decided by then or by its
    start."""
    return min(now + timedelta(minutes=approval_minutes), start)
