"""Find exceptions by the rules of the audit, and let auditors decide them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.permissions import require_somewhere
from accounts.selectors.rows import visible
from bookings.audit.domain.audit import NEEDS_REASON, RULES, may_become
from bookings.audit.domain.risk import Weights, score, share_of, weight_on
from bookings.audit.models import AuditException, AuditRun
from bookings.audit.selectors import comparison, hits
from bookings.audit.selectors.audit import AUDIT, exceptions_for, own_case, own_exceptions
from bookings.audit.selectors.risk import Amount, load_amounts, load_weights

_BATCH = 1000
# Rows of each table that a night's run compares with the trail, besides those that the trail says were
# touched: five million in seventeen nights. A row changed without the trail is found only by this.
SLICE = 300_000


def exceptions_find(by: By, *, full: bool = False) -> AuditRun:
    """Apply the rules to what has happened since the last run, or to everything (`full`). Exceptions found
    before stay as they are. The platform's nightly run also compares a part of the books with the trail."""
    if not by.actor.is_platform:
        require_somewhere(by.actor, AUDIT)
    _rate_earlier()
    now, before = by.now, hits.last_run()
    is_full = full or before is None or before.last_entry is None
    newest = hits.newest_entry()
    counts: Counter[str] = Counter()
    looked_at = 0
    reservations, charges = hits.touched(None if is_full else before)
    for ids in reservations:
        looked_at += len(ids)
        counts.update(_keep([*hits.booking_hits(ids, now), *hits.usage_hits(ids)], now))
        if not is_full:
            counts.update(
                _keep(hits.comparison_hits(comparison.differences_of("reservation", ids), now), now)
            )
    for ids in charges:
        looked_at += len(ids)
        counts.update(_keep(hits.charge_hits(ids), now))
        if not is_full:
            counts.update(_keep(hits.comparison_hits(comparison.differences_of("charge", ids), now), now))
    compared = dict(before.compared) if before else {}
    if is_full or by.actor.is_platform:
        compared = {}
        for kind in comparison.BOOKS:
            first = comparison.FIRST if is_full or before is None else _after(before, kind)
            for after, until in comparison.ranges_after(kind, first, None if is_full else SLICE):
                different = comparison.differences_between(kind, after, until)
                counts.update(_keep(hits.comparison_hits(different, now), now))
                compared[kind] = str(until)
    for found in (hits.day_hits(), hits.grant_hits(now), hits.stale_hits(now), hits.norm_hits(now)):
        counts.update(_keep(found, now))
    run = AuditRun(
        started_by_id=by.actor.user_id,
        started_at=now,
        is_full=is_full,
        looked_at=looked_at,
        counts=dict(counts),
        compared=compared,
        last_entry=newest,
    )
    with transaction.atomic():
        run.save()
        trail.record(by, "auditrun.done", run, after=run.counts)
    return run


def _after(run: AuditRun, kind: str) -> UUID:
    """Return the id after which a run continues its comparison of the rows of a kind; after the end it starts
    again at the beginning."""
    last = UUID(run.compared.get(kind, str(comparison.FIRST)))
    return comparison.FIRST if last == comparison.LAST else last


def _keep(found: Iterable[hits.Hit], now: datetime) -> Counter[str]:
    """Store the hits that are new; return their number by rule."""
    counts: Counter[str] = Counter()
    for batch in batched(found, _BATCH):
        counts.update(_keep_batch(batch, now))
    return counts


@transaction.atomic
def _keep_batch(found: Sequence[hits.Hit], now: datetime) -> Counter[str]:
    by_key = {(hit.rule, hit.key): hit for hit in found}
    known = set(AuditException.objects.filter(key__in={key for _, key in by_key}).values_list("rule", "key"))
    fresh = [hit for key, hit in sorted(by_key.items()) if key not in known]
    amounts = load_amounts([(hit.numbers, hit.evidence) for hit in fresh])
    weights = load_weights()
    rows = [
        AuditException(
            rule=hit.rule,
            rule_version=RULES[hit.rule].version,
            parameters=dict(RULES[hit.rule].parameters),
            key=hit.key,
            numbers=hit.numbers,
            evidence=[{"type": kind, "id": str(pk)} for kind, pk in hit.evidence],
            organisation_id=hit.organisation_id,
            region_ids=sorted(hit.region_ids),
            happened_at=hit.happened_at,
            found_at=now,
        )
        for hit in fresh
    ]
    for row, amount in zip(rows, amounts, strict=True):
        _rate(row, amount, weights)
    # If two runs coincide, the second stores nothing, and the trail has one entry.
    AuditException.objects.bulk_create(rows, ignore_conflicts=True)
    kept = set(AuditException.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    rows = [row for row in rows if row.pk in kept]
    trail.record_all(
        trail.Change(
            By(PLATFORM, now),
            "exception.find",
            row,
            after={"rule": row.rule, "version": row.rule_version, "key": row.key},
        )
        for row in rows
    )
    return Counter(row.rule for row in rows)


def _rate(row: AuditException, amount: Amount | None, weights: Weights) -> None:
    """Set what is at stake in an exception, and its risk by the weight of the day on which it was found."""
    row.amount, row.currency = amount or (None, "")
    row.share = share_of(row.rule, row.numbers, row.amount, row.currency)
    row.weight = weight_on(weights, row.rule, row.found_at.date())
    row.risk = score(row.weight, row.share)


def _rate_earlier() -> None:
    """Set the risk of exceptions that were found before there were weights."""
    earlier = AuditException.objects.filter(share=None).order_by("pk")
    while rows := list(earlier[:_BATCH]):
        evidence = [[(item["type"], UUID(item["id"])) for item in row.evidence] for row in rows]
        amounts = load_amounts(list(zip((row.numbers for row in rows), evidence, strict=True)))
        weights = load_weights()
        for row, amount in zip(rows, amounts, strict=True):
            _rate(row, amount, weights)
        with transaction.atomic():
            fields = ["amount", "currency", "share", "weight", "risk"]
            AuditException.objects.bulk_update(rows, fields)


@transaction.atomic
def exception_move(by: By, *, exception_id: UUID, state: str, reason: str) -> AuditException:
    """Put an exception under review, or explain it with a reason. Confirming it is done by raising a finding
    (`finding_raise`)."""
    row = exception_locked(by, exception_id)
    if state == "confirmed":
        raise WrongState("exception-needs-finding")
    return exception_decide(by, row, state=state, reason=reason)


def exceptions_decide(
    by: By, *, chosen: Sequence[tuple[UUID, int | None]], state: str, reason: str
) -> tuple[list[AuditException], list[tuple[UUID, Refused]]]:
    """Decide several exceptions in the same way, each (id, version that was read) in a transaction of its
    own. Return those that were decided, and those that were not (an own case, changed meanwhile) with their
    refusals. Rows are locked in the order of their ids."""
    require_somewhere(by.actor, AUDIT)
    if state in NEEDS_REASON and not reason.strip():
        raise invalid("reason", "required")
    done: list[AuditException] = []
    refused: list[tuple[UUID, Refused]] = []
    for exception_id, version in sorted(dict(chosen).items()):
        try:
            each = By(by.actor, by.now, version)
            done.append(exception_move(each, exception_id=exception_id, state=state, reason=reason))
        except Refused as error:
            refused.append((exception_id, error))
    return done, refused


def exception_locked(by: By, exception_id: UUID) -> AuditException:
    """Lock and return an exception that the actor may see; raise `WrongVersion` if it has changed since."""
    pk = visible(exceptions_for(by.actor), pk=exception_id).pk
    row = AuditException.objects.select_for_update(no_key=True).get(pk=pk)
    by.require_version(row.version)
    return row


def exception_decide(by: By, row: AuditException, *, state: str, reason: str) -> AuditException:
    """Change the state of a locked exception and record it in the trail. Raise `NotPermitted` (`own-case`) if
    a record behind the exception is the actor's own case (`own_records`)."""
    if own_exceptions(by.actor, [row]):
        raise own_case(by.actor, row.region_ids)
    if not may_become(row.state, state):
        raise WrongState(state=row.state, wanted=state)
    reason = reason.strip()
    if state in NEEDS_REASON and not reason:
        raise invalid("reason", "required")
    before = row.state
    row.state, row.reason = state, reason
    row.decided_by, row.decided_at = User.objects.get(pk=by.actor.person), by.now
    row.version += 1
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "version"])
    trail.record(
        by,
        f"exception.{state}",
        row,
        before={"state": before},
        after={"state": state, "rule": row.rule},
        reason=reason,
    )
    return row
