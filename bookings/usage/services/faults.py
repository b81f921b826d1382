"""Faults that people report, and the decisions of their instruments' managers."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import NotFound, NotPermitted, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from bookings.record.locks import lock_person
from bookings.usage.models import FaultNote, FaultReport, Kiosk
from bookings.usage.selectors.faults import faults_for, may_report, repairers_of
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from instruments.attachments.adapters.files import file_put, files_delete
from instruments.attachments.adapters.pictures import photo_of
from instruments.attachments.domain.attachments import PHOTO, kind_of
from instruments.register.locks import lock_managed, lock_seen
from instruments.register.models import Instrument

MOST_NOTES, NOTES_PER = 10, timedelta(days=1)  # of one person
LONGEST = 1000
MOST_COST = 10**11


OPERATE = "operate-instruments"


class TooManyFaults(Refused):
    """The person has reported as many faults as are allowed in a day."""

    code = "too-many-faults"


def fault_report(
    by: By, *, instrument_id: UUID, severity: str, text: str = "", photo: bytes | None = None
) -> FaultReport:
    """Report a fault, or join the report that is open: then the text may be empty ("me too"), and its
    severity becomes the worst stated. The host's managers are told of a new one, and of one that has become
    worse.

    For everybody who may book the instrument, manages it or has used it. Raises `Invalid`, `TooManyFaults`. A
    photo is processed and stored without holding the instrument's lock.
    """
    note = FaultNote(user_id=by.actor.person, text=text.strip(), severity=severity, created_at=by.now)
    return _report(by, instrument_id, note, photo)


def fault_report_at_kiosk(
    kiosk: Kiosk, *, instrument_id: UUID, severity: str, text: str, now: datetime
) -> FaultReport:
    """Report a fault of one of a kiosk's instruments, as somebody who stands before it and is not named.
    Raise `NotFound` for another instrument, `Invalid` without a text, `TooManyFaults` after too many of that
    instrument in a day."""
    if not kiosk.instruments.filter(pk=instrument_id).exists():
        raise NotFound
    note = FaultNote(kiosk=kiosk, text=text.strip(), severity=severity, created_at=now)
    return _report(By(PLATFORM, now), instrument_id, note, None)


def _report(by: By, instrument_id: UUID, note: FaultNote, photo: bytes | None) -> FaultReport:
    """Check and store a note, with its photo if there is one."""
    if note.severity not in FaultReport.Severity.values:
        raise invalid("severity", "unknown-value")
    if len(note.text) > LONGEST:
        raise invalid("text", "too-long", most=LONGEST)
    if not photo:
        return _store(by, instrument_id, note)
    with transaction.atomic():  # no file is stored for a report that is refused
        _check(by, instrument_id, note)
    if kind_of(photo) != PHOTO:
        raise invalid("file", "unknown-file")
    picture = photo_of(photo)
    note.has_photo = True
    try:
        file_put(note.pk, "large", picture.large)
        file_put(note.pk, "small", picture.small)
        return _store(by, instrument_id, note)
    except BaseException:  # whatever happened, nothing refers to the files
        with suppress(OSError):
            files_delete(note.pk, PHOTO)
        raise


def _check(by: By, instrument_id: UUID, note: FaultNote) -> tuple[Instrument, FaultReport | None]:
    """Lock the instrument, and the person or the kiosk; return the instrument and its open report, if any."""
    instrument = lock_seen(by, instrument_id)
    if note.kiosk_id is None and not may_report(by.actor, instrument):
        raise NotPermitted
    if instrument.publication == Instrument.Publication.RETIRED:
        raise WrongState("instrument-retired")
    fault = instrument.faults.filter(state=FaultReport.State.OPEN).first()
    writer = {"user": note.user_id} if note.kiosk_id is None else {"kiosk": note.kiosk_id}
    is_new = fault is None or note.kiosk_id is not None or fault.notes.filter(**writer).exists()
    if is_new and not note.text:
        raise invalid("text", "required")
    # Reports of other instruments at the same moment count too.
    if note.kiosk_id is None:
        lock_person(by.actor.person)
    else:
        Kiosk.objects.select_for_update(no_key=True).get(pk=note.kiosk_id)
    recent = FaultNote.objects.filter(**writer, created_at__gt=by.now - NOTES_PER)
    if note.kiosk_id is not None:  # one instrument does not use up what the others of the kiosk may report
        recent = recent.filter(fault__instrument=instrument)
    if recent.count() >= MOST_NOTES:
        raise TooManyFaults(most=MOST_NOTES)
    return instrument, fault


@transaction.atomic
def _store(by: By, instrument_id: UUID, note: FaultNote) -> FaultReport:
    instrument, fault = _check(by, instrument_id, note)
    worse = FaultReport.Severity.UNUSABLE
    if fault is None:
        fault, kind = FaultReport(instrument=instrument, created_at=by.now), "reported"
        fault.severity = note.severity
        fault.save(force_insert=True)
    else:
        is_worse = note.severity == worse and fault.severity != worse
        kind = "worse" if is_worse else ""
        fault.severity = worse if is_worse else fault.severity
        fault.version += 1
        fault.save(update_fields=["severity", "version"])
    note.fault = fault
    note.save(force_insert=True)
    trail.record(
        by,
        "fault.report" if kind == "reported" else "fault.join",
        fault,
        after={"instrument": instrument.pk, "severity": fault.severity}
        | ({"kiosk": note.kiosk_id} if note.kiosk_id else {}),
    )
    if kind:
        _tell(by, fault, kind)
    return fault


@transaction.atomic
def fault_confirm(
    by: By, *, fault_id: UUID, outage: Outage | None = None, displace: bool = False,
    reason: str = "",
) -> FaultReport:  # fmt: skip
    """Confirm a report, for the host's managers: with a closure, made by `closure_create` (which may refuse
    it), or as a note alone. Everybody who reported it is told, and the reason stands as a known issue on the
    instrument's pages.

    A report alone waives nobody's late fee: only when it is confirmed does the fault count, like any
    breakdown.
    """
    instrument, fault = _lock(by, fault_id, FaultReport.State.OPEN)
    if outage is not None:
        reason = reason or outage.reason
        fault.closure = closure_create(
            by, instrument_id=instrument.pk, outage=outage, displace=displace, capability=OPERATE
        )
    _decide(by, fault, FaultReport.State.CONFIRMED, reason)
    return fault


@transaction.atomic
def fault_dismiss(by: By, *, fault_id: UUID, reason: str) -> FaultReport:
    """Dismiss a fault report, for the host's managers, with a reason that is sent to everybody who reported
    it."""
    _, fault = _lock(by, fault_id, FaultReport.State.OPEN)
    if not reason.strip():
        raise invalid("reason", "required")
    _decide(by, fault, FaultReport.State.DISMISSED, reason)
    return fault


@transaction.atomic
def fault_assign(by: By, *, fault_id: UUID, person: UUID | None) -> FaultReport:
    """Name the manager of the host who sees to a fault, or nobody, for the host's managers. Whoever is named
    by somebody else is told. Raises `Invalid` if they do not manage the host's instruments."""
    _, fault = _lock(by, fault_id, FaultReport.State.OPEN, FaultReport.State.CONFIRMED)
    if person is not None and not repairers_of(fault).filter(pk=person).exists():
        raise invalid("person", "unknown-value")
    if person == fault.assignee_id:
        return fault
    before, fault.assignee_id = fault.assignee_id, person
    fault.version += 1
    fault.save(update_fields=["assignee", "version"])
    trail.record(by, "fault.assign", fault, before={"assignee": before}, after={"assignee": person})
    if person not in (None, by.actor.person):
        about = {"fault": str(fault.pk)}
        enqueue([Effect("fault.assigned", f"fault.assigned:{fault.pk}:{fault.version}", about)], now=by.now)
    return fault


@transaction.atomic
def fault_repair(by: By, *, fault_id: UUID, repair: str, cost: Decimal | None = None) -> FaultReport:
    """Say that a confirmed fault is repaired, for the host's managers: it is a known issue no longer, a
    closure made for it that still stands ends now (one that has not begun is withdrawn), and everybody who
    reported it is told. `cost` is in the currency of the host's region."""
    instrument, fault = _lock(by, fault_id, FaultReport.State.CONFIRMED)
    repair = repair.strip()
    if not repair:
        raise invalid("repair", "required")
    if len(repair) > LONGEST:
        raise invalid("repair", "too-long", most=LONGEST)
    currency = instrument.region.currency
    digits = MINOR_DIGITS.get(currency, 2)
    if cost is not None and not 0 <= cost < MOST_COST:
        raise invalid("cost", "out-of-range", least=0, most=MOST_COST)
    if cost is not None and cost != round(cost, digits):
        raise invalid("cost", "too-many-decimals", decimals=digits)
    closure = fault.closure
    if closure is not None and closure.start_at > by.now:
        fault.closure = None
        fault.save(update_fields=["closure"])
        closure_delete(replace(by, version=None), closure_id=closure.pk, capability=OPERATE)
    elif closure is not None and (closure.end_at is None or closure.end_at > by.now):
        end = max(by.now, closure.start_at + timedelta.resolution)  # it has begun, if only at this moment
        fault.closure = closure_end(
            replace(by, version=None), closure_id=closure.pk, end=end, capability=OPERATE
        )
    fault.state, fault.repair, fault.repaired_at = "repaired", repair, by.now
    fault.cost, fault.currency = cost, "" if cost is None else currency
    fault.version += 1
    fault.save()
    after = {"instrument": instrument.pk, "cost": cost}
    trail.record(by, "fault.repair", fault, after=after, reason=repair[:500])
    _tell(by, fault, FaultReport.State.REPAIRED)
    return fault


def _lock(by: By, fault_id: UUID, *states: str) -> tuple[Instrument, FaultReport]:
    unlocked = visible(faults_for(by.actor), pk=fault_id)
    instrument = lock_managed(by, unlocked.instrument_id, OPERATE)
    fault = visible(FaultReport.objects.select_related("instrument__region", "closure"), pk=fault_id)
    by.require_version(fault.version)
    if fault.state not in states:
        is_open = fault.state == FaultReport.State.OPEN
        raise WrongState("fault-not-confirmed" if is_open else "fault-decided")
    return instrument, fault


def _decide(by: By, fault: FaultReport, state: str, reason: str) -> None:
    reason = reason.strip()
    if len(reason) > 500:
        raise invalid("reason", "too-long", most=500)
    fault.state, fault.reason = state, reason
    fault.decided_by_id, fault.decided_at = by.actor.person, by.now
    fault.version += 1
    fault.save()
    after = {"instrument": fault.instrument_id, "closure": fault.closure_id}
    is_confirmed = state == FaultReport.State.CONFIRMED
    action = "fault.confirm" if is_confirmed else "fault.dismiss"
    trail.record(by, action, fault, after=after, reason=reason)
    _tell(by, fault, state)


def _tell(by: By, fault: FaultReport, what: str) -> None:
    about = {"fault": str(fault.pk)}
    enqueue([Effect(f"fault.{what}", f"fault.{what}:{fault.pk}", about)], now=by.now)


def faults_forget(by: By, *, user: User) -> None:
    """Delete the photos that somebody who leaves for good has added to reports; their texts are the host's
    records and stay, under a pseudonym."""
    notes = FaultNote.objects.filter(user=user, has_photo=True)
    for pk in list(notes.values_list("pk", flat=True)):
        transaction.on_commit(partial(files_delete, pk, PHOTO), robust=True)
    notes.update(has_photo=False)
