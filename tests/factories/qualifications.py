"""Certificates made through the service, by the manager of the host."""

from datetime import date, datetime
from typing import Any

from accounts.domain.roles import By
from instruments.register.models import Instrument
from instruments.training.models import Qualification
from instruments.training.services.qualifications import qualification_grant, qualification_revoke
from instruments.vocabulary.models import Technique
from tests.factories.cast import NOW, Cast


def certify(
    cast: Cast,
    thing: Instrument | Technique,
    who: str = "wang",
    since: str = "2026-01-01",
    until: str | None = None,
    *,
    now: datetime = NOW,
    by: str = "zhao",
    **values: Any,
) -> Qualification:
    """Days are the cast's; the issuer is USTC unless named."""
    named: dict[str, Any] = {"technique" if isinstance(thing, Technique) else "instrument": thing}
    return qualification_grant(
        By(cast.actor(by), now),
        user=cast.people[who],
        valid_from=date.fromisoformat(since),
        valid_until=date.fromisoformat(until) if until else None,
        **{"issuer": cast.ustc} | named | values,
    )


def withdraw(
    cast: Cast, row: Qualification, *, reason: str = "Broke the stage", now: datetime = NOW
) -> Qualification:
    return qualification_revoke(By(cast.actor("zhao"), now), qualification_id=row.pk, reason=reason)
