"""Upload the files of a delivery: begin a file, receive it piece by piece, check it, and remove it."""

import hashlib
import re
import zlib
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, F, Q, Value

from accounts import trail
from accounts.domain.errors import NotFound, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue, nudge
from accounts.selectors.rows import visible
from accounts.services.jobs import work_alone, work_through
from bookings.results.adapters.stores import file_receive, name_of, sums_of
from bookings.results.domain.handoffs import MOST_FILES, OPEN, may, state_after, upload_ends
from bookings.results.domain.paths import folders_of, path_key, path_of
from bookings.results.locks import lock_hand_off
from bookings.results.models import HandOff, HostStorage, ResultFile
from bookings.results.selectors.handoffs import hand_off_to_fill

State = ResultFile.State
_SHA256 = re.compile(r"[0-9a-f]{64}")


class OffsetDiffers(Refused):
    """A piece does not begin where the file ends so far, which is at `offset`."""

    code = "offset-differs"


class UploadBusy(Refused):
    """Another request is writing to the same file."""

    code = "upload-busy"


class StorageFull(Refused):
    """A file is larger than the storage that the host has left; `left` is in bytes."""

    code = "storage-full"


@transaction.atomic
def upload_begin(by: By, *, hand_off_id: UUID, path: str, size: int, sha256: str = "") -> ResultFile:
    """Begin a file of a size, for the host's managers; its space in the host's storage is reserved before the
    first byte. An empty file is complete at once.

    Raises `Invalid` (path, size or sha256), `WrongState` (`path-taken`, `too-many-files`, or the delivery
    takes no files), `StorageFull`.
    """
    path = path_of(path)
    if sha256 and not _SHA256.fullmatch(sha256):
        raise invalid("sha256", "not-a-digest")
    if not 0 <= size <= settings.RESULTS_MOST_BYTES:
        raise invalid("size", "out-of-range", least=0, most=settings.RESULTS_MOST_BYTES)
    hand_off_to_fill(by.actor, hand_off_id)
    hand_off = lock_hand_off(hand_off_id)
    state = state_after(hand_off.state, "upload")
    key = path_key(path)
    others = ResultFile.objects.filter(hand_off=hand_off)
    clash = Q(path_key__in=[key, *folders_of(key)]) | Q(path_key__startswith=f"{key}/")
    if other := others.filter(clash).first():
        raise WrongState("path-taken", path=other.path, upload=str(other.pk))
    if others.count() >= MOST_FILES:
        raise WrongState("too-many-files", most=MOST_FILES)
    storage_reserve(hand_off.host_id, size)
    row = ResultFile(
        id=new_id(),
        hand_off=hand_off,
        path=path,
        path_key=key,
        size=size,
        sha256_stated=sha256,
        uploaded_by_id=by.actor.person,
        created_at=by.now,
        expires_at=upload_ends(by.now, by.now),
    )
    row.storage = name_of(hand_off.pk, row.pk)
    if not size:
        _take(row, b"", by.now)
    row.save(force_insert=True)
    if hand_off.state != state:
        hand_off.state = state
        hand_off.save(update_fields=["state"])
    return row


def upload_by_id(actor: Actor, file_id: UUID) -> ResultFile:
    """Return a file to which the actor may upload. Raise `NotFound`, `NotPermitted`; `WrongState` if its
    delivery takes no more files."""
    row = visible(ResultFile.objects, pk=file_id)
    row.hand_off = hand_off_to_fill(actor, row.hand_off_id)
    if row.hand_off.state not in OPEN:
        raise WrongState(state=row.hand_off.state, wanted="uploading")
    return row


@transaction.atomic
def upload_write(by: By, *, file_id: UUID, at: int, data: bytes) -> ResultFile:
    """Append a piece to a file; it is on disk when this returns.

    Raises `OffsetDiffers`, `UploadBusy` while another request writes, `Invalid` for more bytes than the
    file's size, `WrongState` (`upload-lost`: the store lost bytes, so the file must be started again).
    """
    upload_by_id(by.actor, file_id)
    row = ResultFile.objects.select_for_update(skip_locked=True).filter(pk=file_id).first()
    if row is None:
        if ResultFile.objects.filter(pk=file_id).exists():
            raise UploadBusy
        raise NotFound
    if at != row.received:
        raise OffsetDiffers(offset=row.received)
    if at + len(data) > row.size:
        raise invalid("", "too-large", most=row.size - at)
    if row.state == State.UPLOADING:
        _take(row, data, by.now)
        row.save()
    return row


def _take(row: ResultFile, data: bytes, now: datetime) -> None:
    """Store a piece and update the file. A file that came in one piece is checked at once, a longer one by
    the job."""
    is_first = row.received == 0
    file_receive(row, data)
    row.expires_at = upload_ends(row.created_at, now)
    if row.received < row.size:
        return
    row.state, row.expires_at = State.CHECKING, None
    if is_first:
        _check(row, hashlib.sha256(data).hexdigest(), zlib.crc32(data))
    else:
        task = "bookings.tasks.check_results"
        transaction.on_commit(partial(nudge, task), robust=True)


def _check(row: ResultFile, digest: str, crc: int) -> None:
    row.sha256, row.crc32 = digest, crc
    is_right = row.sha256_stated in {"", digest}
    row.state = State.CHECKED if is_right else State.DIFFERS


def files_check(*, now: datetime) -> int:
    """Compute the SHA-256 of complete files from what is stored; return how many. This is not done in a
    transaction, as it takes as long as reading the file."""
    due = ResultFile.objects.filter(state=State.CHECKING).order_by("created_at", "pk")
    return work_alone(job="check results", due=due, act=_check_stored, now=now, most=1000)


def _check_stored(row: ResultFile) -> int:
    _check(row, *sums_of(row))
    waiting = ResultFile.objects.filter(pk=row.pk, state=State.CHECKING)
    return waiting.update(sha256=row.sha256, crc32=row.crc32, state=row.state)


@transaction.atomic
def file_remove(by: By, *, file_id: UUID) -> None:
    """Remove a file, complete or not, before its delivery is sealed, and release its space."""
    row = upload_by_id(by.actor, file_id)
    hand_off = lock_hand_off(row.hand_off_id)
    if hand_off.state not in OPEN:
        raise WrongState(state=hand_off.state, wanted="uploading")
    _remove(by, hand_off, file_id)


def _remove(by: By, hand_off: HandOff, file_id: UUID) -> int:
    """Remove a file and return how many were removed; the caller has locked the delivery."""
    row = ResultFile.objects.filter(hand_off=hand_off, pk=file_id).first()
    if row is None:
        return 0
    removed = {"path": row.path, "size": row.size, "received": row.received}
    files_drop(hand_off, [row], now=by.now)
    if not ResultFile.objects.filter(hand_off=hand_off).exists() and may(hand_off.state, "empty"):
        hand_off.state = state_after(hand_off.state, "empty")
        hand_off.save(update_fields=["state"])
    trail.record(by, "handoff.file-remove", hand_off, before=removed)
    return 1


def files_drop(hand_off: HandOff, files: Iterable[ResultFile], *, now: datetime) -> int:
    """Delete files and release their space; return the number of bytes. The caller has locked the delivery.
    The manifest stays. The store deletes them only after the transaction is committed."""
    # From here on nobody writes to these files.
    held = ResultFile.objects.select_for_update().filter(pk__in=[row.pk for row in files])
    rows = list(held.order_by("pk"))
    effects = [
        Effect(
            "resultfile.drop",
            f"resultfile.drop:{row.pk}",
            {"storage": row.storage, "upload_id": row.upload_id},
        )
        for row in rows
    ]
    freed = sum(row.size for row in rows)
    ResultFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    enqueue(effects, now=now)
    storage_free(hand_off.host_id, freed)
    return freed


def uploads_expire(*, now: datetime) -> int:
    """Remove files that got no byte for a week, or are not complete after thirty days; return how many."""
    due = ResultFile.objects.filter(expires_at__lte=now).order_by("expires_at", "pk")

    def act(file_id: UUID) -> int:
        row = ResultFile.objects.filter(pk=file_id).first()
        if row is None:
            return 0
        hand_off = lock_hand_off(row.hand_off_id)
        row.refresh_from_db(fields=["expires_at"])
        if row.expires_at is None or row.expires_at > now:
            return 0
        return _remove(By(PLATFORM, now), hand_off, file_id)

    return work_through(job="expire uploads", due=due, act=act, now=now, most=500)


def storage_reserve(organisation_id: UUID, size: int) -> None:
    """Reserve space for a file of a host; raise `StorageFull` if there is too little. One statement decides,
    so that two files at once never exceed the limit."""
    HostStorage.objects.bulk_create([HostStorage(organisation_id=organisation_id)], ignore_conflicts=True)
    usual = settings.RESULTS_QUOTA
    mine = HostStorage.objects.filter(pk=organisation_id)
    fits = Q(quota=None, reserved__lte=usual - size) | Q(reserved__lte=F("quota") - _big(size))
    if not mine.filter(fits).update(reserved=F("reserved") + _big(size)):
        row = mine.get()
        quota = usual if row.quota is None else row.quota
        raise StorageFull(left=max(0, quota - row.reserved), size=size)


def storage_free(organisation_id: UUID, size: int) -> None:
    """Release space in a host's storage that was reserved for a file."""
    mine = HostStorage.objects.filter(pk=organisation_id)
    mine.update(reserved=F("reserved") - _big(size))


def _big(size: int) -> Value:
    """Return a number to use with a column; without its type, numbers from 2 GiB on would become negative."""
    return Value(size, BigIntegerField())
