"""Retry failures or give them up, one or many."""

from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from accounts import trail
from accounts.domain.errors import Invalid, invalid
from accounts.domain.jobs import CALLS
from accounts.domain.roles import By, Place
from accounts.models import FileJob, JobFailure, OutboxMessage
from accounts.notifications import TASKS, nudge
from accounts.permissions import require
from accounts.services.jobs import Which, failures_give_up, failures_retry
from bookings.messaging.models import WebhookDelivery
from bookings.messaging.services.webhooks import webhook_replay
from bookings.operations.domain.failures import cause_of
from bookings.operations.selectors.failures import FILES, GIVEN_UP, HARVESTS, IMPORTS, OTHERS, WEBHOOKS
from instruments.exchange.models import Harvest, Import
from instruments.exchange.services.harvests import TASK
from instruments.exchange.services.jobs import import_retry

MOST_REASON = 500


@transaction.atomic
def group_retry(by: By, *, name: str, cause: str = "", ids: Collection[UUID] = ()) -> int:
    """Retry the failures of a name at once, only those with a cause and with these ids if given; return how
    many. Each gets as many attempts as new work. Raise `Invalid` if there are none."""
    require(by.actor, "administer", Place(None))
    chosen = _chosen(name, cause, ids)
    for row in chosen:
        _retry(by, name, row)
    return len(chosen) + _of_jobs(partial(failures_retry, by), name, cause, ids, is_rest=bool(chosen))


@transaction.atomic
def group_give_up(by: By, *, name: str, cause: str = "", ids: Collection[UUID] = (), reason: str) -> int:
    """End the attempts at the failures of a name, only those with a cause and with these ids if given; return
    how many. Raise `Invalid` if there are none or the reason is missing, and `WrongState` for the things of
    a job."""
    require(by.actor, "administer", Place(None))
    reason = reason.strip()[:MOST_REASON]
    if not reason:
        raise invalid("reason", "required")
    chosen = _chosen(name, cause, ids)
    for row in chosen:
        if isinstance(row, WebhookDelivery) and row.state == "waiting":
            row.state, row.next_at = WebhookDelivery.State.FAILED, None
            row.save(update_fields=["state", "next_at"])
        elif isinstance(row, Harvest) and row.state == Harvest.State.ACTIVE:
            row.state, row.due_at, row.version = Harvest.State.PAUSED, None, row.version + 1
            row.save(update_fields=["state", "due_at", "version"])
        trail.record(by, GIVEN_UP, row, after={"name": name}, reason=reason)
    act = partial(failures_give_up, by, reason=reason)
    return len(chosen) + _of_jobs(act, name, cause, ids, is_rest=bool(chosen))


def _of_jobs(act: object, name: str, cause: str, ids: Collection[UUID], *, is_rest: bool) -> int:
    try:
        number: int = act(name=name, which=_which(cause, ids))  # type: ignore[operator]
    except Invalid:
        if is_rest:
            return 0
        raise
    return number


def _which(cause: str, ids: Collection[UUID]) -> Which:
    chosen = frozenset(ids)

    def which(row: OutboxMessage | JobFailure) -> bool:
        return (not chosen or row.pk in chosen) and (not cause or cause_of(row.last_error) == cause)

    return which


def _chosen(name: str, cause: str, ids: Collection[UUID]) -> list[Model]:
    """Return the rows of areas that failed, locked."""
    if name not in OTHERS:
        return []
    models: dict[str, Any] = {WEBHOOKS: WebhookDelivery, HARVESTS: Harvest, IMPORTS: Import, **FILES}
    failed = {row.id for row in OTHERS[name].load() if not cause or cause_of(row.error) == cause}
    if ids:
        failed &= set(ids)
    return list(
        models[name]._default_manager.select_for_update(of=("self",)).filter(pk__in=failed).order_by("pk")
    )


def _retry(by: By, name: str, row: Model) -> None:
    if isinstance(row, WebhookDelivery):
        if row.state != "waiting":
            webhook_replay(By(by.actor, by.now), delivery_id=row.pk)
            return
        key = f"webhook:{row.pk}:{row.rounds}:{row.attempts}"
        OutboxMessage.objects.filter(key=key, done_at=None).update(due_at=by.now)
        transaction.on_commit(partial(nudge, TASKS[CALLS]), robust=True)
    elif isinstance(row, Harvest):
        row.state, row.due_at, row.failures = Harvest.State.ACTIVE, by.now, 0
        row.version += 1
        row.save(update_fields=["state", "due_at", "failures", "version"])
        transaction.on_commit(partial(nudge, TASK), robust=True)
    elif isinstance(row, Import):
        import_retry(import_id=row.pk)
    elif isinstance(row, FileJob):
        row.state, row.attempts, row.ended_at = FileJob.State.WAITING, 0, None
        row.save(update_fields=["state", "attempts", "ended_at"])
    trail.record(by, "failure.retry", row, after={"name": name})
