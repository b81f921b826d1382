"""Blocks made through the service, by the manager of the host."""

from datetime import date, datetime
from typing import Any

from accounts.domain.roles import By
from instruments.policy.domain.blocks import BlockTerms
from instruments.policy.services.blocks import block_make
from instruments.register.models import HostBlock
from tests.factories.cast import NOW, Cast


def block(
    cast: Cast,
    who: str = "",
    *,
    by: str = "zhao",
    last_day: str = "2026-04-01",
    now: datetime = NOW,
    **of: Any,
) -> HostBlock:
    """At USTC, of a person by the name in the cast, or of an `organisation`."""
    if who:
        of["user"] = cast.people[who]
    terms = BlockTerms("The stage was broken.", date.fromisoformat(last_day), "zhao@ustc.example")
    return block_make(By(cast.actor(by), now), **{"host": cast.ustc, "terms": terms} | of)
