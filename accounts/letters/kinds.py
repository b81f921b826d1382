"""Describe kinds of messages, and turn rows of the outbox into letters.

Each area lists its kinds in a table that its `tasks.py` names (accounts/work.py). This module does what all
letters have in common.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.letters.mails import Letter, Stranger, framed
from accounts.letters.words import brief_words, in_words, listed, span_words, zone_name
from accounts.models import OutboxMessage, User
from accounts.prepared import Prepared
from accounts.selectors.messages import readers_of


@dataclass(frozen=True)
class Content:
    """The content of a message, before it is put into a reader's language.

    `about`: the id of the row it is about; `link`: the page it leads to; `words`: the texts, days and named
    rows that the subject and the first sentence contain; `context`: values for the template; `zone`: the time
    zone of its times, if not the reader's; `calendar`: the entry for the reader's calendar; `matters_until`:
    the moment from which it would come too late; `days`: the moments or days of the thing, with which the
    subject ends; `are_apart`: they are single moments, not what a period begins and ends with.
    """

    about: UUID | None
    link: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    zone: str = ""
    calendar: Callable[[Any], str] = lambda reader: ""
    matters_until: datetime | None = None
    days: Sequence[date] = ()
    are_apart: bool = False


def always(thing: Any, row: OutboxMessage, now: datetime) -> bool:
    return True


def in_state(*states: str) -> Callable[[Any, OutboxMessage, datetime], bool]:
    """Return a condition for `is_still_true`: the row that the message is about has one of these states."""
    return lambda thing, row, now: thing.state in states


def row_of(rows: QuerySet[Any], name: str) -> Callable[[OutboxMessage, datetime], Any]:
    """Return a function that loads the row whose id the payload of an outbox row holds under a name."""
    by_id = Prepared(lambda pk: rows.filter(pk=pk))
    return lambda row, now: by_id.first(pk=UUID(row.payload[name]))


@dataclass(frozen=True)
class Kind:
    """One kind of message: its name, its subject and first sentence, and the topic by which readers choose
    how it reaches them.

    `load` returns what an outbox row is about, None if that is gone; the message is dropped unless it
    `is_still_true`. `readers` get it, those without an account by mail only. `content` is laid out by
    `template` (a text and an HTML file), followed by `note`. `on` is the kind of the outbox rows if it
    differs from `name`. Several kinds may share one kind of row: they load the same, and the first that is
    still true is sent. What `is_urgent`, because somebody else may be taking the account, leaves in quiet
    hours too.
    """

    name: str
    subject: object
    lead: object = ""
    topic: str = "account"
    _: KW_ONLY
    load: Callable[[OutboxMessage, datetime], Any]
    readers: Callable[[Any], Iterable[User | Stranger]]
    content: Callable[[Any, OutboxMessage, datetime], Content]
    template: str
    is_still_true: Callable[[Any, OutboxMessage, datetime], bool] = always
    note: object = ""
    on: str = ""
    is_urgent: bool = False


def table(*kinds: Kind) -> dict[str, Kind]:
    """Return kinds of messages as a table by their names."""
    return {kind.name: kind for kind in kinds}


def letters_of(row: OutboxMessage, now: datetime, kinds: Mapping[str, Sequence[Kind]]) -> list[Letter]:
    """Return the letters for an outbox row, one per reader; none if it no longer says anything true or nobody
    is there to read it. All are written before any is stored. Raise `LookupError` if there is no such
    kind."""
    candidates = kinds[row.kind]
    thing = candidates[0].load(row, now)
    if thing is None:
        return []
    kind = next((kind for kind in candidates if kind.is_still_true(thing, row, now)), None)
    if kind is None:
        return []
    people = list(kind.readers(thing))
    strangers = [person for person in people if isinstance(person, Stranger)]
    users = readers_of([person for person in people if isinstance(person, User)], kind.topic)
    if not strangers and not users:
        return []
    content = kind.content(thing, row, now)
    readers: list[User | Stranger] = [*strangers, *users]
    return [compose(kind, content, reader) for reader in readers]


def compose(kind: Kind, content: Content, reader: User | Stranger) -> Letter:
    """Return a letter in the reader's language, with times in the content's zone or else the reader's."""
    zone = content.zone or reader.time_zone
    with translation.override(reader.language), timezone.override(ZoneInfo(zone)):
        words = {name: in_words(value) for name, value in content.words.items()}
        context = {
            "kind": kind.name.partition(".")[2],
            "lead": str(kind.lead).format_map(words),
            "note": kind.note,
            "link": settings.SITE_URL + content.link if content.link else "",
            "zone": zone,
            "own_zone": reader.time_zone if reader.time_zone != zone else "",
            "is_stranger": isinstance(reader, Stranger),
            **content.context,
        }
        text, html = framed(kind.template, [kind.topic], reader, context)
        return Letter(
            person=reader,
            topic=kind.topic,
            kind=kind.name,
            subject=_subject(kind, content, words, reader),
            text=text,
            html=html,
            link=content.link,
            calendar=content.calendar(reader),
            about=content.about,
            matters_until=content.matters_until,
            is_urgent=kind.is_urgent,
        )


def _subject(kind: Kind, content: Content, words: Mapping[str, str], reader: User | Stranger) -> str:
    """Return the subject of a letter, which ends with the day of its thing as the reader's clock has it. It
    names that clock where the thing has another one."""
    subject = " ".join(str(kind.subject).format_map(words).split())
    if not content.days:
        return subject
    with timezone.override(ZoneInfo(reader.time_zone)):
        when = span_words(content.days)
        if content.are_apart:
            when = listed(brief_words(day) for day in sorted(content.days))
    names_zone = content.are_apart or len(content.days) == 1
    if names_zone and any(_differs(day, content.zone, reader.time_zone) for day in content.days):
        when = gettext("{when} ({zone})").format(when=when, zone=zone_name(reader.time_zone))
    return f"{subject}{gettext(', ')}{when}"


def _differs(moment: date, zone: str, other: str) -> bool:
    """Say whether the clocks of two zones show another time at a moment; days look the same on both."""
    if not zone or not isinstance(moment, datetime):
        return False
    return moment.astimezone(ZoneInfo(zone)).utcoffset() != moment.astimezone(ZoneInfo(other)).utcoffset()
