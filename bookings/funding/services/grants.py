"""Grants of a voucher programme: created, raised and lowered, suspended, resumed.

The sum of the grants is kept on their programme, which is locked before them, so that two coordinators never
grant the same money twice. Bookings reserve money of a grant under the grant's own lock
(`funding/services/earmarks.py`).
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from accounts import trail
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.selectors.organisations import organisation_region_on, require_open
from bookings.funding.domain import programmes
from bookings.funding.locks import lock_grant
from bookings.funding.selectors.programmes import grants_for
from bookings.funding.services.programmes import programme_locked, require_reason, suspension_set
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.pricing.selectors.agreements import coordinates
from bookings.pricing.services.codes import coded_save
from instruments.reading.domain.clock import local_date

LONGEST_STEM = 36  # characters of a generated code, which a number may follow


@dataclass(frozen=True)
class GrantChange:
    """Changes to a grant; None leaves a field as it is."""

    amount: Decimal | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@transaction.atomic
def grant_create(
    by: By,
    *,
    programme_id: UUID,
    organisation: Organisation,
    amount: Decimal,
    valid_from: date,
    valid_until: date,
    code: str = "",
) -> VoucherGrant:
    """Grant an organisation of the programme's region an amount. An empty `code` is replaced by a generated
    one.

    Raises `Invalid` for what does not fit, and if the programme's budget has not enough left
    (`programme-short`); `NotPermitted` unless the actor coordinates the region.
    """
    programme = programme_locked(replace(by, version=None), programme_id)
    require_open(organisation)
    terms = programmes.GrantTerms(
        code or _code_for(programme, organisation, valid_from), amount, valid_from, valid_until
    )
    served = _served(programme)
    programmes.require_payer(
        served,
        kind=organisation.kind,
        is_small=organisation.is_small,
        is_of_region=organisation_region_on(organisation, valid_from).pk == programme.region_id,
    )
    programmes.require_grant(terms, served, today=_today(programme, by.now))
    _grant_more(programme, amount)
    row = VoucherGrant(
        programme=programme,
        organisation=organisation,
        **asdict(terms),
        granted_by_id=by.actor.person,
        granted_at=by.now,
    )
    coded_save(row)
    trail.record(
        by,
        "grant.create",
        row,
        after={"programme": programme.pk, "organisation": organisation.pk, **asdict(terms)},
    )
    return row


@transaction.atomic
def grant_change(by: By, *, grant_id: UUID, change: GrantChange, reason: str = "") -> VoucherGrant:
    """Raise or lower a grant, never below what is reserved and spent, nor above what the programme has left;
    or change its days. What bookings have reserved stays, whatever its days."""
    programme, row = _locked(by, grant_id)
    changes = {
        name: value
        for name in ("amount", "valid_from", "valid_until")
        if (value := getattr(change, name)) is not None and value != getattr(row, name)
    }
    if not changes:
        return row
    before = {name: getattr(row, name) for name in changes}
    terms = programmes.GrantTerms(
        row.code,
        changes.get("amount", row.amount),
        changes.get("valid_from", row.valid_from),
        changes.get("valid_until", row.valid_until),
    )
    require_reason(reason)
    if "amount" in changes:
        programmes.require_not_below(
            amount=terms.amount,
            held=row.held,
            redeemed=row.redeemed + row.transferred,
            currency=programme.currency,
        )
    if terms.amount or set(changes) != {"amount"}:  # a grant of which nothing was spent may become 0
        today = _today(programme, by.now) if "valid_until" in changes else None
        programmes.require_grant(terms, _served(programme), today=today)
    _grant_more(programme, terms.amount - row.amount)
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*changes, "version"])
    trail.record(by, "grant.change", row, before=before, after=changes, reason=reason.strip())
    return row


@transaction.atomic
def grant_suspend(by: By, *, grant_id: UUID, reason: str = "") -> VoucherGrant:
    """Suspend a grant: it covers no new bookings; money reserved for bookings stays reserved."""
    _, row = _locked(by, grant_id)
    suspension_set(by, row, "grant.suspend", reason)
    return row


@transaction.atomic
def grant_resume(by: By, *, grant_id: UUID) -> VoucherGrant:
    """Let a suspended grant cover bookings again."""
    _, row = _locked(by, grant_id)
    suspension_set(by, row, "grant.resume")
    return row


def _locked(by: By, grant_id: UUID) -> tuple[VoucherProgramme, VoucherGrant]:
    programme, row = lock_grant(grants_for(by.actor), grant_id)
    if not coordinates(by.actor, programme.region):
        raise NotPermitted(capability="coordinate")
    by.require_version(row.version)
    return programme, row


def _grant_more(programme: VoucherProgramme, more: Decimal) -> None:
    """Add what is newly granted (negative if given back) to the sum on the locked programme."""
    if not more:
        return
    programmes.require_room(
        budget=programme.budget, granted=programme.granted, more=more, currency=programme.currency
    )
    VoucherProgramme.objects.filter(pk=programme.pk).update(granted=F("granted") + more)


def _served(programme: VoucherProgramme) -> programmes.Served:
    return programmes.Served(
        currency=programme.currency,
        valid_from=programme.valid_from,
        valid_until=programme.valid_until,
        payer_kinds=tuple(programme.payer_kinds),
        is_for_small_only=programme.is_for_small_only,
    )


def _today(programme: VoucherProgramme, now: datetime) -> date:
    return local_date(ZoneInfo(programme.region.time_zone), now)


def _code_for(programme: VoucherProgramme, organisation: Organisation, day: date) -> str:
    """Return a free code for a grant, `<programme>-<organisation>-<year>` or similar; the programme is
    locked."""
    ending = f"-{organisation.code[:20]}-{day.year}"
    stem = programme.code[: LONGEST_STEM - len(ending)] + ending
    taken = set(VoucherGrant.objects.filter(code__startswith=stem).values_list("code", flat=True))
    if stem not in taken:
        return stem
    return next(code for n in range(2, len(taken) + 3) if (code := f"{stem}-{n}") not in taken)
