"""Mail of the auditors' desk: the newest seal."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.erasure import leads_nowhere
from accounts.models import OutboxMessage, Seal, SealReader, User


def audit_mail(row: OutboxMessage, now: datetime) -> str:
    """Send the mail of an outbox row; its outcome: `sent`, or `skipped` where nobody wants it."""
    match row.kind.partition(".")[2]:
        case "seal":
            letters = _seal(row)
        case _:
            raise LookupError(row.kind)
    letters = [letter for letter in letters if not leads_nowhere(letter.to[0])]
    if letters:
        mailers.default.send_messages(letters)
    return "sent" if letters else "skipped"


def _seal(row: OutboxMessage) -> list[EmailMessage]:
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
    with translation.override(reader.user.language):
        subject = gettext("Seal {number} of the trail").format(number=context["number"])
    return [letter(reader.user, subject, "bookings/mail/seal.txt", context, row)]


def letter(
    reader: User, subject: str, template: str, context: dict[str, object], row: OutboxMessage
) -> EmailMessage:
    """In the reader's language and time."""
    with translation.override(reader.language), timezone.override(ZoneInfo(reader.time_zone)):
        return EmailMessage(
            subject=subject,
            body=render_to_string(template, {"reader": reader, **context}),
            to=[reader.email],
            headers={"Message-ID": f"<{row.pk}.{reader.pk}@instrument-commons>"},
        )
