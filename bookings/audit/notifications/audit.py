"""Messages of the auditors' desk: the newest seal, and findings to answer."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import AUDITOR, FINANCE, MANAGER
from accounts.letters import Letter, day_words, framed
from accounts.models import Organisation, OutboxMessage, Seal, User
from accounts.selectors.memberships import holders_of
from accounts.selectors.messages import readers_of
from bookings.audit.models import AuditFinding


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


def audit_letters(row: OutboxMessage) -> list[Letter]:
    """To whom an outbox row of the desk speaks; nobody where the reader wants it no more."""
    match row.kind.partition(".")[2]:
        case "seal":
            return _seal(row)
        case kind if kind.removeprefix("finding-") in FINDINGS:
            return _finding(row, kind.removeprefix("finding-"))
        case _:
            raise LookupError(row.kind)


def _seal(row: OutboxMessage) -> list[Letter]:
    """The digest is the one that was newest when the mail was due, whatever became of it since."""
    reader = User.objects.filter(
        pk=UUID(row.payload["user"]), role_grants__role=AUDITOR, role_grants__revoked_at=None
    )
    seal = Seal.objects.defer("digests").filter(number=row.payload["seal"]).first()
    context = {
        "number": row.payload["seal"],
        "digest": row.payload["digest"],
        "at": seal.at if seal else None,
        "link": f"{settings.SITE_URL}{_held(row.payload['seal'], row.payload['digest'])}",
    }
    return [_letter(person, context) for person in readers_of(reader, "seal")]


def _held(number: int, digest: str) -> str:
    """The page that says whether this seal is still in the chain."""
    return f"{reverse('bookings:seals')}?seal={number}:{digest}"


def _letter(person: User, context: dict[str, Any]) -> Letter:
    """In the reader's language and time."""
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        return Letter(
            person,
            "seal",
            "audit.seal",
            gettext("Seal {number} of the trail").format(number=context["number"]),
            *framed("bookings/audit/mail/seal", "seal", person, context),
            link=_held(context["number"], context["digest"]),
        )


def _finding(row: OutboxMessage, what: str) -> list[Letter]:
    finding = (
        AuditFinding.objects.select_related("organisation", "raised_by")
        .filter(pk=UUID(row.payload["finding"]))
        .first()
    )
    words = FINDINGS[what]
    if finding is None or (words.while_open and finding.state != "open"):
        return []
    people = [finding.raised_by]
    if not words.to_auditor:
        held = [holders_of(role, finding.organisation_id) for role in (MANAGER, FINANCE)]
        people = [user for users in held for user in users]
    return [_about_finding(what, finding, person) for person in readers_of(people, "audit")]


def _about_finding(what: str, finding: AuditFinding, person: User) -> Letter:
    """In the reader's language."""
    words = FINDINGS[what]
    link = reverse("bookings:finding", args=[finding.pk])
    with translation.override(person.language), timezone.override(ZoneInfo(person.time_zone)):
        facts = {
            "title": finding.title,
            "organisation": _named(finding.organisation, person.language),
            "due": day_words(finding.due_date),
        }
        context = {
            "lead": str(words.lead).format_map(facts),
            "finding": finding,
            "link": settings.SITE_URL + link,
        }
        return Letter(
            person,
            "audit",
            f"audit.finding-{what}",
            " ".join(str(words.subject).format_map(facts).split()),
            *framed("bookings/audit/mail/finding", "audit", person, context),
            link=link,
            about=finding.pk,
        )


def _named(thing: Organisation, language: str) -> str:
    return str((language.startswith("zh") and thing.name_zh) or thing.name)
