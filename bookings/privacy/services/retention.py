"""Removing what has been kept as long as it is to be (bookings/record/domain/retention.py)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import (
    ApiToken,
    FileJob,
    IdempotencyKey,
    Invitation,
    JobFailure,
    JobRun,
    Message,
    OutboxMessage,
)
from accounts.services.file_jobs import files_clear
from bookings.audit.models import TrailBundle
from bookings.messaging.models import WebhookDelivery
from bookings.plans.models import WaitingOffer
from bookings.pricing.models import Quote
from bookings.record.domain.retention import RETENTION
from bookings.record.models import Reservation
from bookings.statistics.models import HoursExport
from instruments.models import Fetching, Import, ImportChunk, ImportRow

AT_ONCE = 5000  # rows of a transaction


def records_remove(*, now: datetime) -> dict[str, int]:
    """Remove what has been kept long enough; return how many of each kind there were. Running it
    twice, half or on several workers comes to the same."""
    removed = {}
    # Those with files last: while these cannot be reached, everything else goes all the same.
    for kept in sorted(RETENTION, key=lambda kept: kept.kind in _WITH_FILES):
        if model := _WITH_FILES.get(kept.kind):
            count = files_clear(model=model, before=now - kept.span)
        else:
            count = sum(_remove(rows) for rows in _PAST[kept.kind](now - kept.span))
        if count:
            removed[kept.kind] = count
    return removed


def _remove(rows: QuerySet[Any]) -> int:
    """Delete rows in parts, so that nobody waits for a lock of many; what another has in hand is
    left."""
    removed = 0
    while True:
        with transaction.atomic():
            locked = rows.select_for_update(of=("self",), skip_locked=True)
            ids = list(locked.values_list("pk", flat=True)[:AT_ONCE])
            if not ids:
                return removed
            rows.model._default_manager.filter(pk__in=ids).delete()
            removed += len(ids)


def _holds(before: datetime) -> QuerySet[Reservation]:
    """Slots that were kept while somebody filled in a form, and came to nothing: a booking has a
    quote, an offer of the waiting list has its wish."""
    return Reservation.objects.filter(
        ~Exists(Quote.objects.filter(reservation=OuterRef("pk"))),
        ~Exists(WaitingOffer.objects.filter(reservation=OuterRef("pk"))),
        state__in=["expired", "cancelled"],
        confirmed_at=None,
        ended_at__lt=before,
    )


def _import_rows(before: datetime) -> list[QuerySet[Any]]:
    """Return what an import read, and its file; what became of it stays with the import."""
    ended = Import.objects.filter(ended_at__lt=before).values("pk")
    return [ImportRow.objects.filter(job__in=ended), ImportChunk.objects.filter(job__in=ended)]


def _sessions(before: datetime) -> list[QuerySet[Any]]:
    there = Session.objects.filter(session_key=OuterRef("session_key"))
    return [
        Session.objects.filter(expire_date__lt=before),
        UserSession.objects.filter(~Exists(there), last_seen_at__lt=before),
    ]


_WITH_FILES: dict[str, type[FileJob]] = {"trail-bundles": TrailBundle, "hours-exports": HoursExport}
_PAST: dict[str, Callable[[datetime], list[QuerySet[Any]]]] = {
    "outbox": lambda before: [
        OutboxMessage.objects.filter(done_at__lt=before).exclude(outcome="failed")
    ],
    "outbox-failed": lambda before: [
        OutboxMessage.objects.filter(done_at__lt=before, outcome="failed")
    ],
    "messages": lambda before: [Message.objects.filter(created_at__lt=before)],
    "idempotency-keys": lambda before: [IdempotencyKey.objects.filter(created_at__lt=before)],
    "job-runs": lambda before: [JobRun.objects.filter(started_at__lt=before)],
    "job-failures": lambda before: [JobFailure.objects.filter(last_at__lt=before)],
    "import-rows": _import_rows,
    "fetchings": lambda before: [Fetching.objects.filter(at__lt=before)],
    # With the calls of each.
    "webhook-deliveries": lambda before: [
        WebhookDelivery.objects.filter(created_at__lt=before).exclude(state="waiting")
    ],
    "holds": lambda before: [_holds(before)],
    "sessions": _sessions,
    "tokens": lambda before: [
        ApiToken.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before))
    ],
    # Those nobody took: the address in them is somebody's.
    "invitations": lambda before: [
        Invitation.objects.filter(accepted_at=None, expires_at__lt=before)
    ],
}
