"""Maintenance: a time in which everything can be read and nothing can be changed."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=7)
UNSTATED = timedelta(hours=1)  # how long a file holds that does not say until when
MOST_REASON = 200
MOST_FILE = 5000  # bytes of a file that are read
# Surrogates cannot be sent; control characters and those that turn the direction of writing deceive.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Spell:
    """One maintenance, from `starts_at` until `ends_at`, and its reason in both languages."""

    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    reason_zh: str = ""

    def seconds_left(self, now: datetime) -> int:
        """Return how many seconds it still lasts, at least one: when clients should try again."""
        return max(1, -int((now - self.ends_at).total_seconds() // 1))


def in_force(spells: Iterable[Spell], now: datetime) -> Spell | None:
    """Return the maintenance that holds at a moment, the one that lasts longest; None if there is none."""
    holding = [spell for spell in spells if spell.starts_at <= now < spell.ends_at]
    return max(holding, key=lambda spell: spell.ends_at, default=None)


def overlaps(starts_at: datetime, ends_at: datetime, others: Iterable[Spell]) -> bool:
    """Return whether a time overlaps with that of another maintenance."""
    return any(starts_at < other.ends_at and other.starts_at < ends_at for other in others)


def spell_in_file(text: str, written_at: datetime) -> Spell:
    """Return the maintenance that a file announces, which was last written at `written_at`. A file that is
    empty, damaged or says no end holds for an hour after it was written: whoever makes one means maintenance,
    and none may last for ever: the longest ends `LONGEST` after it was written."""
    try:
        given = json.loads(text)
        until = datetime.fromisoformat(given["until"])
        if until.tzinfo is None:
            raise ValueError
        until = until.astimezone(UTC)
        reasons = [
            _UNFIT.sub("", str(given.get(name) or ""))[:MOST_REASON] for name in ("reason", "reason_zh")
        ]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Spell(written_at, written_at + UNSTATED)
    return Spell(written_at, min(until, written_at + LONGEST), *reasons)


def unread_file(now: datetime) -> Spell:
    """Return the maintenance of a file that is there and may not be read, whose end nobody knows: it holds as
    long as that is so."""
    return Spell(now, now + UNSTATED)


def file_of(spell: Spell) -> str:
    """Return the text of a file that announces a maintenance."""
    given = {"until": spell.ends_at.isoformat(), "reason": spell.reason, "reason_zh": spell.reason_zh}
    return json.dumps(given, ensure_ascii=False) + "\n"
