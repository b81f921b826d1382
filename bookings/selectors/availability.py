"""What is taken, and the calendar the rules are asked with."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from psycopg.types.range import TimestamptzRange

from bookings.domain.availability import CLOSURE, NEAREST_WITHIN, RESERVATION, Block, Calendar
from bookings.domain.periods import Period
from bookings.models import Occupancy
from instruments.models import Instrument
from instruments.selectors.opening import load_windows
from instruments.selectors.policies import load_policy

# The end of a closure whose end is not known.
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)


def to_range(period: Period) -> TimestamptzRange:
    """A period as the database says it; FOREVER is unbounded."""
    return TimestamptzRange(period.start, None if period.end >= FOREVER else period.end, "[)")


def to_period(span: Any) -> Period:
    """A range of instants; unbounded above is FOREVER."""
    return Period(span.lower, span.upper or FOREVER)


def live(now: datetime) -> Q:
    """Occupancies that count: without a deadline or before it."""
    return Q(expires_at=None) | Q(expires_at__gt=now)


def load_blocks(
    instrument_ids: Iterable[UUID],
    within: Period,
    now: datetime,
    *,
    except_reservation: UUID | None = None,
) -> dict[UUID, list[Block]]:
    """What is taken of each instrument in a span, buffers included. One statement."""
    blocks: dict[UUID, list[Block]] = {pk: [] for pk in instrument_ids}
    rows = Occupancy.objects.filter(
        live(now), instrument_id__in=list(blocks), span__overlap=to_range(within)
    )
    if except_reservation:
        rows = rows.exclude(reservation_id=except_reservation)
    for instrument_id, unit, span, closure_id in rows.values_list(
        "instrument_id", "unit", "span", "closure_id"
    ):
        kind = CLOSURE if closure_id else RESERVATION
        blocks[instrument_id].append(Block(to_period(span), unit, kind))
    return blocks


def calendar_of(instrument: Instrument, within: Period, blocks: list[Block]) -> Calendar | None:
    """The calendar of an instrument (policy, schedule loaded with it) over a span; None for
    one without a policy, which cannot be booked. No statement."""
    if not hasattr(instrument, "policy"):
        return None
    return Calendar(
        windows=load_windows(instrument.schedule, within.start, within.end),
        policy=load_policy(instrument.policy),
        blocks=blocks,
        is_published=instrument.publication == Instrument.Publication.PUBLISHED,
    )


def load_calendar(
    instrument: Instrument,
    within: Period,
    now: datetime,
    *,
    except_reservation: UUID | None = None,
) -> Calendar | None:
    """As `calendar_of`, with what is taken around the span. One statement."""
    wide = within.padded(1440, 1440)
    blocks = load_blocks([instrument.pk], wide, now, except_reservation=except_reservation)
    return calendar_of(instrument, wide, blocks[instrument.pk])


def around(period: Period) -> Period:
    """A span wide enough to look for the nearest period that passes."""
    return Period(
        period.start - NEAREST_WITHIN - timedelta(days=1),
        period.end + NEAREST_WITHIN + timedelta(days=2),
    )
