"""Messages of the auditors' desk: the newest seal, and findings to answer."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import AUDITOR
from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.letters.people import in_charge
from accounts.models import OutboxMessage, Seal, User
from bookings.audit.models import AuditFinding


def _auditor(row: OutboxMessage, now: datetime) -> QuerySet[User]:
    """Return the person who reads the seal, if they are still an auditor."""
    return User.objects.filter(
        pk=UUID(row.payload["user"]), role_grants__role=AUDITOR, role_grants__revoked_at=None
    )


def _seal(auditor: QuerySet[User], row: OutboxMessage, now: datetime) -> Content:
    """Return the content of the mail with a seal. Its digest is that of the newest seal when the mail was
    due, even if newer ones exist by now; the page says whether the chain still contains it."""
    number, digest = row.payload["seal"], row.payload["digest"]
    seal = Seal.objects.defer("digests").filter(number=number).first()
    context = {"number": number, "digest": digest, "at": seal.at if seal else None}
    link = f"{reverse('bookings:seals')}?seal={number}:{digest}"
    return Content(None, link, {"number": number}, context)


def _about_finding(finding: AuditFinding, row: OutboxMessage, now: datetime) -> Content:
    words = {"title": finding.title, "organisation": finding.organisation, "due": finding.due_date}
    link = reverse("bookings:finding", args=[finding.pk])
    days = [finding.due_date] if finding.state == "open" else []
    return Content(finding.pk, link, words, {"finding": finding}, days=days)


_finding = partial(
    Kind,
    topic="audit",
    load=row_of(AuditFinding.objects.select_related("organisation", "raised_by"), "finding"),
    readers=lambda finding: in_charge(finding.organisation_id),
    content=_about_finding,
    template="bookings/audit/mail/finding",
)
KINDS = table(
    Kind(
        "audit.seal",
        _("Seal {number} of the trail"),
        topic="seal",
        load=_auditor,
        readers=lambda auditor: auditor,
        content=_seal,
        template="bookings/audit/mail/seal",
    ),
    _finding(
        "audit.finding-raised",
        _("A finding to answer: {title}"),
        _("An auditor raised a finding about {organisation}. Please answer it by {due}."),
        is_still_true=in_state("open"),
    ),
    _finding(
        "audit.finding-replied",
        _("Answered: {title}"),
        _("{organisation} has answered your finding. Close it, or send it back."),
        readers=lambda finding: [finding.raised_by],
    ),
    _finding(
        "audit.finding-returned",
        _("Sent back: {title}"),
        _("The auditor needs a fuller answer. Please answer again by {due}."),
        is_still_true=in_state("open"),
    ),
    _finding(
        "audit.finding-closed",
        _("Closed: {title}"),
        _("The auditor closed this finding about {organisation}."),
    ),
    _finding(
        "audit.finding-due",
        _("Soon due: {title}"),
        _("Please answer this finding about {organisation} by {due}."),
        is_still_true=in_state("open"),
    ),
    _finding(
        "audit.finding-overdue",
        _("Overdue: {title}"),
        _("The answer to this finding about {organisation} was due by {due}. Please answer it now."),
        is_still_true=in_state("open"),
    ),
    _finding(
        "audit.finding-unanswered",
        _("No answer was received: {title}"),
        _(
            "The auditor has stated that no answer about {organisation} was received. You can still answer "
            "until the finding is closed."
        ),
        is_still_true=in_state("open"),
    ),
    _finding(
        "audit.finding-follow-up",
        _("Follow-up due: {title}"),
        _("The day has come to verify what {organisation} has done about this finding."),
        readers=lambda finding: [finding.raised_by],
        is_still_true=in_state("open", "replied"),
    ),
)
