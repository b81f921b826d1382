"""Set booking policies."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from instruments.opening.services.opening import assignment_change
from instruments.policy.domain import policies
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.policy.selectors.policies import load_policy
from instruments.register.locks import lock_managed
from instruments.register.models import Instrument
from instruments.training.domain.training import THIS_INSTRUMENT
from instruments.vocabulary.models import Technique

# Functions that may refuse a new policy. Areas above join here (`joins` of their manifest): this app
# does not know of bookings, yet fewer units than are in use must be refused under the same lock.
Guard = Callable[[Instrument, policies.Policy, datetime], None]
guards: list[Guard] = []
# Functions that must run after the change, under the same lock.
followers: list[Callable[[Instrument, datetime], None]] = []


@transaction.atomic
def policy_set(by: By, *, instrument_id: UUID, policy: policies.Policy, reason: str = "") -> BookingPolicy:
    """Give an instrument a policy from now on, as a new version that stays on record; an equal policy makes
    no version. Existing reservations stay as they are. `WrongVersion` if the policy has changed since it was
    read; `WrongState` if more units are in use than it has."""
    instrument = lock_managed(by, instrument_id)
    row: BookingPolicy | None = getattr(instrument, "policy", None)
    version = row.version if row else 0
    by.require_version(version)
    before = policies.policy_to_json(load_policy(row)) if row else {}
    after = policies.policy_to_json(policy)
    if row is not None and before == after:
        return row
    for guard in guards:
        guard(instrument, policy, by.now)
    code = policy.qualification
    if code not in ("", THIS_INSTRUMENT) and not Technique.objects.filter(code=code).exists():
        raise invalid("qualification", "unknown-value")
    for n, rule in enumerate(policy.group_hours):
        code = rule.certificate
        if code not in ("", THIS_INSTRUMENT) and not Technique.objects.filter(code=code).exists():
            raise invalid(f"group_hours[{n}].certificate", "unknown-value")
    values = asdict(policy) | {
        "horizon_days": dict(policy.horizon_days),
        "quotas": [policies.quota_to_json(quota) for quota in policy.quotas],
        "cross_region_share": policies.share_to_json(policy.cross_region_share),
        "group_hours": [policies.group_hours_to_json(rule) for rule in policy.group_hours],
    }
    if row is None:
        row = BookingPolicy(instrument=instrument, **values)
        row.save(force_insert=True)
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.save()
    instrument.policy = row
    PolicyVersion.objects.create(
        instrument=instrument,
        version=row.version,
        policy=after,
        valid_from=by.now,
        made_by_id=by.actor.user_id,
        reason=reason,
    )
    for follow in followers:
        follow(instrument, by.now)
    if instrument.publication == Instrument.Publication.PUBLISHED:
        assignment_change(instrument=instrument, now=by.now)
    trail.record(by, "policy.set", instrument, before=before, after=after, reason=reason)
    return row
