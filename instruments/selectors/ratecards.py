"""Rate cards as values."""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from instruments.domain.ratecards import RateCardValues, parse_rate_card
from instruments.models import Instrument, RateCard


@dataclass(frozen=True)
class CardInForce:
    """A published card with its identity and the local days [from, until) it holds."""

    id: UUID
    version: int
    values: RateCardValues
    valid_from: date
    valid_until: date | None


def rate_cards_of(instrument: Instrument) -> QuerySet[RateCard]:
    """Newest first."""
    return RateCard.objects.filter(instrument=instrument).order_by("-version")


def load_card_in_force(instrument_id: UUID, day: date) -> CardInForce | None:
    """The published card of an instrument on a local date, if any. One statement."""
    row = (
        RateCard.objects.filter(
            Q(valid_until=None) | Q(valid_until__gt=day),
            instrument_id=instrument_id,
            published_at__isnull=False,
            valid_from__lte=day,
        )
        .order_by("-version")
        .first()
    )
    return load_card(row) if row else None


def load_card(row: RateCard) -> CardInForce:
    """A row as a value. Its days are the row's: a later version may have ended it early."""
    if row.published_at is None:
        values = parse_rate_card(row.card)
    else:
        values = _values(_Published(row.pk, row.version, row.card))
    return CardInForce(row.pk, row.version, values, row.valid_from, row.valid_until)


@dataclass(frozen=True)
class _Published:
    """A card that is never edited again: its identity stands for its content."""

    id: UUID
    version: int
    card: Any = field(compare=False)


@lru_cache(maxsize=4096)
def _values(published: _Published) -> RateCardValues:
    return parse_rate_card(published.card)
