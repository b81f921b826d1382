"""The rules for blocking a person or an organisation at a host."""

from dataclasses import dataclass
from datetime import date, timedelta

from accounts.domain.errors import invalid

USUAL, LONGEST = timedelta(days=30), timedelta(days=730)
DAY, MOST_A_DAY = timedelta(days=1), 20  # new blocks of one host
MOST_TEXT = 500


@dataclass(frozen=True)
class BlockTerms:
    """The terms of a block: why, the last day on which it holds, and the mail address for objections."""

    reason: str
    last_day: date
    contact: str


def checked_terms(terms: BlockTerms, today: date) -> BlockTerms:
    """Return the terms with texts trimmed. Raise `Invalid` for a missing or too long reason, and for a last
    day that is over or more than two years ahead."""
    reason = terms.reason.strip()
    if not reason:
        raise invalid("reason", "required")
    if len(reason) > MOST_TEXT:
        raise invalid("reason", "too-long", most=MOST_TEXT)
    if not today <= terms.last_day <= today + LONGEST:
        raise invalid("last_day", "out-of-range", least=str(today), most=str(today + LONGEST))
    return BlockTerms(reason, terms.last_day, terms.contact.strip())
