"""Read the feed of availability: its items in order, and what each says now."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from bookings.availability.selectors.availability import calendar_of, load_blocks
from bookings.catalogue.models import AvailabilityItem
from bookings.record.domain.periods import Period
from instruments.rates.domain.ratecards import card_in_force
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_in_order

AHEAD = timedelta(days=90)
PAGE = 50
# What of the policy a portal shows.
POLICY = ("slot_minutes", "min_minutes", "max_minutes", "notice_minutes", "horizon_days", "approval", "units")


def items_after(at: datetime | None, pk: UUID | None) -> list[AvailabilityItem]:
    """Return the next items in the order of the feed, after one that was modified at an instant."""
    rows = AvailabilityItem.objects.order_by("modified", "instrument")
    if at is not None:
        rows = rows.filter(Q(modified__gt=at) | Q(modified=at, instrument__gt=pk), modified__gte=at)
    return list(rows[:PAGE])


def load_contents(ids: Sequence[UUID], now: datetime) -> dict[UUID, dict[str, Any]]:
    """Return what the feed says of each of these instruments that is published and can be booked. Three
    statements. Nothing in it is of a person; days are those of UTC."""
    start = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    span = Period(start, start + AHEAD)
    rows = [
        row
        for row in instruments_in_order(ids)
        if row.publication == Instrument.Publication.PUBLISHED and hasattr(row, "policy")
    ]
    blocks = load_blocks([row.pk for row in rows], span.padded(1440, 1440), now)
    cards: dict[UUID, list[RateCard]] = {}
    for card in RateCard.objects.filter(instrument__in=rows, published_at__isnull=False).order_by("version"):
        cards.setdefault(card.instrument_id, []).append(card)
    contents = {}
    for row in rows:
        calendar = calendar_of(row, span.padded(1440, 1440), blocks[row.pk])
        assert calendar is not None
        contents[row.pk] = {
            "instrument": str(row.pk),
            "name": row.name,
            "name_zh": row.name_zh,
            "host": row.organisation.code,
            "region": row.region.code,
            "time_zone": row.facility.time_zone,
            "until": _instant(span.end),
            "open": [_period(period) for period in calendar.opened(span)],
            "busy": [_period(period) for period, _ in calendar.busy(span)],
            "policy": {name: getattr(row.policy, name) for name in POLICY},
            "prices": _prices(row, cards.get(row.pk, ()), now),
        }
    return contents


def _period(period: Period) -> dict[str, str]:
    return {"start": _instant(period.start), "end": _instant(period.end)}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _prices(row: Instrument, cards: Sequence[RateCard], now: datetime) -> dict[str, Any] | None:
    """Return the price of each group by the rate card in force; None if there is none."""
    today = local_date(ZoneInfo(row.facility.time_zone), now)
    in_force = card_in_force(cards, today)
    if in_force is None:
        return None
    card = load_card(in_force).values
    return {
        "currency": card.currency,
        "unit": str(card.rate_unit),
        "groups": {str(group): f"{rate:f}" for group, rate in card.rates.items()},
    }
