"""Rules for messages to a person: what they may choose, and when mail leaves.

People choose by groups of kinds (topics), because nobody wants to decide about forty kinds. Required topics
always come at once by mail and into the inbox: missing such a message can cost money, a journey or control of
one's account.
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
    """A group of kinds of message that an area offers for people to choose.

    `label`, `hint`: its name, and when such messages come; `place`: its rank among the topics of all areas.
    `is_required`: it always comes by mail and into the inbox; `stays_in_inbox`: the mail can be switched off,
    but not the inbox; `roles`: the roles whose holders it is for; empty: everybody.
    """

    name: str
    label: object
    hint: object
    place: int
    is_required: bool = False
    stays_in_inbox: bool = False
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Choice:
    """How a topic reaches a person. `language` overrides that of the profile; empty: no override."""

    mail: str = AT_ONCE
    inbox: bool = True
    language: str = ""


@dataclass(frozen=True)
class Quiet:
    """The hours of the day in which no mail leaves; they may include midnight. If both ends are equal, there
    are none."""

    start: time
    end: time


@dataclass(frozen=True)
class Choices:
    """A person's choices about messages; topics that are not named have the default."""

    topics: Mapping[str, Choice] = field(default_factory=dict)
    quiet: Quiet | None = None

    def of(self, topic: Topic) -> Choice:
        """Return the choice in force for a topic, whatever was stored before it became required."""
        chosen = self.topics.get(topic.name, Choice())
        if topic.is_required:
            return Choice(AT_ONCE, True, chosen.language)
        if topic.stays_in_inbox:
            return Choice(chosen.mail, True, chosen.language)
        return chosen


def check_choice(name: str, topic: Topic | None, choice: Choice, languages: frozenset[str]) -> None:
    """Check a person's choice for a topic; `topic` is None if there is no topic of that name. Raise `Invalid`
    (unknown-value, required-message for a topic that cannot be switched off that far)."""
    if topic is None or choice.mail not in RHYTHMS:
        raise invalid(f"topics.{name}", "unknown-value")
    if choice.language and choice.language not in languages:
        raise invalid(f"topics.{name}.language", "unknown-value")
    if Choices({name: choice}).of(topic) != choice:
        raise invalid(f"topics.{name}", "required-message")


def mail_at(now: datetime, quiet: Quiet | None, zone: ZoneInfo, matters_until: datetime | None) -> datetime:
    """Return when a message written now leaves: now, or at the end of the quiet hours. It leaves now if it
    would be of no use by then because it matters only until `matters_until` (an offer that lapses, a booking
    that begins).

    Held-back messages keep their order: each leaves later than the end by a thousandth of its time since the
    quiet hours began.
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
    """Return the next time after now at which a digest of this rhythm is due."""
    day = now.astimezone(zone).date()
    while True:
        due = datetime.combine(day, time(DIGEST_HOUR), zone).astimezone(UTC)
        if due > now and (rhythm == DAILY or day.weekday() == 0):
            return due
        day += timedelta(days=1)
