"""Store a person's searches as texts, and read them again."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from instruments.search.domain.search import Criteria
from instruments.vocabulary.domain.parameters import required_from, spec_of

MOST_SEARCHES = 20  # of a person
MOST_MATCHES = 300  # found at present: a search that finds more is too broad to be saved
MOST_TOLD = 20  # named in one message

# What the words were taken for: read anew each time.
_READ = frozenset(["words", "answers", "beside", "wishes", "is_general"])
_WRITTEN = {
    "facility": UUID,
    "free_from": datetime.fromisoformat,
    "free_until": datetime.fromisoformat,
    "minutes": int,
    "max_price": Decimal,
    "max_payable": Decimal,
    "without": lambda text: tuple(text.split(",")),
    "specs": lambda text: tuple(map(required_from, text.split())),
}


def to_json(criteria: Criteria) -> dict[str, str]:
    """Return the criteria of a search as texts."""
    values = {
        field.name: getattr(criteria, field.name) for field in fields(criteria) if field.name not in _READ
    }
    values["specs"] = " ".join(map(spec_of, criteria.specs))
    values["without"] = ",".join(criteria.without)
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in values.items()
        if value not in ("", None)
    }


def from_json(values: Mapping[str, str]) -> Criteria:
    """Return the criteria of a search from their texts."""
    return Criteria(**{name: _WRITTEN.get(name, str)(value) for name, value in values.items()})  # type: ignore[operator]


def is_over(criteria: Criteria, now: datetime) -> bool:
    """Return whether the time that the search is for has passed."""
    return criteria.free_until is not None and criteria.free_until <= now
