"""Messages of the auditors' desk: the newest seal."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.letters import Letter, framed
from accounts.models import OutboxMessage, Seal, SealReader, User
from accounts.selectors.messages import readers_of


def audit_letters(row: OutboxMessage) -> list[Letter]:
    """To whom an outbox row of the desk speaks; nobody where the reader wants it no more."""
    match row.kind.partition(".")[2]:
        case "seal":
            return _seal(row)
        case _:
            raise LookupError(row.kind)


def _seal(row: OutboxMessage) -> list[Letter]:
    """The digest is the one that was newest when the mail was due, whatever became of it since."""
    reader = SealReader.objects.filter(user_id=UUID(row.payload["user"])).first()
    if reader is None:
        return []
    seal = Seal.objects.defer("digests").filter(number=row.payload["seal"]).first()
    context = {
        "number": row.payload["seal"],
        "digest": row.payload["digest"],
        "at": seal.at if seal else None,
        "link": settings.SITE_URL + reverse("bookings:seals"),
    }
    return [_letter(person, context) for person in readers_of([reader.user], "audit")]


def _letter(person: User, context: dict[str, Any]) -> Letter:
    """In the reader's language and time."""
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        return Letter(
            person,
            "audit",
            "audit.seal",
            gettext("Seal {number} of the trail").format(number=context["number"]),
            *framed("bookings/mail/seal", "audit", person, context),
            link=reverse("bookings:seals"),
        )
