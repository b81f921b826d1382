"""Keeping results: longer on request, as long as a legal hold lasts, and otherwise no longer than
promised."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from accounts.services.jobs import work_through
from bookings.results.domain.handoffs import MOST_KEEP_DAYS, READABLE, may, state_after
from bookings.results.domain.retention import WARN_DAYS, extended, is_purgeable, warning_due
from bookings.results.locks import lock_hand_off
from bookings.results.models import HandOff, KeepRequest
from bookings.results.selectors.collecting import counts_as_delivered, hand_offs_to_hold, may_hold, may_lift
from bookings.results.selectors.handoffs import hand_off_by_id, hand_off_to_fill
from bookings.results.services.uploads import files_drop

AFTER_HOLD = timedelta(days=7)  # the least time that is left once a legal hold is lifted
MOST_AT_ONCE = 500


@transaction.atomic
def results_keep(by: By, *, hand_off_id: UUID, days: int, reason: str = "") -> HandOff:
    """Keep results for some days longer, for the host. This also grants an open request for it."""
    hand_off_to_fill(by.actor, hand_off_id)
    hand_off = lock_hand_off(hand_off_id)
    by.require_version(hand_off.version)
    _keep(by, hand_off, days, reason)
    request = hand_off.keep_requests.filter(state=KeepRequest.State.OPEN).first()
    if request is not None:
        _decided(by, request, KeepRequest.State.GRANTED)
    return hand_off


@transaction.atomic
def keep_ask(by: By, *, hand_off_id: UUID, days: int, reason: str = "") -> KeepRequest:
    """Ask the host, as a recipient, to keep results for some days longer."""
    if not counts_as_delivered(by.actor, hand_off_by_id(by.actor, hand_off_id)):
        raise NotPermitted
    hand_off = lock_hand_off(hand_off_id)
    _until(hand_off, days)
    if hand_off.keep_requests.filter(state=KeepRequest.State.OPEN).exists():
        raise WrongState("keep-asked-already")
    request = KeepRequest.objects.create(
        hand_off=hand_off, days=days, reason=reason.strip(), asked_by_id=by.actor.person, asked_at=by.now
    )
    trail.record(by, "handoff.keep-ask", hand_off, after={"days": days}, reason=reason.strip())
    about = {"request": str(request.pk)}
    enqueue([Effect("results.keep-asked", f"results.keep-asked:{request.pk}", about)], now=by.now)
    return request


@transaction.atomic
def keep_decide(by: By, *, request_id: UUID, grant: bool) -> KeepRequest:
    """Grant or decline a request to keep results longer, for the host."""
    hand_off_id = visible(KeepRequest.objects, pk=request_id).hand_off_id
    hand_off_to_fill(by.actor, hand_off_id)
    hand_off = lock_hand_off(hand_off_id)
    request = visible(hand_off.keep_requests, pk=request_id)
    if request.state != KeepRequest.State.OPEN:
        raise WrongState("keep-decided-already")
    if grant:
        _keep(by, hand_off, request.days, "")
    else:
        trail.record(by, "handoff.keep-decline", hand_off, after={"days": request.days})
    _decided(by, request, KeepRequest.State.GRANTED if grant else KeepRequest.State.DECLINED)
    return request


def _decided(by: By, request: KeepRequest, state: str) -> None:
    request.state, request.decided_by_id, request.decided_at = state, by.actor.user_id, by.now
    request.save(update_fields=["state", "decided_by", "decided_at"])
    key, about = f"results.keep-decided:{request.pk}", {"request": str(request.pk)}
    enqueue([Effect("results.keep-decided", key, about)], now=by.now)


def _until(hand_off: HandOff, days: int) -> datetime:
    """Return until when files are kept if this many days are added; raise `WrongState`, `Invalid`."""
    if not may(hand_off.state, "extend"):
        raise WrongState("not-collectable")
    if days < 1:
        raise invalid("days", "out-of-range", least=1, most=MOST_KEEP_DAYS)
    assert hand_off.retain_until is not None and hand_off.released_at is not None
    return extended(hand_off.retain_until, days, hand_off.released_at, MOST_KEEP_DAYS)


def _keep(by: By, hand_off: HandOff, days: int, reason: str) -> None:
    until = _until(hand_off, days)
    before = {"retain_until": hand_off.retain_until, "state": hand_off.state}
    state = state_after(hand_off.state, "extend")
    hand_off.state = "collected" if hand_off.collected_at else state
    _save_until(hand_off, until)
    after = {"retain_until": until, "state": hand_off.state}
    trail.record(by, "handoff.keep", hand_off, before=before, after=after, reason=reason.strip())


def _save_until(hand_off: HandOff, until: datetime) -> None:
    """Store another last day of results, for which people are warned again."""
    hand_off.retain_until, hand_off.told_days = until, None
    hand_off.version += 1
    hand_off.save(update_fields=["retain_until", "told_days", "state", "version"])


@transaction.atomic
def hold_place(by: By, *, hand_off_id: UUID, reason: str) -> HandOff:
    """Place a legal hold: results are not deleted until it is lifted. For the host, auditors of either region
    and administrators. Raises `NotPermitted`, `WrongState`."""
    if not may_hold(by.actor, visible(hand_offs_to_hold(by.actor), pk=hand_off_id)):
        raise NotPermitted
    if not reason.strip():
        raise invalid("reason", "required")
    hand_off = lock_hand_off(hand_off_id)
    if hand_off.state not in READABLE:
        raise WrongState("not-collectable")
    if hand_off.held_at is not None:
        raise WrongState("on-hold")
    hand_off.hold_reason, hand_off.held_by_id = reason.strip(), by.actor.person
    hand_off.held_at = by.now
    hand_off.version += 1
    hand_off.save(update_fields=["hold_reason", "held_by", "held_at", "version"])
    trail.record(by, "handoff.hold", hand_off, reason=reason.strip())
    return hand_off


@transaction.atomic
def hold_lift(by: By, *, hand_off_id: UUID) -> HandOff:
    """Lift a legal hold, as the person who placed it, an auditor or an administrator. The results are kept
    for at least another week, before whose end people are warned."""
    visible(hand_offs_to_hold(by.actor), pk=hand_off_id)
    hand_off = lock_hand_off(hand_off_id)
    if not may_lift(by.actor, hand_off):
        raise NotPermitted
    if hand_off.held_at is None:
        raise WrongState("not-on-hold")
    hand_off.hold_reason, hand_off.held_by, hand_off.held_at = "", None, None
    hand_off.save(update_fields=["hold_reason", "held_by", "held_at"])
    assert hand_off.retain_until is not None
    _save_until(hand_off, max(hand_off.retain_until, by.now + AFTER_HOLD))
    after = {"retain_until": hand_off.retain_until}
    trail.record(by, "handoff.hold-lift", hand_off, after=after)
    return hand_off


# Jobs


def results_warn(*, now: datetime) -> int:
    """Warn of results whose last day comes near, once for each of 30, 7 and 1 days; return how many. No
    warning is sent under a legal hold."""
    return work_through(
        job="results that end",
        due=HandOff.objects.filter(
            state__in=READABLE, held_at=None, retain_until__lte=now + timedelta(days=max(WARN_DAYS))
        ).order_by("retain_until", "pk"),
        act=lambda pk: _warn(pk, now),
        now=now,
        most=MOST_AT_ONCE,
    )


def _warn(hand_off_id: UUID, now: datetime) -> int:
    hand_off = lock_hand_off(hand_off_id)
    if hand_off.held_at or hand_off.retain_until is None or not may(hand_off.state, "warn"):
        return 0
    days = warning_due(hand_off.retain_until, hand_off.told_days, now)
    if days is None:
        return 0
    before = {"state": hand_off.state, "told": hand_off.told_days}
    if hand_off.told_days is None:
        # Warnings failed for a while: nothing is deleted without a warning.
        hand_off.retain_until = max(hand_off.retain_until, now + timedelta(days=1))
    hand_off.state = state_after(hand_off.state, "warn")
    hand_off.told_days = days
    hand_off.version += 1
    hand_off.save(update_fields=["state", "told_days", "retain_until", "version"])
    after = {"state": hand_off.state, "told": days, "retain_until": hand_off.retain_until}
    trail.record(By(PLATFORM, now), "handoff.warn", hand_off, before=before, after=after)
    key = f"results.expiring:{hand_off.pk}:{hand_off.version}"
    payload = {"hand_off": str(hand_off.pk), "days": days}
    enqueue([Effect("results.expiring", key, payload)], now=now)
    return 1


def results_purge(*, now: datetime) -> int:
    """Delete results whose last day has passed, after a warning and unless a legal hold is placed; return how
    many deliveries. Manifest and receipts stay."""
    return work_through(
        job="results to delete",
        due=HandOff.objects.filter(
            state__in=READABLE, held_at=None, retain_until__lte=now, told_days__isnull=False
        ).order_by("retain_until", "pk"),
        act=lambda pk: _purge(pk, now),
        now=now,
        most=MOST_AT_ONCE,
    )


def _purge(hand_off_id: UUID, now: datetime) -> int:
    """Stop the reading of files in one transaction, and delete each of them as an effect, so that an
    interruption only delays the rest."""
    hand_off = lock_hand_off(hand_off_id)
    is_held = hand_off.held_at is not None
    if not may(hand_off.state, "purge") or not is_purgeable(hand_off.retain_until, is_held, now):
        return 0
    before = {"state": hand_off.state, "retain_until": hand_off.retain_until}
    hand_off.state, hand_off.ended_at = state_after(hand_off.state, "purge"), now
    hand_off.version += 1
    hand_off.save(update_fields=["state", "ended_at", "version"])
    freed = files_drop(hand_off, hand_off.files.all(), now=now)
    after = {"state": hand_off.state, "manifest": hand_off.manifest_digest, "bytes": freed}
    trail.record(By(PLATFORM, now), "handoff.purge", hand_off, before=before, after=after)
    return 1
