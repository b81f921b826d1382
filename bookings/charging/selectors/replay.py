"""Stored quotes and charges, computed again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.charging.domain.replay import (
    AMOUNTS,
    Amounts,
    Difference,
    NoRule,
    StoredCharge,
    StoredQuote,
    charge_differences,
    quote_differences,
)
from bookings.charging.domain.replay_steps import Replay, replay
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import charges_for

BATCH = 2000


@dataclass(frozen=True)
class ReplayedCharge:
    """A charge and what comes out of its inputs."""

    charge: Charge
    replay: Replay


@dataclass(frozen=True)
class Replayed:
    """One row computed again. `differences` None: there is no rule for its kind."""

    kind: str  # quote or charge
    id: UUID
    differences: list[Difference] | None


def charge_replay(actor: Actor, charge_id: UUID) -> ReplayedCharge:
    """Compute one charge again, for whoever may see it; `NotFound` else. One statement."""
    charge = visible(charges_for(actor).select_related("reverses"), pk=charge_id)
    return ReplayedCharge(charge, replay(_stored(charge)))


def _stored(charge: Charge) -> StoredCharge:
    return StoredCharge(
        kind=charge.kind,
        inputs=charge.inputs,
        result=charge.result,
        currency=charge.currency,
        amounts=_amounts(charge),
        reverses=_amounts(charge.reverses) if charge.reverses else None,
    )


def _amounts(charge: Charge) -> Amounts:
    return Amounts(**{name: getattr(charge, name) for name in AMOUNTS})


def replay_all(
    *,
    since: datetime | None = None,
    instrument_id: UUID | None = None,
    charge_id: UUID | None = None,
    charge_ids: Sequence[UUID] | None = None,
) -> Iterator[Replayed]:
    """Compute every stored quote and charge again, streamed: those made from a moment on, of one
    instrument, or some charges alone."""
    narrowed: dict[str, Any] = {}
    if since is not None:
        narrowed["created_at__gte"] = since
    if instrument_id is not None:
        narrowed["reservation__instrument_id"] = instrument_id
    if charge_ids is None and charge_id is not None:
        charge_ids = [charge_id]
    if charge_ids is None:
        quotes = Quote.objects.filter(**narrowed).order_by("pk")
        names = ("inputs", "result", "currency", "total", "payable")
        for pk, *values in _paged(quotes.values_list("pk", *names), itemgetter(0)):
            stored = StoredQuote(**dict(zip(names, values, strict=True)))
            yield Replayed("quote", pk, quote_differences(stored))
    else:
        narrowed["pk__in"] = charge_ids
    charges = Charge.objects.filter(**narrowed).select_related("reverses").order_by("pk")
    for charge in _paged(charges, attrgetter("pk")):
        try:
            yield Replayed("charge", charge.pk, charge_differences(_stored(charge)))
        except NoRule:
            yield Replayed("charge", charge.pk, None)


def _paged(rows: QuerySet[Any, Any], key_of: Callable[[Any], UUID]) -> Iterator[Any]:
    """Rows in the order of their keys, each page by a statement of its own: a cursor would need a
    transaction for as long as somebody looks at them."""
    page = list(rows[:BATCH])
    yield from page
    while len(page) == BATCH:
        page = list(rows.filter(pk__gt=key_of(page[-1]))[:BATCH])
        yield from page
