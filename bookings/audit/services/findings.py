"""Findings: auditors raise them, the audited party answers, and auditors close them with evidence."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require, require_somewhere
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.audit.domain.audit import DAYS_TO_ANSWER, FINDING_MOVES, REMIND_BEFORE, SEVERITIES
from bookings.audit.models import AuditException, AuditFinding
from bookings.audit.selectors import audit
from bookings.audit.selectors.actions import why_not_closed
from bookings.audit.services.audit import exception_decide, exception_locked
from instruments.reading.domain.clock import local_date

MOST = 5000


@dataclass(frozen=True)
class Raised:
    """The values of a new finding. `due_date` None: it follows from the severity. `regions`: those of further
    exceptions that it confirms, whose auditors see it as well."""

    severity: str
    title: str
    text: str
    due_date: date | None = None
    exception_id: UUID | None = None
    sample_id: UUID | None = None
    organisation: str = ""  # its code; with an exception, the organisation of that is used
    follow_up_date: date | None = None
    regions: Collection[UUID] = ()


@transaction.atomic
def finding_raise(by: By, *, raised: Raised) -> AuditFinding:
    """Raise a finding, which confirms the exception it is about, if any. Raise `NotPermitted` (`own-case`) if
    the exception, or a row drawn in the sample, is the auditor's own case."""
    exception: AuditException | None = None
    if raised.exception_id is not None:
        exception = exception_locked(replace(by, version=None), raised.exception_id)
        organisation = Organisation.objects.select_related("region").get(pk=exception.organisation_id)
        regions = list(dict.fromkeys((*exception.region_ids, *raised.regions)))
    else:
        require_somewhere(by.actor, audit.AUDIT)
        organisation = audit.audited_organisation(by.actor, raised.organisation)
        regions = list(organisation.region.lineage)
    sample = audit.sample_for(by.actor, raised.sample_id) if raised.sample_id else None
    if sample is not None and audit.own_samples(by.actor, [sample]):
        raise audit.own_case(by.actor, sample.region_ids)
    if raised.severity not in SEVERITIES:
        raise invalid("severity", "unknown-value")
    title, text = worded("title", raised.title, 200), worded("text", raised.text, MOST)
    today = local_date(ZoneInfo(organisation.region.time_zone), by.now)
    due = raised.due_date or today + timedelta(days=DAYS_TO_ANSWER[raised.severity])
    if due < today:
        raise invalid("due_date", "in-the-past")
    if raised.follow_up_date is not None and raised.follow_up_date < due:
        raise invalid("follow_up_date", "before-due")
    if exception is not None:
        exception_decide(by, exception, state="confirmed", reason=title)
    row = AuditFinding.objects.create(
        organisation=organisation,
        region_ids=regions,
        severity=raised.severity,
        title=title,
        text=text,
        exception=exception,
        sample=sample,
        due_date=due,
        follow_up_date=raised.follow_up_date,
        raised_by_id=by.actor.person,
        raised_at=by.now,
    )
    after = {"severity": row.severity, "due": due, "exception": exception and exception.pk}
    if row.follow_up_date:
        after["follow_up"] = row.follow_up_date
    trail.record(by, "finding.raise", row, after=after, reason=f"{title}\n{text}")
    _tell(row, "raised", by.now)
    return row


@transaction.atomic
def finding_reply(by: By, *, finding_id: UUID, reply: str) -> AuditFinding:
    """Answer a finding for the audited party: what was wrong, and what is done about it."""
    row = finding_locked(by, finding_id)
    require(by.actor, "manage-charges", place_of(row.organisation))
    _require_move(row, "replied")
    row.reply = worded("reply", reply, MOST)
    row.replied_by_id, row.replied_at = by.actor.person, by.now
    finding_move(row, "replied", ["reply", "replied_by", "replied_at"])
    trail.record(by, "finding.reply", row, after={"state": "replied"}, reason=row.reply)
    _tell(row, "replied", by.now)
    return row


@transaction.atomic
def finding_return(by: By, *, finding_id: UUID, note: str, due_date: date | None) -> AuditFinding:
    """Return an answer to the organisation as insufficient, with a new due day if the auditor gives one."""
    row = finding_locked(by, finding_id)
    require_auditor(by.actor, row)
    _require_move(row, "open")
    row.note = worded("note", note, MOST)
    if due_date is not None:
        if due_date < audit.finding_day(row, by.now):
            raise invalid("due_date", "in-the-past")
        row.due_date = due_date
    finding_move(row, "open", ["note", "due_date"])
    after = {"state": "open", "due": row.due_date}
    trail.record(by, "finding.return", row, after=after, reason=row.note)
    _tell(row, "returned", by.now)
    return row


@transaction.atomic
def finding_close(by: By, *, finding_id: UUID, evidence: str) -> AuditFinding:
    """Close a finding, for the auditor, with the evidence that the matter was corrected. Raise `WrongState`
    if nobody has answered it and no statement says so (`finding-unanswered`), if actions are neither verified
    nor withdrawn (`actions-unfinished`), or before the day of its follow-up (`follow-up-ahead`)."""
    row = finding_locked(by, finding_id)
    require_auditor(by.actor, row)
    _require_move(row, "closed")
    evidence = worded("evidence", evidence, MOST)
    if refused := why_not_closed(row, row.actions.all(), by.now):
        raise refused
    row.evidence, row.closed_by_id, row.closed_at = evidence, by.actor.person, by.now
    finding_move(row, "closed", ["evidence", "closed_by", "closed_at"])
    trail.record(by, "finding.close", row, after={"state": "closed"}, reason=row.evidence)
    _tell(row, "closed", by.now)
    return row


@transaction.atomic
def finding_unanswered(by: By, *, finding_id: UUID, statement: str) -> AuditFinding:
    """State, as the auditor and with the reason, that no answer was received although the due day is over.
    The finding may then be closed without one; the organisation may still answer before."""
    row = finding_locked(by, finding_id)
    require_auditor(by.actor, row)
    if row.state != "open":
        raise WrongState(state=row.state, wanted="open")
    if not audit.is_finding_overdue(row, by.now):
        raise WrongState("answer-not-due", day=row.due_date.isoformat())
    row.no_answer = worded("statement", statement, MOST)
    row.no_answer_by_id, row.no_answer_at = by.actor.person, by.now
    finding_move(row, "open", ["no_answer", "no_answer_by", "no_answer_at"])
    trail.record(by, "finding.unanswered", row, after={"due": row.due_date}, reason=row.no_answer)
    _tell(row, "unanswered", by.now)
    return row


@transaction.atomic
def finding_follow_up(by: By, *, finding_id: UUID, follow_up_date: date | None) -> AuditFinding:
    """Set the day from which the auditor verifies what was done about a finding, and until which it cannot be
    closed; None removes it."""
    row = finding_locked(by, finding_id)
    require_auditor(by.actor, row)
    if row.state == "closed":
        raise WrongState(state=row.state, wanted="open")
    if follow_up_date is not None and follow_up_date < audit.finding_day(row, by.now):
        raise invalid("follow_up_date", "in-the-past")
    before = {"follow_up": row.follow_up_date}
    row.follow_up_date = follow_up_date
    finding_move(row, row.state, ["follow_up_date"])
    trail.record(by, "finding.follow-up", row, before=before, after={"follow_up": follow_up_date})
    return row


def findings_remind(*, now: datetime) -> int:
    """Remind the organisations that have to answer, a week before the due day and weekly after it; return how
    many findings wait. Each reminder is sent once, however often this runs."""
    latest = now.date() + timedelta(days=1) + REMIND_BEFORE  # the local date is at most one day ahead of UTC
    rows = AuditFinding.objects.filter(Q(state="open"), due_date__lte=latest)
    waiting = 0
    for row in rows.select_related("organisation__region"):
        late = audit.finding_day(row, now) - row.due_date
        if late < -REMIND_BEFORE:
            continue
        weeks = max(-1, late.days // 7)
        with transaction.atomic():
            _tell(row, "due" if weeks < 0 else "overdue", now, key=f"{row.due_date}:{weeks}")
        waiting += 1
    return waiting


def finding_locked(by: By, finding_id: UUID) -> AuditFinding:
    """Lock a finding that the actor may see and has read in its present version."""
    pk = visible(audit.findings_for(by.actor), pk=finding_id).pk
    row = (
        AuditFinding.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region")
        .get(pk=pk)
    )
    by.require_version(row.version)
    return row


def require_auditor(actor: Actor, row: AuditFinding) -> None:
    """Raise unless the actor audits the organisation's region and has no part in what the finding is
    about."""
    require(actor, audit.AUDIT, place_of(row.organisation))
    if audit.own_findings(actor, [row]):
        raise audit.own_case(actor, row.organisation.region.lineage)


def _require_move(row: AuditFinding, state: str) -> None:
    if state not in FINDING_MOVES[row.state]:
        raise WrongState(state=row.state, wanted=state)


def finding_move(row: AuditFinding, state: str, fields: list[str]) -> None:
    """Save these fields of a locked finding and its state, and raise its version."""
    row.state = state
    row.version += 1
    row.save(update_fields=["state", "version", *fields])


def worded(field: str, text: str, most: int) -> str:
    """Return a text without the space around it; raise `Invalid` if nothing is left or it is too long."""
    text = text.strip()
    if not text:
        raise invalid(field, "required")
    if len(text) > most:
        raise invalid(field, "too-long", most=most)
    return text


def _tell(row: AuditFinding, what: str, now: datetime, key: str = "") -> None:
    enqueue(
        [
            Effect(
                kind=f"audit.finding-{what}",
                key=f"audit.finding-{what}:{row.pk}:{key or row.version}",
                payload={"finding": str(row.pk)},
            )
        ],
        now=now,
    )
