"""Request addresses of others again and again, to learn what is new.

A worker claims an address in a short transaction, requests it outside of any transaction, and stores the
outcome under the row's lock only if the claim is still its own. The claim of a worker that dies expires; one
that finishes too late changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.adapters.calling import Limits, RemoteResponse, Resolve, call
from accounts.domain.addresses import AddressRefused
from accounts.models.keys import new_id
from instruments.exchange.adapters import oai
from instruments.exchange.models import PolledAddress

LEASE = timedelta(minutes=10)  # far longer than the limits let a request last
LONGEST_LIST = 360  # seconds after which no further part of a list is asked


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


def list_ask(
    row: PolledAddress, first: RemoteResponse, *, limits: Limits, resolve: Resolve
) -> RemoteResponse:
    """Return the records of PIDINST in a list of OAI-PMH as one file, following it from its first part to the
    last. Each part is asked like any other address. The parts have no version in common, so none is
    remembered. Raise `AddressRefused` as `address_ask`, and `FileRefused` for what is no such list."""
    whole = cast(BinaryIO, SpooledTemporaryFile(max_size=1 << 20))  # noqa: SIM115 - handed on
    ends, seen = monotonic() + LONGEST_LIST, {""}
    answer = first
    try:
        whole.write(b"<instruments>\n")
        while True:
            with answer.body:
                token = oai.copy_records(answer.body, whole, "instrument")
            if whole.tell() > limits.size:
                raise AddressRefused("answer-too-large", megabytes=max(1, limits.size // 1024**2))
            if not token:
                break
            if token in seen:  # it would go round for ever
                raise AddressRefused("answer-broken")
            if monotonic() > ends:
                raise AddressRefused("too-slow", seconds=LONGEST_LIST)
            seen.add(token)
            query = urlencode({"verb": "ListRecords", "resumptionToken": token})
            address = urlsplit(row.address)._replace(query=query).geturl()
            answer = call(address, limits=limits, loopback=settings.CALLS_LOOPBACK, resolve=resolve)
            if answer.status != 200:
                answer.body.close()
                raise AddressRefused("answer-status", status=answer.status)
        whole.write(b"</instruments>\n")
    except BaseException:
        whole.close()
        raise
    size = whole.tell()
    whole.seek(0)
    return RemoteResponse(200, {}, whole, size, first.address)


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
