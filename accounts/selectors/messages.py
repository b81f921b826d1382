"""The inbox, and what people have chosen about messages."""

from collections.abc import Iterable, Mapping
from copy import copy
from operator import attrgetter
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from accounts.areas import areas, computed
from accounts.domain.erasure import leads_nowhere
from accounts.domain.messages import Choice, Choices, Quiet, Topic
from accounts.domain.roles import RESEARCHER, Actor
from accounts.models import Message, MessageSettings, RoleGrant, User
from accounts.prepared import Prepared
from accounts.selectors.rows import visible

MOST_COUNTED = 100


@computed
def all_topics() -> dict[str, Topic]:
    """Return the topics of all areas by name, in the order in which the settings list them."""
    every = [topic for area in areas() for topic in area.topics]
    return {topic.name: topic for topic in sorted(every, key=attrgetter("place"))}


def topics_for(actor: Actor, row: MessageSettings) -> list[Topic]:
    """Return the topics that can reach a person: those for everybody, those of their roles, those of a
    researcher also if they were one or hold no role, and those that they have chosen about or have a message
    of. It takes two statements."""
    roles = {grant.role for grant in actor.grants} or {RESEARCHER}
    if RoleGrant.objects.filter(user_id=actor.person, role=RESEARCHER).exists():
        roles.add(RESEARCHER)
    had = Message.objects.filter(user_id=actor.person).order_by().values_list("topic", flat=True).distinct()
    known = {*row.choices, *had}
    return [
        topic
        for topic in all_topics().values()
        if not topic.roles or topic.roles & roles or topic.name in known
    ]


def choices_in(row: MessageSettings | None) -> Choices:
    if row is None:
        return Choices()
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_from, row.quiet_until)
    return Choices({name: Choice(**choice) for name, choice in row.choices.items()}, quiet)


def choices_of(user_ids: Iterable[UUID]) -> Mapping[UUID, Choices]:
    """Return the choices by person; people who have chosen nothing are left out. It takes one statement."""
    return {row.user_id: choices_in(row) for row in _SETTINGS.rows(ids=sorted(set(user_ids)))}


_SETTINGS = Prepared(lambda ids: MessageSettings.objects.filter(pk__one_of=ids))


def settings_of(actor: Actor) -> MessageSettings:
    """Return the message settings of a person; an unsaved row if they have never chosen."""
    stored = MessageSettings.objects.filter(pk=actor.person).first()
    return stored or MessageSettings(user_id=actor.person)


def readers_of(people: Iterable[User], topic: str) -> list[User]:
    """Return the people without duplicates and without those who cannot be reached, with the language in
    which they read the topic. They are copies, not to be saved. It takes one statement."""
    reachable = {p.pk: p for p in people if p.is_active and not leads_nowhere(p.email)}
    chosen = choices_of(reachable) if reachable else {}
    readers = []
    for pk, person in reachable.items():
        reader = copy(person)
        if pk in chosen:
            reader.language = chosen[pk].of(all_topics()[topic]).language or person.language
        readers.append(reader)
    return readers


def inbox_of(actor: Actor, *, unread: bool = False) -> QuerySet[Message]:
    """Return the actor's messages in the inbox, the newest first."""
    rows = Message.objects.filter(user_id=actor.person, is_in_inbox=True)
    if unread:
        rows = rows.filter(read_at=None)
    return rows.defer("html", "calendar").order_by("-created_at", "-id")


def message_by_id(actor: Actor, message_id: UUID) -> Message:
    """Return a message of the actor; `NotFound` if it is not theirs."""
    return visible(inbox_of(actor), pk=message_id)


def with_unread(users: QuerySet[User]) -> QuerySet[User]:
    """Return the users, each with `unread_links`: the links of their unread messages, at most `MOST_COUNTED`.
    They are part of the same statement, so counting them on every page costs no other."""
    unread = Message.objects.filter(user=OuterRef("pk"), is_in_inbox=True, read_at=None)
    links = ArraySubquery(unread.order_by().values("link")[:MOST_COUNTED])
    return users.annotate(unread_links=links)  # type: ignore[no-redef]
