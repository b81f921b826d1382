"""Request addresses of others again and again, to learn what is new.

A worker claims an address in a short transaction, requests it outside of any transaction, and stores the
outcome under the row's lock only if the claim is still its own. The claim of a worker that dies expires; one
that finishes too late changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.adapters.calling import Limits, RemoteResponse, Resolve, call
from accounts.domain.addresses import AddressRefused
from accounts.models.keys import new_id
from instruments.exchange.models import PolledAddress

LEASE = timedelta(minutes=10)  # far longer than the limits let a request last


@transaction.atomic
def address_claim[P: PolledAddress](
    rows: QuerySet[P],
    again_at: Callable[[int, datetime], datetime | None],
    most: int,
    now: datetime,
    **stopped: Any,
) -> P | None:
    """Claim and return the row that has been due longest; None if none is due. It counts as failed until an
    outcome is stored, so that an address that kills its worker waits longer each time. `most`: the highest
    number of failures counted; `stopped`: fields to set if the claim before left no outcome."""
    row = (
        rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(Q(claimed_until=None) | Q(claimed_until__lte=now), due_at__lte=now)
        .order_by("due_at", "pk")
        .first()
    )
    if row is None:
        return None
    for name, value in stopped.items() if row.claim else ():
        setattr(row, name, value)
    row.failures = min(row.failures + 1, most)
    row.due_at = again_at(row.failures, now)
    row.claim, row.claimed_until = new_id(), now + LEASE
    row.save(update_fields=["failures", "due_at", "claim", "claimed_until", *stopped])
    return row


def address_ask(
    row: PolledAddress, *, limits: Limits, resolve: Resolve, anew: bool = False, **headers: str
) -> RemoteResponse | None:
    """Request an address and return its answer, or None if nothing has changed (`anew` requests it
    unconditionally). Raise `AddressRefused` if it cannot be reached or answers with a status other than
    200."""
    known = {} if anew else {"If-None-Match": row.etag, "If-Modified-Since": row.modified}
    known = {name: value for name, value in known.items() if value}
    answer = call(
        row.address, headers=headers | known, limits=limits, loopback=settings.CALLS_LOOPBACK, resolve=resolve
    )
    if answer.status == 200:
        return answer
    answer.body.close()
    if answer.status == 304 and known:
        return None
    raise AddressRefused("answer-status", status=answer.status)


def address_release[P: PolledAddress](rows: QuerySet[P], claimed: P) -> P | None:
    """Lock a claimed row and clear its claim, for the caller to save; None if this worker no longer holds
    it."""
    row = rows.select_for_update(no_key=True, of=("self",)).filter(pk=claimed.pk, claim=claimed.claim).first()
    if row is not None:
        row.claim = row.claimed_until = None
    return row


def address_remember(row: PolledAddress, answer: RemoteResponse) -> None:
    """Set the row's `etag` and `modified` from an answer, so that the next request can be conditional."""
    row.etag = _header(answer.headers.get("etag", ""))
    row.modified = _header(answer.headers.get("last-modified", ""))


def _header(text: str) -> str:
    return text if len(text) <= 200 and text.isascii() and text.isprintable() else ""
