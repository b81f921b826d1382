"""The inbox, and what people have chosen about messages."""

from collections.abc import Iterable, Mapping
from copy import copy
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet

from accounts.domain.erasure import leads_nowhere
from accounts.domain.messages import Choice, Choices, Quiet
from accounts.domain.roles import Actor
from accounts.models import Message, MessageSettings, User
from accounts.prepared import Prepared
from accounts.selectors.rows import visible

MOST_COUNTED = 100


def choices_in(row: MessageSettings | None) -> Choices:
    if row is None:
        return Choices()
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_from, row.quiet_until)
    return Choices({name: Choice(**choice) for name, choice in row.choices.items()}, quiet)


def choices_of(user_ids: Iterable[UUID]) -> Mapping[UUID, Choices]:
    """By person; who has chosen nothing is not in it. One statement."""
    return {row.user_id: choices_in(row) for row in _SETTINGS.rows(ids=sorted(set(user_ids)))}


_SETTINGS = Prepared(lambda ids: MessageSettings.objects.filter(pk__one_of=ids))


def settings_of(actor: Actor) -> MessageSettings:
    """What somebody has chosen; a row that is not stored where they never chose."""
    stored = MessageSettings.objects.filter(pk=actor.person).first()
    return stored or MessageSettings(user_id=actor.person)


def readers_of(people: Iterable[User], topic: str) -> list[User]:
    """The same people, each once, without those who can be reached nowhere, in the language they
    read a topic in. Copies: nobody stores them. One statement."""
    reachable = {p.pk: p for p in people if p.is_active and not leads_nowhere(p.email)}
    chosen = choices_of(reachable) if reachable else {}
    readers = []
    for pk, person in reachable.items():
        reader = copy(person)
        if pk in chosen:
            reader.language = chosen[pk].of(topic).language or person.language
        readers.append(reader)
    return readers


def inbox_of(actor: Actor, *, unread: bool = False) -> QuerySet[Message]:
    """One's own, the newest first."""
    rows = Message.objects.filter(user_id=actor.person, is_in_inbox=True)
    if unread:
        rows = rows.filter(read_at=None)
    return rows.defer("html", "calendar").order_by("-created_at", "-id")


def message_by_id(actor: Actor, message_id: UUID) -> Message:
    """`NotFound` if it is not one's own."""
    return visible(inbox_of(actor), pk=message_id)


def with_unread(users: QuerySet[User]) -> QuerySet[User]:
    """Each user with `unread`, the number of messages not read yet, at most `MOST_COUNTED`: no
    statement of its own, however many pages show it."""
    unread = Message.objects.filter(user=OuterRef("pk"), is_in_inbox=True, read_at=None)
    few = ArraySubquery(unread.order_by().values("pk")[:MOST_COUNTED])
    return users.annotate(unread=Func(few, function="CARDINALITY", output_field=IntegerField()))
