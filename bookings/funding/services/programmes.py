"""Creating, changing, suspending and resuming the voucher programmes of a region."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, Region
from bookings.funding.domain.programmes import ProgrammeTerms, require_programme
from bookings.funding.locks import lock_programme
from bookings.funding.selectors.programmes import programmes_for
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.pricing.selectors.agreements import coordinates
from bookings.pricing.services.codes import coded_save
from instruments.reading.domain.clock import local_date

KINDS = frozenset(Organisation.Kind.values)
MOST_REASON = 500
FIELDS = tuple(field.name for field in fields(ProgrammeTerms))


@transaction.atomic
def programme_create(by: By, *, region: Region, terms: ProgrammeTerms) -> VoucherProgramme:
    """Create a programme for a region's organisations. Raises `NotPermitted` unless the actor coordinates the
    region."""
    if not coordinates(by.actor, region):
        raise NotPermitted(capability="coordinate")
    if not region.shares:
        raise invalid("region", "region-does-not-share")
    _check(region, terms, by.now)
    row = VoucherProgramme(region=region, created_by_id=by.actor.person, created_at=by.now, **_fields(terms))
    coded_save(row)
    trail.record(by, "programme.create", row, after=_fields(terms))
    return row


@transaction.atomic
def programme_change(by: By, *, programme_id: UUID, changes: dict[str, Any]) -> VoucherProgramme:
    """Change the terms for bookings to come; existing ones keep what they were quoted. `changes` are fields
    of `ProgrammeTerms`. The budget cannot go below what has been granted; currency and code cannot change
    once anything has been granted (`granted-already`)."""
    row = programme_locked(by, programme_id)
    old = _terms(row)
    new = replace(old, **changes)
    if new == old:
        return row
    for name in ("currency", "code"):
        is_new = getattr(new, name) != getattr(old, name)
        if is_new and VoucherGrant.objects.filter(programme=row).exists():
            raise invalid(name, "granted-already")
    _check(row.region, new, by.now, row=row)
    was = _fields(old)
    changed = {name: value for name, value in _fields(new).items() if value != was[name]}
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    coded_save(row, is_new=False)
    before = {name: was[name] for name in changed}
    trail.record(by, "programme.change", row, before=before, after=changed)
    return row


@transaction.atomic
def programme_suspend(by: By, *, programme_id: UUID, reason: str = "") -> VoucherProgramme:
    """Suspend a programme: it covers no new bookings; money reserved for bookings stays reserved."""
    row = programme_locked(by, programme_id)
    suspension_set(by, row, "programme.suspend", reason)
    return row


@transaction.atomic
def programme_resume(by: By, *, programme_id: UUID) -> VoucherProgramme:
    """Let the grants of a suspended programme cover bookings again."""
    row = programme_locked(by, programme_id)
    suspension_set(by, row, "programme.resume")
    return row


def programme_locked(by: By, programme_id: UUID) -> VoucherProgramme:
    """Lock a programme, with its region. Raise `NotFound` if the actor may not see it, `NotPermitted` unless
    they coordinate the region."""
    row = lock_programme(programmes_for(by.actor), programme_id)
    if not coordinates(by.actor, row.region):
        raise NotPermitted(capability="coordinate")
    by.require_version(row.version)
    return row


def suspension_set(by: By, row: VoucherProgramme | VoucherGrant, action: str, reason: str = "") -> None:
    """Suspend or resume a locked programme or grant; `action` is the trail's name for this. Raises
    `WrongState` if that is its state already."""
    is_suspended = action.endswith(".suspend")
    if (row.suspended_at is not None) == is_suspended:
        state = "suspended" if is_suspended else "open"
        raise WrongState(state=state, wanted=state)
    require_reason(reason)
    row.suspended_at = by.now if is_suspended else None
    row.version += 1
    row.save(update_fields=["suspended_at", "version"])
    trail.record(by, action, row, after={"suspended": is_suspended}, reason=reason.strip())


def require_reason(reason: str) -> None:
    if len(reason) > MOST_REASON:
        raise invalid("reason", "too-long", most=MOST_REASON)


def _check(region: Region, terms: ProgrammeTerms, now: datetime, row: VoucherProgramme | None = None) -> None:
    is_new_end = row is None or row.valid_until != terms.valid_until
    require_programme(
        terms,
        kinds=KINDS,
        regions=set(Region.objects.filter(pk__in=terms.host_regions).values_list("pk", flat=True)),
        granted=row.granted if row else 0,  # type: ignore[arg-type]
        today=local_date(ZoneInfo(region.time_zone), now) if is_new_end else None,
    )


def _fields(terms: ProgrammeTerms) -> dict[str, Any]:
    """Return the terms of a programme as fields of its row."""
    return {
        **{name: getattr(terms, name) for name in FIELDS},
        "name": terms.name.strip(),
        "name_zh": terms.name_zh.strip(),
        "payer_kinds": list(terms.payer_kinds),
        "host_regions": list(terms.host_regions),
    }


def _terms(row: VoucherProgramme) -> ProgrammeTerms:
    values: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
    lists = {name: tuple(values[name]) for name in ("payer_kinds", "host_regions")}
    return ProgrammeTerms(**values | lists)
