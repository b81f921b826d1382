"""The choice of instruments to compare."""

from collections.abc import Sequence
from uuid import UUID

from accounts.domain.errors import WrongState

MOST_COMPARED = 4


def with_chosen(chosen: Sequence[UUID], added: UUID) -> list[UUID]:
    """Return the instruments chosen for comparing with one more, without duplicates. Raise `WrongState`
    (too-many-compared)."""
    if added not in chosen and len(chosen) >= MOST_COMPARED:
        raise WrongState("too-many-compared", most=MOST_COMPARED)
    return list(dict.fromkeys([*chosen, added]))
