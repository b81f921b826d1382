"""Whether a request needs somebody's word, and until when it is waited for."""

from datetime import datetime, timedelta


def needs_approval(approval: str, *, is_cross_region: bool, has_completed: bool) -> bool:
    """Whether the policy's `approval` asks for somebody's word: automatic, manual, first-time or
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
    """Return until when a request is to be answered; one that is not by then, or by its start,
    expires."""
    return min(now + timedelta(minutes=approval_minutes), start)
