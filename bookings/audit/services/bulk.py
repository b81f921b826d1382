"""Decide all exceptions of a rule and an organisation at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from bookings.audit.domain.audit import CONFIRMED, EXPLAINED, may_become
from bookings.audit.models import AuditException, AuditFinding
from bookings.audit.selectors.audit import AUDIT, exceptions_matching, own_exceptions
from bookings.audit.services.findings import Raised, finding_raise

MOST = 500


@dataclass(frozen=True)
class Verdict:
    """The decision on all of them: explained with a reason, or confirmed by one finding."""

    state: str
    reason: str = ""
    severity: str = "medium"
    title: str = ""
    text: str = ""
    due_date: date | None = None


@dataclass(frozen=True)
class DecidedAll:
    """How many exceptions were decided, how many are the actor's own case and stayed as they were, and the
    finding that was raised, if any."""

    decided: int
    own: int
    finding: AuditFinding | None = None


@transaction.atomic
def exceptions_decide_all(by: By, *, of: Mapping[str, Any], count: int, verdict: Verdict) -> DecidedAll:
    """Give all exceptions that match a filter (`of`: the values of their list's filters, among them rule and
    organisation) the same decision, in one transaction; those that are the actor's own case stay, as another
    auditor has to decide them.

    Raise `Invalid` without a rule, an organisation or a reason; `WrongState` (`exceptions-changed`) if
    they are not as many as were shown before (`count`), (`too-many-exceptions`) if more than 500 or none.
    """
    require_somewhere(by.actor, AUDIT)
    for name in ("rule", "organisation"):
        if not of.get(name):
            raise invalid(name, "required")
    if verdict.state not in (EXPLAINED, CONFIRMED):
        raise invalid("state", "unknown-value")
    if verdict.state == EXPLAINED and not verdict.reason.strip():
        raise invalid("reason", "required")
    matching = list(
        exceptions_matching(by, of, verdict.state).order_by("pk").values_list("pk", flat=True)[: MOST + 1]
    )
    locked = AuditException.objects.select_for_update(no_key=True).filter(pk__in=matching)
    rows = [row for row in locked.order_by("pk") if may_become(row.state, verdict.state)]
    own = own_exceptions(by.actor, rows) if rows else frozenset()
    rows = [row for row in rows if row.pk not in own]
    if len(rows) + len(own) > MOST or not rows:
        raise WrongState("too-many-exceptions", most=MOST)
    if len(rows) != count:
        raise WrongState("exceptions-changed", now=len(rows), before=count)
    finding = None
    reason = verdict.reason.strip()
    if verdict.state == CONFIRMED:
        regions = sorted({pk for row in rows for pk in row.region_ids})
        finding = _raised(by, rows.pop(0), verdict, regions)
        reason = finding.title
    _decide(by, rows, verdict.state, reason, finding)
    return DecidedAll(len(rows) + (finding is not None), len(own), finding)


def _raised(by: By, first: AuditException, verdict: Verdict, regions: Sequence[UUID]) -> AuditFinding:
    """Raise the finding from the first of the exceptions, which it confirms, for the regions of all."""
    raised = Raised(
        verdict.severity,
        verdict.title,
        verdict.text,
        verdict.due_date,
        exception_id=first.pk,
        regions=regions,
    )
    return finding_raise(replace(by, version=None), raised=raised)


def _decide(
    by: By, rows: list[AuditException], state: str, reason: str, finding: AuditFinding | None
) -> None:
    """Store and record the decision on locked exceptions, each in the trail by itself."""
    before = [row.state for row in rows]
    for row in rows:
        row.state, row.reason, row.raised_in = state, reason, finding
        row.decided_by_id, row.decided_at = by.actor.person, by.now
        row.version += 1
    fields = ["state", "reason", "raised_in", "decided_by", "decided_at", "version"]
    AuditException.objects.bulk_update(rows, fields)
    trail.record_all(
        trail.Change(
            by,
            f"exception.{state}",
            row,
            before={"state": was},
            after={"state": state, "rule": row.rule} | ({"finding": finding.pk} if finding else {}),
            reason=reason,
        )
        for row, was in zip(rows, before, strict=True)
    )
