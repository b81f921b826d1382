"""Load stored quotes and charges, and recompute them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.charging.domain import replay as replay_rules
from bookings.charging.domain.replay_steps import Replay, replay
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import charges_readable
from instruments.training.selectors.fees import sessions_about

BATCH = 2000
WITH = ("reverses", "reservation__rate_card", "reservation__agreement")


@dataclass(frozen=True)
class ReplayedCharge:
    """A charge, and the result of recomputing it."""

    charge: Charge
    replay: Replay


@dataclass(frozen=True)
class Replayed:
    """The outcome for one recomputed row. `differences` is None if there is no rule for its kind."""

    kind: str  # quote or charge
    id: UUID
    differences: list[replay_rules.Difference] | None


def charge_replay(actor: Actor, charge_id: UUID) -> ReplayedCharge:
    """Recompute a charge that the actor may see; raise `NotFound` otherwise. It takes one statement."""
    charge = visible(charges_readable(actor).select_related(*WITH), pk=charge_id)
    return ReplayedCharge(charge, replay(_stored(charge)))


def _stored(charge: Charge) -> replay_rules.StoredCharge:
    return replay_rules.StoredCharge(
        kind=charge.kind,
        inputs=charge.inputs,
        result=charge.result,
        currency=charge.currency,
        amounts=_amounts(charge),
        reverses=_amounts(charge.reverses) if charge.reverses else None,
    )


def _amounts(charge: Charge) -> replay_rules.Amounts:
    return replay_rules.Amounts(**{name: getattr(charge, name) for name in replay_rules.AMOUNTS})


def replay_all(
    *,
    since: datetime | None = None,
    instrument_id: UUID | None = None,
    charge_id: UUID | None = None,
    charge_ids: Sequence[UUID] | None = None,
) -> Iterator[Replayed]:
    """Recompute all stored quotes and charges, streamed; optionally only those made from a moment on, those
    of one instrument, or only some charges."""
    narrowed: dict[str, Any] = {}
    of_instrument = Q()
    if since is not None:
        narrowed["created_at__gte"] = since
    if instrument_id is not None:
        courses = Q(enrolment__session__in=sessions_about([instrument_id]))
        of_instrument = Q(reservation__instrument_id=instrument_id) | courses
    if charge_ids is None and charge_id is not None:
        charge_ids = [charge_id]
    if charge_ids is None:
        of_booking = Q(reservation__instrument_id=instrument_id) if instrument_id else Q()
        quotes = Quote.objects.filter(of_booking, **narrowed).order_by("pk")
        names = ("inputs", "result", "currency", "total", "payable")
        for pk, *values in _paged(quotes.values_list("pk", *names), itemgetter(0)):
            stored = replay_rules.StoredQuote(**dict(zip(names, values, strict=True)))
            yield Replayed("quote", pk, replay_rules.quote_differences(stored))
    else:
        narrowed["pk__in"] = charge_ids
    charges = Charge.objects.filter(of_instrument, **narrowed).select_related("reverses").order_by("pk")
    for charge in _paged(charges, attrgetter("pk")):
        try:
            yield Replayed("charge", charge.pk, replay_rules.charge_differences(_stored(charge)))
        except replay_rules.NoRule:
            yield Replayed("charge", charge.pk, None)


def _paged(rows: QuerySet[Any, Any], key_of: Callable[[Any], UUID]) -> Iterator[Any]:
    """Yield rows in the order of their keys, each page by a statement of its own: a cursor would need a
    transaction as long as its reader takes."""
    page = list(rows[:BATCH])
    yield from page
    while len(page) == BATCH:
        page = list(rows.filter(pk__gt=key_of(page[-1]))[:BATCH])
        yield from page
