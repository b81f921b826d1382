"""Create the closures of the demonstration, past and to come, each on the day it was announced."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.domain.roles import By
from bookings.availability.models import Closure
from bookings.demo.services.files import chance, load, written
from bookings.record.domain.periods import Period
from bookings.usage.services.closures import Outage, closure_create
from bookings.world import Calendar, Offer
from instruments.reading.domain.clock import instant

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# kind, how likely in the time looked at, hours it may last
PAST = (
    ("maintenance", 0.45, (4, 9, 24, 33)),
    ("calibration", 0.4, (2, 3, 4)),
    ("breakdown", 0.35, (5, 20, 30, 52)),
    ("training", 0.2, (3, 4)),
    ("own-use", 0.15, (8, 24)),
)
ANNOUNCED = 10 * DAY


def outages_make(offers: Sequence[Offer], calendar: Calendar, since: Period) -> int:
    """Create all closures and return how many. Call it before anything is booked, so that no booking is in
    their way."""
    count = sum(_past_make(offer, since) for offer in offers)
    by_key = {offer.key: offer for offer in offers}
    for row in load("planned")["closures"]:
        offer = by_key[row["instrument"]]
        start = instant(offer.zone, calendar.day(offer.zone, row["days"]), row["hour"] * 60)
        end = start + row["length"] * HOUR if "length" in row else None
        units = tuple(row.get("units", ()))
        announced = chance("announced", offer.key).uniform(2, 9) * DAY
        moment = start if row["kind"] == "breakdown" else calendar.now - announced
        _closure(offer, Outage(row["kind"], start, end, units), moment)
        count += 1
    return count


def breakdowns_of(offer: Offer, within: Period) -> list[Period]:
    """Return the breakdowns of an instrument that began and ended in a span."""
    rows = Closure.objects.filter(
        instrument=offer.instrument,
        kind=Closure.Kind.BREAKDOWN,
        start_at__gte=within.start,
        end_at__lte=within.end,
    ).order_by("start_at")
    return [Period(row.start_at, row.end_at) for row in rows if row.end_at]


def _past_make(offer: Offer, past: Period) -> int:
    luck = chance("outages", offer.key)
    over: list[Period] = []
    for kind, likely, lengths in PAST:
        days = luck.randrange(3, past.length.days - 6)
        hour, length = luck.choice((8, 9, 10, 13, 14)), luck.choice(lengths)
        if luck.random() >= likely:
            continue
        day = past.start.astimezone(offer.zone).date() + timedelta(days=days)
        start = instant(offer.zone, day, hour * 60)
        period = Period(start, start + length * HOUR)
        if offer.until and period.end > offer.until:
            continue
        if any(period.padded(60, 60).meets(other) for other in over):
            continue
        over.append(period)
        announced = start if kind == "breakdown" else start - ANNOUNCED
        _closure(offer, Outage(kind, start, period.end), announced)
    return len(over)


def _closure(offer: Offer, outage: Outage, now: datetime) -> Closure:
    texts = load("texts")["closures"][outage.kind]
    manager = offer.manager
    luck = chance("outage", offer.key, outage.kind)
    return closure_create(
        By(manager.actor, now),
        instrument_id=offer.instrument.pk,
        outage=Outage(
            outage.kind, outage.start, outage.end, outage.units, written(texts, manager.user.language, luck)
        ),
        displace=False,
    )
