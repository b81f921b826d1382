"""Deliver messages into the inbox and by mail, and store what people choose about them.

A message is stored for each reader in the transaction that carries out its outbox row. Its mail is an outbox
row of its own, so each reader's mail is sent, fails and is tried again separately. One risk of SMTP remains:
if a worker dies after the server has accepted a mail and before the row says so, the mail is sent again, with
the same Message-ID.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused, SMTPServerDisconnected
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.core.mail import mailers
from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain import messages
from accounts.domain.erasure import leads_nowhere
from accounts.domain.roles import By
from accounts.letters.mails import Letter, Mail, digest_mail, mail_of
from accounts.models import Message, MessageSettings, OutboxMessage, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of
from accounts.prepared import Prepared, insert
from accounts.selectors.messages import all_topics, choices_in, choices_of, inbox_of, message_by_id

_connection: ContextVar[Any] = ContextVar("connection", default=None)  # that several mails share
MAIL_GONE, MAIL_TRIED = "mail-server-gone", "mail-server-tried"


def messages_give(
    written: Sequence[tuple[OutboxMessage, Sequence[Letter]]], *, now: datetime
) -> Sequence[str]:
    """Store the messages of outbox rows for each reader, and schedule their mails for when each reader wants
    them. Return the rows' outcomes. It takes three statements, whatever their number."""
    people = [letter.person.pk for _, letters in written for letter in letters]
    chosen = choices_of(people)
    rows, effects, outcomes = [], [], []
    for row, letters in written:
        outcome = "skipped"
        for letter in letters:
            choices = chosen.get(letter.person.pk, messages.Choices())
            choice = choices.of(all_topics()[letter.topic])
            if choice.mail == messages.OFF and not choice.inbox:
                continue
            message = _stored(letter, choice, row, now)
            if choice.mail != messages.OFF:
                effect = _mail_effect(message, letter, choices, now)
                message.mail_due_at = effect.due_at
                effects.append(effect)
            rows.append(message)
            outcome = "sent"
        outcomes.append(outcome)
    insert(rows, ignore_conflicts=True)
    # In one order: two workers that schedule the same two digests wait for one another, not in a circle.
    enqueue(sorted(effects, key=attrgetter("key")), now=now)
    return outcomes


def _stored(letter: Letter, choice: messages.Choice, row: OutboxMessage, now: datetime) -> Message:
    at_once = choice.mail == messages.AT_ONCE
    return Message(
        # The same row says the same to the same person.
        id=uuid5(row.pk, letter.person.pk.hex),
        user_id=letter.person.pk,
        topic=letter.topic,
        kind=letter.kind,
        language=letter.person.language,
        subject=letter.subject[:300],
        text=letter.text,
        html=letter.html if at_once else "",
        calendar=letter.calendar if at_once else "",
        link=letter.link,
        about=letter.about,
        created_at=now,
        is_in_inbox=choice.inbox,
        mail=choice.mail,
    )


def _mail_effect(message: Message, letter: Letter, choices: messages.Choices, now: datetime) -> Effect:
    zone = ZoneInfo(letter.person.time_zone)
    if message.mail in messages.DIGESTS:
        due = messages.mail_at(messages.digest_at(now, message.mail, zone), choices.quiet, zone, None)
        # One for all that is due then, whatever its rhythm.
        key = f"digest:{message.user_id}:{due.isoformat()}"
        return Effect("digest.send", key, {"user": str(message.user_id)}, due_at=due)
    quiet = None if letter.is_urgent else choices.quiet
    due = messages.mail_at(now, quiet, zone, letter.matters_until)
    payload = {"message": str(message.pk)}
    return Effect("letter.send", f"letter:{message.pk}", payload, due_at=due)


def mail_send(mails: Sequence[Mail]) -> str:
    """Pass mails to the mail server over one connection; return the outcome."""
    to_send = [mail for mail in mails if not leads_nowhere(mail.to[0])]
    if not to_send:
        return "skipped"
    connection = _connection.get() or mailers.default
    try:
        _check(connection)
        connection.send_messages(to_send)
    except (SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused):
        raise  # the server answers, but refuses this mail
    except OSError:
        connection.close()
        cache.set(MAIL_GONE, True, 120)
        raise
    cache.delete(MAIL_GONE)
    return "sent"


@contextmanager
def one_connection() -> Iterator[None]:
    """Send all mails within the block over one connection, which the first of them opens."""
    connection = mailers.default
    before = _connection.set(connection)
    try:
        yield
    finally:
        _connection.reset(before)
        with suppress(OSError):
            connection.close()


def _check(connection: Any) -> None:
    """Open the connection of `one_connection`, again if the server has closed it after so many mails."""
    if connection is not _connection.get():
        return
    if smtp := getattr(connection, "connection", None):
        try:
            is_open = smtp.noop()[0] == 250
        except SMTPServerDisconnected:
            is_open = False
        if not is_open:
            connection.close()
    connection.open()


def mail_may_leave() -> bool:
    """Return whether to try the mail server: while it does not answer, one worker tries once a minute, so
    that the others are free for other work."""
    return not cache.get(MAIL_GONE) or bool(cache.add(MAIL_TRIED, True, 45))


def letter_message(row: OutboxMessage) -> Message | None:
    """Return the message that an outbox row has to send; None if it was sent already or its reader is
    gone."""
    return _UNSENT.first(pk=UUID(row.payload["message"]))


_UNSENT = Prepared(
    lambda pk: Message.objects.select_related("user").filter(pk=pk, mailed_at=None, user__is_active=True)
)


def letter_send(message: Message, *, now: datetime) -> str:
    """Send a message by mail, then empty the fields that only the mail needed. Return the outcome."""
    outcome = mail_send([mail_of(message, message.user, str(message.pk))])
    message.mailed_at, message.html, message.calendar = now, "", ""
    message.save(update_fields=["mailed_at", "html", "calendar"])
    return outcome


def digest_send(row: OutboxMessage, *, now: datetime) -> str:
    """Send everything that waits for a person's digest in one mail; return `skipped` if nothing does."""
    user = User.objects.filter(pk=UUID(row.payload["user"]), is_active=True).first()
    waiting = list(
        Message.objects.filter(
            user=user, mail__in=sorted(messages.DIGESTS), mailed_at=None, mail_due_at__lte=now
        ).order_by("created_at", "id")
    )
    if user is None or not waiting:
        return "skipped"
    outcome = mail_send([digest_mail(waiting, user, str(row.pk))])
    Message.objects.filter(pk__in=[message.pk for message in waiting]).update(mailed_at=now)
    return outcome


# Reading


def message_read(by: By, *, message_id: UUID, is_read: bool) -> Message:
    """Mark a message of the actor as read or unread, and return it as it was before. Raise `NotFound`,
    `WrongVersion`."""
    row = message_by_id(by.actor, message_id)
    by.require_version(row.version)
    rows = Message.objects.filter(pk=message_id)
    if is_read:
        rows = rows.filter(read_at=None)
    rows.update(read_at=by.now if is_read else None)
    return row


def messages_opened(by: By, *, path: str) -> None:
    """Mark the actor's messages that link to a page as read."""
    leads_there = Q(link=path) | Q(link__startswith=f"{path}#") | Q(link__startswith=f"{path}?")
    rows = Message.objects.filter(user_id=by.actor.person, is_in_inbox=True, read_at=None)
    rows.filter(leads_there).update(read_at=by.now)


def messages_read(by: By) -> int:
    """Mark all messages of the actor as read; return how many were unread."""
    return Message.objects.filter(pk__in=inbox_of(by.actor, unread=True).order_by().values("pk")).update(
        read_at=by.now
    )


# Choosing


@transaction.atomic
def choices_set(
    by: By, *, topics: Mapping[str, messages.Choice], quiet: messages.Quiet | None
) -> MessageSettings:
    """Store all choices of a person; topics that are not named get the default. Raise `Invalid`
    (unknown-value, required-message)."""
    languages = frozenset(code for code, _ in settings.LANGUAGES)
    for topic, choice in topics.items():
        messages.check_choice(topic, all_topics().get(topic), choice, languages)
    row = _locked(by.actor.person)
    by.require_version(row.version)
    choices = {topic: asdict(choice) for topic, choice in topics.items() if choice != messages.Choice()}
    return _store(by, row, choices, quiet)


@transaction.atomic
def topics_leave(*, user: User, topics: Sequence[str], now: datetime) -> MessageSettings:
    """Switch off mail of these topics; those that are required, or no longer exist, stay as they are."""
    row = _locked(user.pk)
    chosen = choices_in(row)
    choices = dict(row.choices)
    for topic in topics:
        rule = all_topics().get(topic)
        if rule is not None and not rule.is_required:
            kept = chosen.of(rule)
            choices[topic] = asdict(messages.Choice(messages.OFF, kept.inbox, kept.language))
    return _store(By(actor_of(user), now), row, choices, chosen.quiet)


def _locked(user_id: UUID) -> MessageSettings:
    MessageSettings.objects.bulk_create([MessageSettings(user_id=user_id)], ignore_conflicts=True)
    return MessageSettings.objects.select_for_update().get(pk=user_id)


def _store(
    by: By, row: MessageSettings, choices: Mapping[str, object], quiet: messages.Quiet | None
) -> MessageSettings:
    if quiet is not None and quiet.start == quiet.end:
        quiet = None
    if (row.choices, choices_in(row).quiet) == (choices, quiet):
        return row
    before = {"topics": row.choices, "quiet": [row.quiet_from, row.quiet_until]}
    row.choices = dict(choices)
    row.quiet_from = quiet.start if quiet else None
    row.quiet_until = quiet.end if quiet else None
    row.version += 1
    row.save(update_fields=["choices", "quiet_from", "quiet_until", "version"])
    after = {"topics": row.choices, "quiet": [row.quiet_from, row.quiet_until]}
    trail.record(by, "messages.choose", row, before=before, after=after)
    return row
