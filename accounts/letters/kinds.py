"""What a kind of message is, and how a row of the outbox becomes letters.

A kind is one row of the table of its area; `bookings/overview/services/effects.py` collects the
tables. What all letters have in common is done here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation

from accounts.letters.mails import Letter, Stranger, framed
from accounts.letters.words import in_words
from accounts.models import OutboxMessage, User
from accounts.prepared import Prepared
from accounts.selectors.messages import readers_of


@dataclass(frozen=True)
class Content:
    """What a message says, before it is put into a reader's language.

    `about`: the row it is about; `link`: the page it leads to. `words` stand in the subject and
    the first sentence: texts, days, and rows that have a name. `context` is for the template.
    `zone`: whose times it has, if not the reader's; `calendar`: what a reader's calendar is told;
    after `matters_until` it comes too late."""

    about: UUID | None
    link: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    zone: str = ""
    calendar: Callable[[Any], str] = lambda reader: ""
    matters_until: datetime | None = None


def always(thing: Any, row: OutboxMessage, now: datetime) -> bool:
    return True


def in_state(*states: str) -> Callable[[Any, OutboxMessage, datetime], bool]:
    """A message says something true while what it is about has one of these states."""
    return lambda thing, row, now: thing.state in states


def row_of(rows: QuerySet[Any], name: str) -> Callable[[OutboxMessage, datetime], Any]:
    """What loads the row whose id an outbox row has under a name."""
    by_id = Prepared(lambda pk: rows.filter(pk=pk))
    return lambda row, now: by_id.first(pk=UUID(row.payload[name]))


@dataclass(frozen=True)
class Kind:
    """One kind of message: what it is called, its subject and first sentence, and the topic by
    which readers choose how it reaches them.

    `load` gives what an outbox row is about, None where that is gone; the message is dropped
    unless it `is_still_true`. `readers` are told, by mail alone where they are strangers;
    `content` is what they are told, laid out by `template` (a text and an HTML file), with `note`
    after it. `on`: the kind of the outbox rows, if not the same; several kinds may share one: they
    load the same, and the first that is true is told."""

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


def table(*kinds: Kind) -> dict[str, Kind]:
    """Kinds by name."""
    return {kind.name: kind for kind in kinds}


def by_outbox_kind(*tables: Mapping[str, Kind]) -> dict[str, list[Kind]]:
    """The kinds of all tables by the outbox rows that they are told of."""
    by_row: dict[str, list[Kind]] = {}
    for kinds in tables:
        for kind in kinds.values():
            by_row.setdefault(kind.on or kind.name, []).append(kind)
    return by_row


def letters_of(
    row: OutboxMessage, now: datetime, kinds: Mapping[str, Sequence[Kind]]
) -> list[Letter]:
    """The letters of an outbox row; none where it no longer says anything true, or nobody is there
    to read them. All are written before any is stored. `LookupError`: no such kind."""
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
    """The letter in the reader's language, with times in the content's zone, or in theirs."""
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
            subject=" ".join(str(kind.subject).format_map(words).split()),
            text=text,
            html=html,
            link=content.link,
            calendar=content.calendar(reader),
            about=content.about,
            matters_until=content.matters_until,
        )
