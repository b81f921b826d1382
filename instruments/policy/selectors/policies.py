"""Read booking policies as values, and their past versions."""

from dataclasses import replace
from uuid import UUID

from django.db.models import QuerySet

from instruments.policy.domain.hazards import hazards_in
from instruments.policy.domain.policies import Policy, parse_group_hours, parse_quotas, parse_share
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.register.models import Instrument


def policy_versions(instrument_id: UUID) -> QuerySet[PolicyVersion]:
    """Return all versions of an instrument's policy, the newest first, each with the person who made it."""
    rows = PolicyVersion.objects.filter(instrument_id=instrument_id)
    return rows.select_related("made_by").order_by("-version")


def load_policy(row: BookingPolicy) -> Policy:
    """Return the row as the value that the domain rules take."""
    values = {name: getattr(row, name) for name in Policy.__dataclass_fields__}
    values["quotas"] = parse_quotas(row.quotas, [])
    values["cross_region_share"] = parse_share(row.cross_region_share, [])
    values["refused_hazards"] = tuple(row.refused_hazards or ())
    values["group_hours"] = parse_group_hours(row.group_hours, [])
    return Policy(**values)


def refused_hazards(instrument: Instrument) -> tuple[str, ...]:
    """Return the hazards of samples that an instrument (loaded with facility and policy) does not accept: its
    own and its facility's, in the standard order. It takes no statement."""
    own = instrument.policy.refused_hazards if hasattr(instrument, "policy") else ()
    return hazards_in([*(own or ()), *instrument.facility.refused_hazards], "refused_hazards")


def load_rules(instrument: Instrument) -> Policy:
    """Return the policy of an instrument (loaded with facility and policy) with the hazards that its facility
    does not accept. It takes no statement."""
    return replace(load_policy(instrument.policy), refused_hazards=refused_hazards(instrument))
