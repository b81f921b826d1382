"""Stored quotes and charges, computed again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
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
    """One charge recomputed, for whoever may see it; `NotFound` else. One statement."""
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
    """Every stored quote and charge computed again, streamed: those made from a moment on, of
    one instrument, or some charges alone."""
    narrowed: dict[str, Any] = {}
    if since is not None:
        narrowed["created_at__gte"] = since
    if instrument_id is not None:
        narrowed["reservation__instrument_id"] = instrument_id
    if charge_ids is None and charge_id is not None:
        charge_ids = [charge_id]
    if charge_ids is None:
        for row in _rows(
            Quote.objects.filter(**narrowed), "inputs", "result", "currency", "total", "payable"
        ):
            pk = row.pop("id")
            yield Replayed("quote", pk, quote_differences(StoredQuote(**row)))
    else:
        narrowed["pk__in"] = charge_ids
    of_reversed = [f"reverses__{name}" for name in AMOUNTS]
    charges = Charge.objects.filter(**narrowed)
    for row in _rows(
        charges, "kind", "inputs", "result", "currency", "reverses_id", *AMOUNTS, *of_reversed
    ):
        stored = StoredCharge(
            kind=row["kind"],
            inputs=row["inputs"],
            result=row["result"],
            currency=row["currency"],
            amounts=Amounts(**{name: row[name] for name in AMOUNTS}),
            reverses=Amounts(**{name: row[f"reverses__{name}"] for name in AMOUNTS})
            if row["reverses_id"]
            else None,
        )
        try:
            differences = charge_differences(stored)
        except NoRule:
            yield Replayed("charge", row["id"], None)
        else:
            yield Replayed("charge", row["id"], differences)


def _rows(query: QuerySet[Any], *columns: str) -> Iterator[dict[str, Any]]:
    """In the order they were made, a batch at a time from a cursor of the server."""
    rows = query.order_by("pk").values("id", *columns)
    return rows.iterator(chunk_size=BATCH)
