"""Searches that somebody keeps, to be told of what is new."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from instruments.domain.capabilities import required_from, spec_of
from instruments.domain.search import Criteria

MOST_SEARCHES = 20  # of a person
MOST_MATCHES = 300  # now: what finds more is no search to be told of
MOST_TOLD = 20  # named in one message

_WRITTEN = {
    "facility": UUID,
    "free_from": datetime.fromisoformat,
    "free_until": datetime.fromisoformat,
    "minutes": int,
    "max_price": Decimal,
    "max_payable": Decimal,
    "specs": lambda text: tuple(map(required_from, text.split())),
}


def to_json(criteria: Criteria) -> dict[str, str]:
    """What was asked for, as texts."""
    values = {field.name: getattr(criteria, field.name) for field in fields(criteria)}
    values["specs"] = " ".join(map(spec_of, criteria.specs))
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in values.items()
        if value not in ("", None)
    }


def from_json(values: Mapping[str, str]) -> Criteria:
    """The reverse."""
    return Criteria(**{name: _WRITTEN.get(name, str)(value) for name, value in values.items()})  # type: ignore[operator]


def is_over(criteria: Criteria, now: datetime) -> bool:
    """Whether the time asked for has passed."""
    return criteria.free_until is not None and criteria.free_until <= now
