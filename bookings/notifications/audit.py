"""Mail of the auditors' desk: the newest seal, and findings to answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.erasure import leads_nowhere
from accounts.domain.roles import FINANCE, MANAGER
from accounts.models import Organisation, OutboxMessage, Seal, SealReader, User
from accounts.selectors.memberships import holders_of
from bookings.models import AuditFinding


@dataclass(frozen=True)
class Words:
    """Subject and first sentence; `to_auditor`: who raised it reads it, not the organisation.
    `while_open`: it says nothing once the finding was answered."""

    subject: object
    lead: object
    to_auditor: bool = False
    while_open: bool = False


FINDINGS = {
    "raised": Words(
        _("A finding to answer: {title}"),
        _("An auditor raised a finding about {organisation}. Please answer it by {due}."),
        while_open=True,
    ),
    "replied": Words(
        _("Answered: {title}"),
        _("{organisation} has answered your finding. Close it, or send it back."),
        to_auditor=True,
    ),
    "returned": Words(
        _("Sent back: {title}"),
        _("The auditor needs more than your answer says. Please answer again by {due}."),
        while_open=True,
    ),
    "closed": Words(
        _("Closed: {title}"), _("The auditor closed this finding about {organisation}.")
    ),
    "due": Words(
        _("Soon due: {title}"),
        _("This finding about {organisation} is to be answered by {due}."),
        while_open=True,
    ),
    "overdue": Words(
        _("Overdue: {title}"),
        _("This finding about {organisation} was to be answered by {due}. Please answer it now."),
        while_open=True,
    ),
}


def audit_mail(row: OutboxMessage, now: datetime) -> str:
    """Send the mail of an outbox row; its outcome: `sent`, or `skipped` where nobody wants it."""
    match row.kind.partition(".")[2]:
        case "seal":
            letters = _seal(row)
        case kind if kind.removeprefix("finding-") in FINDINGS:
            letters = _finding(row, kind.removeprefix("finding-"))
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


def _finding(row: OutboxMessage, what: str) -> list[EmailMessage]:
    finding = (
        AuditFinding.objects.select_related("organisation", "raised_by")
        .filter(pk=UUID(row.payload["finding"]))
        .first()
    )
    words = FINDINGS[what]
    if finding is None or (words.while_open and finding.state != "open"):
        return []
    if words.to_auditor:
        readers = [finding.raised_by]
    else:
        held = [holders_of(role, finding.organisation_id) for role in (MANAGER, FINANCE)]
        readers = list(dict.fromkeys(user for users in held for user in users))
    link = settings.SITE_URL + reverse("bookings:finding", args=[finding.pk])
    letters = []
    for reader in readers:
        with translation.override(reader.language):
            facts = {
                "title": finding.title,
                "organisation": _named(finding.organisation, reader.language),
                "due": date_format(finding.due_date, "DATE_FORMAT"),
            }
            subject = " ".join(str(words.subject).format_map(facts).split())
            context = {"lead": str(words.lead).format_map(facts), "finding": finding, "link": link}
        letters.append(letter(reader, subject, "bookings/mail/finding.txt", context, row))
    return letters


def _named(thing: Organisation, language: str) -> str:
    return str((language.startswith("zh") and thing.name_zh) or thing.name)


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
