"""Write refusals and holds in words."""

from collections.abc import Sequence
from datetime import datetime

from accounts.domain.errors import Invalid, Refused
from bookings.record.domain.refusals import OVERRIDABLE, Refusal, RulesRefuse
from bookings.record.messages import sentence
from bookings.record.models import Reservation


def seconds_left(held: Reservation, now: datetime) -> int:
    """Return how many seconds a hold still lasts."""
    return max(0, int((held.deadline_at - now).total_seconds())) if held.deadline_at else 0


def may_be_excepted(refusals: Sequence[Refusal]) -> bool:
    """Say whether the host's managers could set aside all that refuses a booking."""
    return bool(refusals) and {refusal.code for refusal in refusals} <= set(OVERRIDABLE)


def refusal_text(refused: Refused | None) -> str:
    """Return the text of a refusal in the reader's language; empty for none."""
    if refused is None:
        return ""
    if isinstance(refused, RulesRefuse):
        return " ".join(sentence(r.code, r.numbers) for r in refused.refusals)
    if isinstance(refused, Invalid):
        return " ".join(sentence(p.code, p.numbers) for p in refused.problems)
    return sentence(refused.code, refused.numbers)
