"""Deliver results: expect, seal, release or withdraw a delivery, point to results kept elsewhere, and set
what a host promises."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import PLATFORM, By, Place
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.services.jobs import work_through
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservation_at_work
from bookings.results.domain import handoffs
from bookings.results.locks import lock_hand_off
from bookings.results.models import HandOff, HostStorage, ResultFile, ResultTerms
from bookings.results.selectors.handoffs import hand_off_to_fill, overdue, terms_of
from bookings.results.services.uploads import files_drop
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

PROTOCOLS = ("https", "sftp", "smb", "nfs", "globus", "s3", "other")
_HOST = re.compile(r"[\w.-]{1,253}(:\d{1,5})?")
_CHECKSUM = re.compile(r"[0-9a-fA-F]{32,128}[ \t]+\*?\S.*")
MOST_NAMED = 3  # files, in a refusal


class FilesNotReady(WrongState):
    """A delivery cannot be sealed: `count` files are not complete, still checked, or differ from their stated
    checksum; `files` names the first."""

    code = "files-not-ready"


@transaction.atomic
def hand_off_make(by: By, *, reservation_id: UUID) -> HandOff:
    """Announce the results of a booking before it is over, for the host's managers; an existing delivery is
    returned. Raises `WrongState` for a booking that does not take place."""
    reservation, _ = reservation_at_work(by.actor, reservation_id)
    require(by.actor, "operate-instruments", place_of(reservation.host, reservation.instrument))
    if reservation.state not in handoffs.HAPPENS:
        raise WrongState(state=reservation.state, wanted="confirmed")
    return _make(by, reservation)


def hand_off_expect(*, reservation_id: UUID, now: datetime) -> HandOff | None:
    """Expect results of a booking that is over, if its instrument's host delivers those of its service mode;
    return None if nothing is expected, or a delivery exists already."""
    reservation = Reservation.objects.filter(pk=reservation_id, state="completed").first()
    if reservation is None:
        return None
    if reservation.service_mode not in terms_of(reservation.instrument_id).modes:
        return None
    if HandOff.objects.filter(reservation=reservation).exists():
        return None
    with transaction.atomic():
        return _make(By(PLATFORM, now), reservation)


def _make(by: By, reservation: Reservation) -> HandOff:
    terms = terms_of(reservation.instrument_id)
    made = HandOff.objects.bulk_create(
        [
            HandOff(
                reservation=reservation,
                host_id=reservation.host_id,
                due_at=handoffs.due_at(reservation.end_at, terms.due_days),
                created_at=by.now,
                created_by_id=by.actor.user_id,
            )
        ],
        ignore_conflicts=True,
    )[0]
    row = HandOff.objects.exclude(state="withdrawn").get(reservation=reservation)
    if row.pk == made.pk:
        trail.record(by, "handoff.expect", row, after={"due_at": row.due_at})
    return row


@transaction.atomic
def hand_off_seal(by: By, *, hand_off_id: UUID) -> HandOff:
    """Seal the files: what was uploaded is what will be collected. Raises `FilesNotReady` unless every one is
    complete and matches the checksum stated by its sender."""
    row = _to_hand_over(by, hand_off_id)
    row.state = handoffs.state_after(row.state, "seal")
    files = list(ResultFile.objects.filter(hand_off=row).order_by("path"))
    missing = [file.path for file in files if file.state != ResultFile.State.CHECKED]
    if missing:
        raise FilesNotReady(count=len(missing), files=", ".join(missing[:MOST_NAMED]))
    row.manifest = handoffs.manifest_of((file.path, file.size, file.sha256) for file in files)
    row.manifest_digest = hashlib.sha256(canonical_json(row.manifest)).hexdigest()
    row.sealed_at, row.sealed_by_id = by.now, by.actor.person
    after = {
        "manifest_digest": row.manifest_digest,
        "files": len(files),
        "bytes": sum(file.size for file in files),
    }
    return _store(by, row, "handoff.seal", after)


@transaction.atomic
def hand_off_release(by: By, *, hand_off_id: UUID, note: str = "") -> HandOff:
    """Let the recipients collect sealed results, and tell them."""
    row = _to_hand_over(by, hand_off_id)
    row.state = handoffs.state_after(row.state, "release")
    row.released_at, row.note = by.now, note.strip()
    terms = terms_of(row.reservation.instrument_id)
    row.retain_until = by.now + timedelta(days=terms.keep_days)
    _tell(by, row, "ready")
    return _store(by, row, "handoff.release", {"retain_until": row.retain_until})


@transaction.atomic
def hand_off_point(
    by: By, *, hand_off_id: UUID, protocol: str, host: str, path: str, checksums: str = "", note: str = ""
) -> HandOff:
    """Record where results are that stay with the host, being too large to upload. checksums: lines as
    `sha256sum` writes them."""
    row = _to_hand_over(by, hand_off_id)
    if protocol not in PROTOCOLS:
        raise invalid("protocol", "unknown-value")
    if not _HOST.fullmatch(host):
        raise invalid("host", "not-a-host")
    if not path.strip() or not path.isprintable():
        raise invalid("path", "required")
    lines = [line for line in checksums.splitlines() if line.strip()]
    if not all(_CHECKSUM.fullmatch(line.strip()) for line in lines):
        raise invalid("checksums", "not-checksums")
    row.state = handoffs.state_after(row.state, "point")
    row.pointer_protocol, row.pointer_host, row.pointer_path = protocol, host, path.strip()
    row.pointer_checksums, row.note = "\n".join(lines), note.strip()
    row.released_at = by.now
    _tell(by, row, "ready")
    digest = hashlib.sha256(row.pointer_checksums.encode()).hexdigest()
    return _store(by, row, "handoff.point", {"protocol": protocol, "checksums": digest})


@transaction.atomic
def hand_off_withdraw(by: By, *, hand_off_id: UUID, reason: str) -> HandOff:
    """Withdraw results that were uploaded, announced or released by mistake: the files are deleted, the
    manifest stays. Another delivery can follow. Raises `WrongState` (`on-hold`) under a legal hold."""
    if not reason.strip():
        raise invalid("reason", "required")
    row = _to_hand_over(by, hand_off_id)
    row.state = handoffs.state_after(row.state, "withdraw", is_held=row.held_at is not None)
    row.ended_at = by.now
    freed = files_drop(row, ResultFile.objects.filter(hand_off=row), now=by.now)
    if row.released_at is not None:
        _tell(by, row, "withdrawn")
    return _store(by, row, "handoff.withdraw", {"bytes": freed}, reason.strip())


def _place(reservation: Reservation) -> Place:
    host = reservation.host
    return Place(host.pk, frozenset(reservation.host_region.lineage), host.closed_at is not None)


def _to_hand_over(by: By, hand_off_id: UUID) -> HandOff:
    """Lock a delivery for a manager of its host, who must have read its latest version."""
    hand_off_to_fill(by.actor, hand_off_id)
    row = lock_hand_off(hand_off_id)
    by.require_version(row.version)
    return row


def _store(by: By, row: HandOff, action: str, after: dict[str, object], reason: str = "") -> HandOff:
    before = HandOff.objects.values_list("state", flat=True).get(pk=row.pk)
    row.version += 1
    row.save()
    trail.record(by, action, row, before={"state": before}, after=after | {"state": row.state}, reason=reason)
    return row


def _tell(by: By, row: HandOff, what: str) -> None:
    about = {"hand_off": str(row.pk)}
    enqueue([Effect(f"results.{what}", f"results.{what}:{row.pk}:{row.version + 1}", about)], now=by.now)


def overdue_tell(*, now: datetime) -> int:
    """Tell hosts, once each, of results that are overdue; return how many."""
    due = HandOff.objects.filter(overdue(now), overdue_told_at=None).order_by("due_at", "pk")

    def act(hand_off_id: UUID) -> int:
        row = lock_hand_off(hand_off_id)
        if row.overdue_told_at is not None:
            return 0
        row.overdue_told_at = now
        row.save(update_fields=["overdue_told_at"])
        key = f"results.overdue:{row.pk}"
        enqueue([Effect("results.overdue", key, {"hand_off": str(row.pk)})], now=now)
        return 1

    return work_through(job="overdue results", due=due, act=act, now=now, most=500)


@transaction.atomic
def result_terms_set(
    by: By, *, instrument_id: UUID, due_days: int, keep_days: int, modes: Sequence[str]
) -> ResultTerms:
    """Set in how many days after a booking results are delivered, how long they are kept after that, and
    after which service modes they are expected; for the host's managers. Results that are announced or
    released already keep their terms."""
    instrument = instrument_to_manage(by.actor, instrument_id)
    if not 1 <= due_days <= handoffs.MOST_DUE_DAYS:
        raise invalid("due_days", "out-of-range", least=1, most=handoffs.MOST_DUE_DAYS)
    if not 1 <= keep_days <= handoffs.MOST_KEEP_DAYS:
        raise invalid("keep_days", "out-of-range", least=1, most=handoffs.MOST_KEEP_DAYS)
    if set(modes) - set(Instrument.ServiceMode.values):
        raise invalid("modes", "unknown-value")
    values = {"due_days": due_days, "keep_days": keep_days, "modes": sorted(set(modes))}
    old = terms_of(instrument_id)
    before = {name: getattr(old, name) for name in values}
    row, _ = ResultTerms.objects.update_or_create(pk=instrument_id, defaults=values)
    trail.record(by, "instrument.result-terms", instrument, before=before, after=values)
    return row


@transaction.atomic
def storage_set(by: By, *, organisation_id: UUID, quota: int | None) -> HostStorage:
    """Set how many bytes a host may store here (None: the usual limit), as an administrator. Stored files
    stay, even if they exceed it."""
    require(by.actor, "administer", Place(None))
    host = visible(Organisation.objects.select_related("region"), pk=organisation_id)
    if quota is not None and not 0 <= quota < 2**60:
        raise invalid("quota", "out-of-range", least=0, most=2**60 - 1)
    row, _ = HostStorage.objects.select_for_update().get_or_create(pk=host.pk)
    before, row.quota = row.quota, quota
    row.save(update_fields=["quota"])
    trail.record(by, "organisation.result-storage", host, before={"quota": before}, after={"quota": quota})
    return row
