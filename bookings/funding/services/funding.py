"""Creating funding sources, changing their terms, suspending and resuming them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.users import members_among
from bookings.funding.domain.funding_sources import SourceTerms, Used, require_code, require_terms
from bookings.funding.models import FundingSource
from bookings.funding.selectors.funding_sources import is_used, sources_for
from bookings.pricing.services.codes import coded_save

MOST_TEXT = 500
# The fields that a source and its terms have in common.
FIELDS = tuple(f.name for f in fields(SourceTerms) if f.name not in {"owner", "users"})


@transaction.atomic
def source_create(by: By, *, organisation: Organisation, code: str, terms: SourceTerms) -> FundingSource:
    """Create a source that members of the organisation may charge. The code is unique within the organisation
    and never changes.

    Raises `NotPermitted` unless the actor is its finance; `Invalid` for what does not fit, for people who are
    not its members (`not-one-of-theirs`) and for a code that is taken.
    """
    require(by.actor, "account", place_of(organisation))
    require_open(organisation)
    require_code(code)
    require_terms(terms, Used())
    _require_members(organisation, terms)
    row = FundingSource(
        organisation=organisation,
        code=code,
        created_by_id=by.actor.person,
        created_at=by.now,
        **_fields(terms),
    )
    coded_save(row)
    _set_users(row, terms)
    trail.record(by, "source.create", row, after={"code": code} | _recorded(terms))
    return row


@transaction.atomic
def source_change(by: By, *, source_id: UUID, changes: Mapping[str, Any]) -> FundingSource:
    """Change some of the `SourceTerms` of a source. Bookings keep what is reserved for them; removing people
    or days affects only new bookings, moves and approvals. Raises `Invalid` as `source_create` does, for
    another currency once the source has been charged, and for a budget below what is reserved and spent."""
    row = _locked(by, source_id)
    old = terms_of(row)
    new = replace(old, **changes)
    gone = row.held + row.spent + row.transferred
    used = Used(row.currency if is_used(row) else None, gone, row.budget)
    require_terms(new, used)
    _require_members(row.organisation, new, known=old)
    if new == old:
        return row
    for name, value in _fields(new).items():
        setattr(row, name, value)
    _touch(row, *_fields(new))
    if new.users != old.users:
        _set_users(row, new)
    before, after = _recorded(old), _recorded(new)
    changed = [name for name in after if after[name] != before[name]]
    trail.record(
        by,
        "source.update",
        row,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return row


@transaction.atomic
def source_suspend(by: By, *, source_id: UUID, reason: str) -> FundingSource:
    """Suspend a source, with a reason: until it is resumed nothing new is charged to it, and no request that
    it would pay for is approved. Reserved money stays reserved, and it still pays for confirmed bookings.
    Raises `WrongState` if it is suspended already."""
    row = _locked(by, source_id)
    if row.suspended_at is not None:
        raise WrongState(state="suspended", wanted="suspended")
    reason = _reason(reason)
    if not reason:
        raise invalid("reason", "required")
    row.suspended_at = by.now
    _touch(row, "suspended_at")
    trail.record(by, "source.suspend", row, after={"suspended_at": by.now}, reason=reason)
    return row


@transaction.atomic
def source_resume(by: By, *, source_id: UUID, reason: str = "") -> FundingSource:
    """Let a suspended source pay again. Raises `WrongState` if it is not suspended."""
    row = _locked(by, source_id)
    if row.suspended_at is None:
        raise WrongState(state="valid", wanted="resumed")
    before = {"suspended_at": row.suspended_at}
    row.suspended_at = None
    _touch(row, "suspended_at")
    after = {"suspended_at": None}
    trail.record(by, "source.resume", row, before=before, after=after, reason=_reason(reason))
    return row


def terms_of(row: FundingSource) -> SourceTerms:
    """Return the terms of a source."""
    values = {name: getattr(row, name) for name in FIELDS}
    users = frozenset(row.users.values_list("pk", flat=True))
    return SourceTerms(**values, owner=row.owner_id, users=users)


def _locked(by: By, source_id: UUID) -> FundingSource:
    """Lock a source with the lock under which bookings reserve money in it. Raise `NotFound` if the actor may
    not see it, `NotPermitted` unless the actor is finance."""
    rows = sources_for(by.actor).select_for_update(of=("self",), no_key=True)
    row = visible(rows, pk=source_id)
    require(by.actor, "account", place_of(row.organisation))
    by.require_version(row.version)
    return row


def _touch(row: FundingSource, *names: str) -> None:
    row.version += 1
    row.save(update_fields=[*names, "version"])


def _set_users(row: FundingSource, terms: SourceTerms) -> None:
    row.users.set(User.objects.filter(pk__in=terms.users))


def _require_members(
    organisation: Organisation, terms: SourceTerms, known: SourceTerms | None = None
) -> None:
    """Require that people who are newly named are members; those named before may have left since."""
    new = {terms.owner} | terms.users
    if known:
        new -= {known.owner} | known.users
    if missing := new - members_among(new, organisation.pk):
        name = "owner" if terms.owner in missing else "users"
        raise invalid(name, "not-one-of-theirs", organisation=organisation.code)


def _reason(text: str) -> str:
    text = text.strip()
    if len(text) > MOST_TEXT:
        raise invalid("reason", "too-long", most=MOST_TEXT)
    return text


def _fields(terms: SourceTerms) -> dict[str, Any]:
    """Return the terms of a funding source as fields of its row; its users are rows of their own."""
    return {name: getattr(terms, name) for name in FIELDS} | {"owner_id": terms.owner}


def _recorded(terms: SourceTerms) -> dict[str, Any]:
    """Return the terms of a funding source as the trail records them."""
    return vars(terms) | {"users": sorted(terms.users)}
