"""Refusals and holds in words."""

from datetime import datetime

from accounts.domain.errors import Invalid, Refused
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.record.models import Reservation


def seconds_left(held: Reservation, now: datetime) -> int:
    """How long a hold still lasts."""
    return max(0, int((held.deadline_at - now).total_seconds())) if held.deadline_at else 0


def refusal_text(refused: Refused | None) -> str:
    """What a refusal says, in the reader's language; nothing where nothing is refused."""
    if refused is None:
        return ""
    if isinstance(refused, RulesRefuse):
        return " ".join(sentence(r.code, r.numbers) for r in refused.refusals)
    if isinstance(refused, Invalid):
        return " ".join(sentence(p.code, p.numbers) for p in refused.problems)
    return sentence(refused.code, refused.numbers)
