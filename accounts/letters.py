"""Letters about people's places: who is told, in whose language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.erasure import leads_nowhere
from accounts.models import Invitation, JoinRequest, Membership, Organisation, OutboxMessage, User
from accounts.selectors.joining import digest_of, invitation_token, invitations, join_requests
from accounts.selectors.memberships import managers_or_administrators
from accounts.selectors.users import user_by_email


@dataclass(frozen=True)
class Words:
    """Subject and first sentence of a kind of letter."""

    subject: object
    lead: object


KINDS = {
    "invitation": Words(
        _("Invitation: {organisation}"),
        _("{person} invites you to join {organisation} on Instrument Commons."),
    ),
    "asked": Words(
        _("A request to join: {person}"),
        _("{person} ({email}) asks to become a member of {organisation}."),
    ),
    "approved": Words(
        _("You are a member: {organisation}"),
        _("Your request was accepted: you belong to {organisation} now."),
    ),
    "rejected": Words(
        _("Not accepted: {organisation}"),
        _("{organisation} did not accept your request to become a member."),
    ),
    "left": Words(
        _("{person} has left"),
        _("{person} ({email}) has left {organisation}. Their roles there have ended."),
    ),
    "ended": Words(
        _("Your membership has ended: {organisation}"),
        _("You are no longer a member of {organisation}. Your roles there have ended."),
    ),
}


@dataclass(frozen=True)
class Reader:
    """Where a letter goes, and how its reader likes it."""

    email: str
    name: str
    language: str
    zone: str

    @classmethod
    def of(cls, user: User) -> "Reader":
        return cls(user.email, str(user), user.language, user.time_zone)


def post(row: OutboxMessage, now: datetime) -> str:
    """Send the letter of an outbox row; its outcome: `sent`, or `skipped` where it no longer says
    anything true."""
    match row.kind.partition(".")[2]:
        case "invitation":
            letters = _invitation(row, now)
        case "asked" | "answered":
            letters = _request(row)
        case "left" | "ended" as kind:
            letters = _ended(row, kind)
        case "closed":
            letters = [_closed(row)]
        case _:
            raise LookupError(row.kind)
    letters = [letter for letter in letters if not leads_nowhere(letter.to[0])]
    if letters:
        mailers.default.send_messages(letters)
    return "sent" if letters else "skipped"


def _invitation(row: OutboxMessage, now: datetime) -> list[EmailMessage]:
    found = invitations().filter(pk=UUID(row.payload["invitation"])).first()
    if found is None or found.accepted_at or found.withdrawn_at or found.expires_at <= now:
        return []
    token = invitation_token(found.pk)
    if digest_of(token) != bytes(found.digest):  # made with a secret that was since replaced
        return []
    known = user_by_email(found.email)
    reader = Reader.of(known) if known else _stranger(found)
    address = reverse("accounts:invitation", kwargs={"token": token})
    context = {"link": settings.SITE_URL + address, "until": found.expires_at, "is_new": not known}
    return [_letter("invitation", reader, found.organisation, found.invited_by, row, context)]


def _stranger(found: Invitation) -> Reader:
    """Somebody we know nothing of is likely to read what whoever invited them does."""
    inviter = found.invited_by
    return Reader(found.email, "", inviter.language, inviter.time_zone)


def _request(row: OutboxMessage) -> list[EmailMessage]:
    found = join_requests().filter(pk=UUID(row.payload["request"])).first()
    if found is None:
        return []
    if row.kind == "people.asked":
        if found.state != JoinRequest.State.REQUESTED:
            return []
        context: dict[str, Any] = {"text": found.text, "link": _members(found.organisation)}
        return [
            _letter("asked", Reader.of(user), found.organisation, found.user, row, context)
            for user in managers_or_administrators(found.organisation_id)
        ]
    if found.state not in {"approved", "rejected"}:
        return []
    home = settings.SITE_URL + reverse("accounts:organisations")
    context = {"reason": found.reason, "link": home}
    reader = Reader.of(found.user)
    return [_letter(found.state, reader, found.organisation, found.user, row, context)]


def _ended(row: OutboxMessage, kind: str) -> list[EmailMessage]:
    found = (
        Membership.objects.select_related("organisation", "user")
        .filter(pk=UUID(row.payload["membership"]))
        .first()
    )
    if found is None:
        return []
    readers, context = [found.user], {"reason": row.payload["reason"]}
    if kind == "left":
        readers = managers_or_administrators(found.organisation_id)
        context["link"] = _members(found.organisation)
    return [
        _letter(kind, Reader.of(user), found.organisation, found.user, row, context)
        for user in readers
    ]


def _closed(row: OutboxMessage) -> EmailMessage:
    user = User.objects.get(pk=UUID(row.payload["user"]))
    with translation.override(user.language):
        lead = gettext(
            "Your account is closed, as you asked. Within minutes your name and your addresses are"
            " gone from the platform; this is the last mail you get from it."
        )
        return EmailMessage(
            subject=gettext("Your account is closed"),
            body=render_to_string("accounts/mail/letter.txt", {"kind": "closed", "lead": lead}),
            to=[user.email],
            headers={"Message-ID": f"<{row.pk}@instrument-commons>"},
        )


def _members(organisation: Organisation) -> str:
    return settings.SITE_URL + reverse("accounts:members", args=[organisation.pk])


def _letter(
    kind: str,
    reader: Reader,
    organisation: Organisation,
    person: User,
    row: OutboxMessage,
    context: dict[str, Any],
) -> EmailMessage:
    words = KINDS[kind]
    with translation.override(reader.language), timezone.override(ZoneInfo(reader.zone)):
        name = organisation.name
        if reader.language == "zh-hans" and organisation.name_zh:
            name = organisation.name_zh
        facts = {"organisation": name, "person": str(person), "email": person.email}
        lead = str(words.lead).format_map(facts)
        content = context | {"kind": kind, "lead": lead, "reader": reader}
        named = f"{row.pk}.{digest_of(reader.email).hex()[:16]}"
        return EmailMessage(
            subject=" ".join(str(words.subject).format_map(facts).split()),
            body=render_to_string("accounts/mail/letter.txt", content),
            to=[reader.email],
            headers={"Message-ID": f"<{named}@instrument-commons>"},
        )
