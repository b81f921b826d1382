"""Messages to a person: what they may choose, and when mail leaves.

Kinds of message are chosen in groups (topics): nobody wants to decide about forty. A topic that is
required always comes by mail at once, and into the inbox: who misses it loses money, a journey or
the say over their account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.domain.errors import invalid

AT_ONCE, DAILY, WEEKLY, OFF = "at-once", "daily", "weekly", "off"
RHYTHMS = (AT_ONCE, DAILY, WEEKLY, OFF)
DIGESTS = frozenset({DAILY, WEEKLY})
DIGEST_HOUR = 8  # in the reader's zone; a weekly one on Monday


@dataclass(frozen=True)
class Topic:
    """A group of kinds of message. `stays_in_inbox`: it may leave the mail, not the inbox."""

    name: str
    is_required: bool = False
    stays_in_inbox: bool = False


TOPICS = {
    topic.name: topic
    for topic in (
        Topic("confirmation"),
        Topic("request"),
        # May leave the mail, not the inbox: somebody waits for it and must find it somewhere.
        Topic("decision", stays_in_inbox=True),
        # May leave the mail, not the inbox: somebody waits for an answer.
        Topic("conversation", stays_in_inbox=True),
        Topic("reminder"),
        Topic("change", stays_in_inbox=True),
        # Somebody would come for nothing.
        Topic("displacement", is_required=True),
        Topic("offer"),
        Topic("expiry"),
        # These three cost money, and time to object runs from the day they are sent.
        Topic("no-show", is_required=True),
        Topic("charge", is_required=True),
        Topic("statement", is_required=True),
        Topic("use"),
        # A thing of somebody's is under way: it may leave the mail, not the inbox.
        Topic("sample", stays_in_inbox=True),
        Topic("enquiry", stays_in_inbox=True),
        # Who may do what in whose name: security.
        Topic("account", is_required=True),
        # A decision about one's money, or somebody waits for an answer.
        Topic("review", stays_in_inbox=True),
        Topic("training"),
        Topic("record"),
        Topic("search"),
        Topic("suggestion"),
        Topic("planning"),
        Topic("connection"),
        Topic("audit"),
        Topic("seal"),
    )
}


@dataclass(frozen=True)
class Choice:
    """How a topic reaches somebody. `language`: another than the profile's, or empty."""

    mail: str = AT_ONCE
    inbox: bool = True
    language: str = ""


@dataclass(frozen=True)
class Quiet:
    """Hours of the day in which no mail leaves; they may go over midnight. Equal ends: none."""

    start: time
    end: time


@dataclass(frozen=True)
class Choices:
    """What a person has chosen; whatever is not named is as usual."""

    topics: Mapping[str, Choice] = field(default_factory=dict)
    quiet: Quiet | None = None

    def of(self, topic: str) -> Choice:
        """What holds for a topic, whatever was stored before it became required."""
        chosen, rule = self.topics.get(topic, Choice()), TOPICS[topic]
        if rule.is_required:
            return Choice(AT_ONCE, True, chosen.language)
        if rule.stays_in_inbox:
            return Choice(chosen.mail, True, chosen.language)
        return chosen


def check_choice(topic: str, choice: Choice, languages: frozenset[str]) -> None:
    """`Invalid`: unknown-value, required-message (it cannot be switched off so far)."""
    if topic not in TOPICS or choice.mail not in RHYTHMS:
        raise invalid(f"topics.{topic}", "unknown-value")
    if choice.language and choice.language not in languages:
        raise invalid(f"topics.{topic}.language", "unknown-value")
    if Choices({topic: choice}).of(topic) != choice:
        raise invalid(f"topics.{topic}", "required-message")


def mail_at(
    now: datetime, quiet: Quiet | None, zone: ZoneInfo, matters_until: datetime | None
) -> datetime:
    """When a message that is written now leaves: now, or when the quiet hours are over. What would
    be too late by then (an offer that lapses, a booking that begins) leaves now: `matters_until`.

    Held back, the order stays: the end of the quiet time, and a thousandth of the wait after it.
    """
    if quiet is None or quiet.start == quiet.end:
        return now
    local = now.astimezone(zone)
    for days in (-1, 0):
        day = local.date() + timedelta(days=days)
        over = day + timedelta(days=quiet.end < quiet.start)
        start = datetime.combine(day, quiet.start, zone).astimezone(UTC)
        end = datetime.combine(over, quiet.end, zone).astimezone(UTC)
        if start <= now < end:
            if matters_until is not None and now < matters_until <= end:
                return now
            return end + (now - start) / 1000
    return now


def digest_at(now: datetime, rhythm: str, zone: ZoneInfo) -> datetime:
    """The next time, after now, that a digest of a rhythm is due."""
    day = now.astimezone(zone).date()
    while True:
        due = datetime.combine(day, time(DIGEST_HOUR), zone).astimezone(UTC)
        if due > now and (rhythm == DAILY or day.weekday() == 0):
            return due
        day += timedelta(days=1)
