"""Agree on actions about a finding, report them as done, verify them, and attach files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.users import member_named
from bookings.audit.domain import actions as rules
from bookings.audit.domain.audit import REMIND_BEFORE
from bookings.audit.models import AuditAction, AuditFinding, FindingFile
from bookings.audit.selectors.actions import action_for, actions_for, may_do
from bookings.audit.selectors.audit import AUDIT, finding_day, finding_for
from bookings.audit.services.findings import finding_locked, finding_move, require_auditor, worded
from instruments.attachments.domain.attachments import check_room
from instruments.attachments.services.attachments import Upload, files_put

MOST = 5000


@transaction.atomic
def action_add(by: By, *, finding_id: UUID, text: str, owner: str, due_date: date) -> AuditAction:
    """Add an agreed action to a finding that is not closed, as its auditor or as somebody who answers it. The
    owner is a present member of the organisation, by id or mail address, and is told.

    Raise `NotFound`, `NotPermitted`, `Invalid`, `WrongState` (`too-many-actions`).
    """
    finding = finding_locked(by, finding_id)
    _require_side(by, finding)
    _require_open(finding)
    text = worded("text", text, rules.MOST_TEXT)
    person = _owner(finding, owner)
    if due_date < finding_day(finding, by.now):
        raise invalid("due_date", "in-the-past")
    counted = finding.actions.aggregate(
        unfinished=Count("pk", filter=Q(state__in=rules.UNFINISHED)), ever=Count("pk")
    )
    is_auditor = not by.actor.may("manage-charges", place_of(finding.organisation))
    rules.require_room(**counted, is_auditor=is_auditor)
    row = AuditAction.objects.create(
        finding=finding,
        text=text,
        owner=person,
        due_date=due_date,
        made_by_id=by.actor.person,
        made_at=by.now,
    )
    finding_move(finding, finding.state, [])
    after = {"finding": finding.pk, "owner": person.pk, "due": due_date}
    trail.record(by, "action.agree", row, after=after, reason=text)
    _tell(row, "named", by.now)
    return row


@transaction.atomic
def action_change(
    by: By, *, action_id: UUID, owner: str | None = None, due_date: date | None = None
) -> AuditAction:
    """Give an action that is still to be done another owner, as its auditor or as somebody who answers the
    finding, or another due day, as its auditor."""
    row = _locked(by, action_id)
    if due_date is None:
        _require_side(by, row.finding)
    else:
        require_auditor(by.actor, row.finding)
    if row.state != rules.AGREED:
        raise WrongState(state=row.state, wanted=rules.AGREED)
    before = {"owner": row.owner_id, "due": row.due_date}
    person = _owner(row.finding, owner) if owner else row.owner
    if due_date is not None and due_date < finding_day(row.finding, by.now):
        raise invalid("due_date", "in-the-past")
    row.owner, row.due_date = person, due_date or row.due_date
    after = {"owner": row.owner_id, "due": row.due_date}
    if after == before:
        return row
    _save(row, "owner", "due_date")
    trail.record(by, "action.change", row, before=before, after=after)
    if row.owner_id != before["owner"]:
        _tell(row, "named", by.now)
    return row


def action_done(by: By, *, action_id: UUID, note: str, files: Sequence[Upload] = ()) -> AuditAction:
    """Report an action as done, with a note and files, as its owner or as somebody who answers the finding;
    the auditor is told."""
    row = action_for(by.actor, action_id)
    if not may_do(by.actor, row):
        raise NotPermitted
    with _stored(files) as rows, transaction.atomic():
        row = _locked(by, action_id)
        _require_move(row, rules.DONE)
        row.note = worded("note", note, MOST)
        row.done_by_id, row.done_at, row.state = by.actor.person, by.now, rules.DONE
        _save(row, "note", "done_by", "done_at", "state")
        _attach(by, row.finding, row, rows, is_of_auditor=False)
        after = {"state": row.state, "files": [file.digest for file in rows]}
        trail.record(by, "action.done", row, after=after, reason=row.note)
        _tell(row, "done", by.now)
    return row


@transaction.atomic
def action_verify(by: By, *, action_id: UUID, reason: str = "") -> AuditAction:
    """Verify that an action was done, as its auditor; `reason` says what was seen."""
    return _decide(by, action_id, rules.VERIFIED, reason.strip()[:MOST])


@transaction.atomic
def action_return(by: By, *, action_id: UUID, reason: str, due_date: date | None = None) -> AuditAction:
    """Send an action back as not done, as its auditor, with a new due day if one is given."""
    return _decide(by, action_id, rules.AGREED, worded("reason", reason, MOST), due_date)


@transaction.atomic
def action_withdraw(by: By, *, action_id: UUID, reason: str) -> AuditAction:
    """Withdraw an action that is no longer needed, as its auditor, with the reason."""
    return _decide(by, action_id, rules.WITHDRAWN, worded("reason", reason, MOST))


def finding_attach(
    by: By, *, finding_id: UUID, files: Sequence[Upload], action_id: UUID | None = None
) -> AuditFinding:
    """Attach files to a finding that is not closed, or to one of its actions: as its auditor, as somebody who
    answers it, or as the owner of the action. They are checked as attachments of instruments are."""
    finding = finding_for(by.actor, finding_id)
    is_of_auditor = _may_attach(by, finding, action_id)
    if not files:
        raise invalid("file", "required")
    with _stored(files) as rows, transaction.atomic():
        finding = finding_locked(by, finding_id)
        _require_open(finding)
        action = visible(finding.actions, pk=action_id) if action_id else None
        _attach(by, finding, action, rows, is_of_auditor=is_of_auditor)
        finding_move(finding, finding.state, [])
        after = {"files": [file.digest for file in rows], "action": action and action.pk}
        trail.record(by, "finding.attach", finding, after=after)
    return finding


def actions_remind(*, now: datetime) -> int:
    """Remind the owners of actions in the week before the due day, and every week after it also whoever
    raised the finding; tell the latter when the day of a follow-up has come. Return how many wait. Each
    reminder is sent once, however often this runs."""
    latest = now.date() + timedelta(days=1) + REMIND_BEFORE  # the local date is at most one day ahead of UTC
    waiting = 0
    rows = AuditAction.objects.filter(state=rules.AGREED, due_date__lte=latest)
    for row in rows.select_related("finding__organisation__region"):
        week = rules.reminder_week(row.due_date, finding_day(row.finding, now))
        if week is None:
            continue
        with transaction.atomic():
            key = f"{row.owner_id}:{row.due_date}:{week}"
            _tell(row, "due" if week < 0 else "overdue", now, key)
            if week >= 0:
                _tell(row, "late", now, key)
        waiting += 1
    findings = AuditFinding.objects.filter(follow_up_date__lte=latest).exclude(state="closed")
    for finding in findings.select_related("organisation__region"):
        if finding.follow_up_date and finding.follow_up_date <= finding_day(finding, now):
            kind = "audit.finding-follow-up"
            key = f"{kind}:{finding.pk}:{finding.follow_up_date}"
            with transaction.atomic():
                enqueue([Effect(kind=kind, key=key, payload={"finding": str(finding.pk)})], now=now)
            waiting += 1
    return waiting


def _decide(by: By, action_id: UUID, state: str, reason: str, due_date: date | None = None) -> AuditAction:
    row = _locked(by, action_id)
    require_auditor(by.actor, row.finding)
    _require_move(row, state)
    if due_date is not None:
        if due_date < finding_day(row.finding, by.now):
            raise invalid("due_date", "in-the-past")
        row.due_date = due_date
    row.state, row.reason = state, reason
    row.decided_by_id, row.decided_at = by.actor.person, by.now
    _save(row, "state", "reason", "decided_by", "decided_at", "due_date")
    word = {rules.VERIFIED: "verify", rules.AGREED: "return", rules.WITHDRAWN: "withdraw"}[state]
    trail.record(by, f"action.{word}", row, after={"state": state, "due": row.due_date}, reason=row.reason)
    if state != rules.VERIFIED:
        _tell(row, "returned" if state == rules.AGREED else "withdrawn", by.now)
    return row


def _locked(by: By, action_id: UUID) -> AuditAction:
    """Lock the finding of an action, so that it is not closed meanwhile, and then the action."""
    finding_id = visible(actions_for(by.actor), pk=action_id).finding_id
    finding = finding_locked(By(by.actor, by.now), finding_id)
    row = AuditAction.objects.select_for_update(of=("self",), no_key=True).select_related("owner")
    action = row.get(pk=action_id)
    by.require_version(action.version)
    _require_open(finding)
    action.finding = finding
    return action


def _save(row: AuditAction, *fields: str) -> None:
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def _require_side(by: By, finding: AuditFinding) -> None:
    """Raise unless the actor answers the finding or audits it."""
    if not by.actor.may("manage-charges", place_of(finding.organisation)):
        require_auditor(by.actor, finding)


def _may_attach(by: By, finding: AuditFinding, action_id: UUID | None) -> bool:
    """Return whether the actor attaches for the auditor; raise `NotPermitted` for those who may attach
    nothing."""
    place = place_of(finding.organisation)
    if by.actor.may(AUDIT, place):
        require_auditor(by.actor, finding)
        return True
    if by.actor.may("manage-charges", place):
        return False
    action = finding.actions.filter(pk=action_id).first() if action_id else None
    if action is None or not may_do(by.actor, action):
        raise NotPermitted
    return False


def _require_open(finding: AuditFinding) -> None:
    if finding.state == AuditFinding.State.CLOSED:
        raise WrongState(state=finding.state, wanted="open")


def _require_move(row: AuditAction, state: str) -> None:
    if not rules.may_move(row.state, state):
        raise WrongState(state=row.state, wanted=state)


def _owner(finding: AuditFinding, name: str) -> User:
    person = member_named(name, finding.organisation_id)
    if person is None:
        raise invalid("owner", "not-one-of-theirs", organisation=finding.organisation.code)
    return person


@contextmanager
def _stored(files: Sequence[Upload]) -> Iterator[list[FindingFile]]:
    if len(files) > rules.MOST_FILES:
        raise invalid("file", "too-many", most=rules.MOST_FILES)
    with files_put(FindingFile, files, takes_office=True) as rows:
        yield rows


def _attach(
    by: By,
    finding: AuditFinding,
    action: AuditAction | None,
    files: Sequence[FindingFile],
    *,
    is_of_auditor: bool,
) -> None:
    """Store the rows of files in the caller's transaction; raise `Invalid` if a finding would have more files
    of a kind than an instrument may have."""
    for kind in sorted({file.kind for file in files}):
        adding = sum(file.kind == kind for file in files)
        check_room(kind, finding.files.filter(kind=kind).count() + adding - 1)
    for file in files:
        file.finding, file.action, file.is_of_auditor = finding, action, is_of_auditor
        file.added_by_id, file.added_at = by.actor.person, by.now
    FindingFile.objects.bulk_create(files)


def _tell(row: AuditAction, what: str, now: datetime, key: str = "") -> None:
    kind = f"audit.action-{what}"
    effect = Effect(kind=kind, key=f"{kind}:{row.pk}:{key or row.version}", payload={"action": str(row.pk)})
    enqueue([effect], now=now)
