"""Read what is taken, and build the calendar that the rules work on."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from psycopg.types.range import TimestamptzRange

from accounts.prepared import Prepared
from bookings.availability.domain.availability import CLOSURE, NEAREST_WITHIN, RESERVATION, Block, Calendar
from bookings.availability.domain.kept_hours import Kept, Promises
from bookings.availability.domain.quotas import Booked, counted_span
from bookings.availability.models import Occupancy
from bookings.availability.selectors.kept_hours import in_force, keeps, kept_rows, value_of
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import COUNTED
from bookings.record.models import Reservation
from instruments.opening.domain.opening import Window, merged
from instruments.opening.selectors.opening import load_windows
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy, load_rules
from instruments.register.models import Instrument

# The end of a closure whose end is not known.
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)


def to_range(period: Period) -> TimestamptzRange:
    """Convert a period to a range of the database; FOREVER is unbounded."""
    return TimestamptzRange(period.start, None if period.end >= FOREVER else period.end, "[)")


def to_period(span: Any) -> Period:
    """Convert a range of instants; unbounded above is FOREVER."""
    return Period(span.lower, span.upper or FOREVER)


def live(now: datetime) -> Q:
    """Return the condition for occupancies that count at a moment: without a deadline, or before it."""
    return Q(expires_at=None) | Q(expires_at__gt=now)


def load_blocks(
    instrument_ids: Iterable[UUID],
    within: Period,
    now: datetime,
    *,
    without: Collection[UUID] = (),
    lapsed: set[UUID] | None = None,
) -> dict[UUID, list[Block]]:
    """Return what is taken of each instrument in a span, including buffers, except by the reservations
    `without`. It takes one statement. `lapsed` collects the instruments with an expired row, which no longer
    counts but still triggers the exclusion constraint until it is deleted."""
    blocks: dict[UUID, list[Block]] = {pk: [] for pk in instrument_ids}
    more: dict[str, Any] = {} if lapsed is not None else {"now": now}
    if without:
        more["without"] = list(without)
    for instrument_id, unit, span, closure_id, expires_at in _TAKEN.rows(
        instruments=list(blocks), span=to_range(within), **more
    ):
        if lapsed is not None and expires_at is not None and expires_at <= now:
            lapsed.add(instrument_id)
            continue
        kind = CLOSURE if closure_id else RESERVATION
        blocks[instrument_id].append(Block(to_period(span), unit, kind))
    return blocks


def _taken(
    *, instruments: Any, span: Any, now: Any = None, without: Any = None
) -> QuerySet[Occupancy, tuple[UUID, int, Any, UUID | None, datetime | None]]:
    rows = Occupancy.objects.filter(instrument_id__one_of=instruments, span__overlap=span)
    if now is not None:
        rows = rows.filter(live(now))
    if without is not None:
        rows = rows.exclude(reservation_id__one_of=without)
    return rows.values_list("instrument_id", "unit", "span", "closure_id", "expires_at")


_TAKEN = Prepared(_taken)


def load_booked(
    instruments: Sequence[Instrument], within: Period, now: datetime, *, without: Collection[UUID] = ()
) -> dict[UUID, list[Booked]]:
    """Return, by instrument (loaded with policy and facility), the bookings that count for quotas and shares
    in the local days, weeks and months that a span touches. It takes one statement, none if no policy needs
    them."""
    since: list[datetime] = []
    until: list[datetime] = []
    counting: list[Instrument] = []
    for instrument in instruments:
        if not hasattr(instrument, "policy"):
            continue
        policy = load_policy(instrument.policy)
        span = counted_span(
            policy.quotas, policy.cross_region_share, ZoneInfo(instrument.facility.time_zone), within
        )
        if span is None:
            continue
        counting.append(instrument)
        is_upcoming = any(quota.per == "upcoming" for quota in policy.quotas)
        since.append(min(span.start, now) if is_upcoming else span.start)
        until.append(FOREVER if is_upcoming else span.end)
    booked: dict[UUID, list[Booked]] = {instrument.pk: [] for instrument in counting}
    if not counting:
        return booked
    rows = Reservation.objects.filter(
        Q(deadline_at=None) | Q(deadline_at__gt=now),
        instrument__in=counting,
        state__in=COUNTED,
        end_at__gt=min(since),
        start_at__lt=max(until),
    )
    if without:
        rows = rows.exclude(pk__in=list(without))
    for pk, start, end, user, payer, group, state, region, host_region in rows.values_list(
        "instrument_id",
        "start_at",
        "end_at",
        "user_id",
        "organisation_id",
        "price_group",
        "state",
        "payer_region_id",
        "host_region_id",
    ):
        booked[pk].append(
            Booked(Period(start, end), user, payer, group, region == host_region, state == "no_show")
        )
    return booked


def load_promises(
    instruments: Iterable[Instrument], now: datetime, *, without: Collection[UUID] = ()
) -> dict[UUID, Promises]:
    """Return the hours guaranteed to holders, by instrument (loaded with policy and schedule), for
    instruments that have any; the reservations `without` do not count. It takes two statements, none if no
    instrument has any."""
    keeping = {i.pk: i for i in instruments if keeps(i, now)}
    if not keeping:
        return {}
    kept: dict[UUID, list[Kept]] = {}
    for row in kept_rows(now, without).filter(in_force(now), instrument__in=list(keeping)):
        kept.setdefault(row.instrument_id, []).append(value_of(row))
    if not kept:
        return {}
    within = {pk: Period(now, max(k.window.end for k in rows)) for pk, rows in kept.items()}
    span = Period(now, max(period.end for period in within.values())).padded(1440, 1440)
    blocks = load_blocks(kept, span, now, without=without)
    return {pk: promises_of(keeping[pk], rows, within[pk], blocks[pk]) for pk, rows in kept.items()}


def promises_of(
    instrument: Instrument,
    kept: Iterable[Kept],
    within: Period,
    blocks: Iterable[Block],
    *,
    windows: Sequence[Window] | None = None,
    policy: Policy | None = None,
) -> Promises:
    """Return the guaranteed hours of an instrument joined with its open and taken time. `windows` and
    `policy` replace its present opening hours and policy. It takes no statement."""
    if windows is None:
        windows = load_windows(instrument.schedule, within.start, within.end)
    return Promises(
        kept,
        opened=[Period(w.opens_at, w.closes_at) for w in merged(sorted(windows))],
        taken=[(block.unit, block.period) for block in blocks],
        policy=policy or load_policy(instrument.policy),
    )


def calendar_of(
    instrument: Instrument,
    within: Period,
    blocks: list[Block],
    booked: Iterable[Booked] = (),
    promises: Promises | None = None,
) -> Calendar | None:
    """Return the calendar of an instrument (loaded with policy and schedule) over a span; None if it has no
    policy and so cannot be booked. It takes no statement."""
    if not hasattr(instrument, "policy"):
        return None
    return Calendar(
        windows=load_windows(instrument.schedule, within.start, within.end),
        policy=load_rules(instrument),
        blocks=blocks,
        is_published=instrument.publication == Instrument.Publication.PUBLISHED,
        zone=ZoneInfo(instrument.facility.time_zone),
        booked=booked,
        promises=promises,
    )


def load_calendar(
    instrument: Instrument,
    within: Period,
    now: datetime,
    *,
    without: Collection[UUID] = (),
    lapsed: set[UUID] | None = None,
) -> Calendar | None:
    """Build the calendar of an instrument with what is taken around a span. It takes one statement, one more
    if the policy has quotas or keeps a share for other regions, and two more if hours are guaranteed to
    holders."""
    wide = covered(instrument, within)
    blocks = load_blocks([instrument.pk], wide, now, without=without, lapsed=lapsed)
    booked = load_booked([instrument], within, now, without=without)
    promises = load_promises([instrument], now, without=without).get(instrument.pk)
    return calendar_of(instrument, wide, blocks[instrument.pk], booked.get(instrument.pk, ()), promises)


def covered_all(instruments: Iterable[Instrument], within: Period) -> Period:
    """Return the span that must be loaded to judge bookings `within` a period on any of the instruments."""
    spans = [covered(instrument, within) for instrument in instruments]
    return Period(
        min((span.start for span in spans), default=within.start),
        max((span.end for span in spans), default=within.end),
    )


def covered(instrument: Instrument, within: Period) -> Period:
    """Return the span that must be loaded to judge bookings `within` a period: a day more on each side, and
    whole weeks if the policy keeps a share of them for other regions."""
    wide = within.padded(1440, 1440)
    if not hasattr(instrument, "policy") or instrument.policy.cross_region_share is None:
        return wide
    policy = load_policy(instrument.policy)
    zone = ZoneInfo(instrument.facility.time_zone)
    weeks = counted_span((), policy.cross_region_share, zone, within)
    if weeks is None:
        return wide
    return Period(min(wide.start, weeks.start), max(wide.end, weeks.end))


def around(period: Period) -> Period:
    """Return a span wide enough to search for the nearest period that would be accepted."""
    return Period(
        period.start - NEAREST_WITHIN - timedelta(days=1), period.end + NEAREST_WITHIN + timedelta(days=2)
    )
