"""Addresses of others that are asked again and again for what is new.

A worker claims one in a short transaction, asks it outside of any, and stores the outcome under the
row's lock only if the claim is still its own. A worker that dies lets its claim run out; one that
comes too late changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.adapters.calling import Answer, Limits, Resolve, call
from accounts.domain.addresses import AddressRefused
from accounts.models.keys import new_id
from instruments.models import PolledAddress

LEASE = timedelta(minutes=10)  # far longer than limits let one last


@transaction.atomic
def address_claim[P: PolledAddress](
    rows: QuerySet[P],
    again_at: Callable[[int, datetime], datetime | None],
    most: int,
    now: datetime,
    **stopped: Any,
) -> P | None:
    """Claim the one of these that is due longest. It counts as failed until an outcome is stored:
    what ends its worker waits longer each time. `most`: failures that are counted; `stopped`:
    fields to set where nothing came of the claim before."""
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
) -> Answer | None:
    """What the address answers; None where it has nothing new, which is not asked `anew`.
    `AddressRefused` where it cannot be reached or answers with another status than 200."""
    known = {} if anew else {"If-None-Match": row.etag, "If-Modified-Since": row.modified}
    known = {name: value for name, value in known.items() if value}
    answer = call(
        row.address,
        headers=headers | known,
        limits=limits,
        loopback=settings.CALLS_LOOPBACK,
        resolve=resolve,
    )
    if answer.status == 200:
        return answer
    answer.body.close()
    if answer.status == 304 and known:
        return None
    raise AddressRefused("answer-status", status=answer.status)


def address_release[P: PolledAddress](rows: QuerySet[P], claimed: P) -> P | None:
    """Lock a claimed row and take the claim from it, for the caller to save; None where the claim
    is not this worker's any more."""
    row = (
        rows.select_for_update(no_key=True, of=("self",))
        .filter(pk=claimed.pk, claim=claimed.claim)
        .first()
    )
    if row is not None:
        row.claim = row.claimed_until = None
    return row


def address_remember(row: PolledAddress, answer: Answer) -> None:
    """Note what an answer says of its version, to ask next time whether there is another."""
    row.etag = _header(answer.headers.get("etag", ""))
    row.modified = _header(answer.headers.get("last-modified", ""))


def _header(text: str) -> str:
    return text if len(text) <= 200 and text.isascii() and text.isprintable() else ""
