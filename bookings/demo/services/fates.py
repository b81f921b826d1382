"""Decide the fate of a booking: when it was requested, how it was answered, and when it was used.

This is pure computation with chance; the states and their moments are those that the services would leave.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from bookings.availability.domain.approvals import answer_deadline
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import SESSION_LEFT_OPEN, no_show_at
from bookings.world import Offer

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# Of requests that wait for a word
REJECTED, EXPIRED = 0.06, 0.04
# Of what was confirmed
CANCELLED, MISSED, UNATTENDED = 0.085, 0.035, 0.03
CANCELLED_LATE, CANCELLED_BY_HOST = 0.35, 0.15
OVERRUN, LEFT_OPEN = 0.12, 0.02


@dataclass(frozen=True)
class Fate:
    """The final state of a booking with its moments. `is_answered`: a manager decided it; a `check_in`
    without `check_out`: it is still in use."""

    state: str
    requested_at: datetime
    confirmed_at: datetime | None = None
    is_answered: bool = False
    ended_at: datetime | None = None
    is_ended_by_host: bool = False
    check_in: datetime | None = None
    check_out: datetime | None = None
    is_assumed: bool = False


@dataclass(frozen=True)
class Situation:
    """The facts that a booking's fate depends on, besides chance. `free_from`: when the previous user had
    left; `next_at`: when the next booking on the unit begins; `is_sure`: it was certainly used."""

    offer: Offer
    period: Period
    price_group: str
    needs_word: bool
    free_from: datetime
    next_at: datetime
    now: datetime
    is_sure: bool = False


def requested_at(offer: Offer, period: Period, price_group: str, luck: random.Random) -> datetime:
    """Return when the booking was requested: some days ahead, within notice and horizon, mostly in the
    daytime."""
    policy = offer.policy
    least = (policy.notice_minutes + 10) * MINUTE
    most = policy.horizon_for(price_group) * DAY - 10 * MINUTE
    lead = luck.lognormvariate(log(3.5 * 1440), 0.8) * MINUTE
    moment = period.start - min(max(lead, least), most)
    by_day = moment.astimezone(offer.zone).replace(
        hour=luck.randrange(8, 21), minute=luck.randrange(60), second=luck.randrange(60)
    )
    if least <= period.start - by_day <= most:
        moment = by_day.astimezone(moment.tzinfo)
    return moment.replace(microsecond=0)


def fate(situation: Situation, luck: random.Random) -> Fate:
    """Return the fate of a booking whose start has passed."""
    offer, period = situation.offer, situation.period
    requested = requested_at(offer, period, situation.price_group, luck)
    confirmed = requested
    if situation.needs_word:
        deadline = answer_deadline(requested, offer.policy.approval_minutes, period.start)
        confirmed = _answered_at(requested, deadline, luck)
        dice = 1.0 if situation.is_sure else luck.random()
        if dice < REJECTED:
            return Fate("rejected", requested, is_answered=True, ended_at=confirmed, is_ended_by_host=True)
        if dice < REJECTED + EXPIRED:
            return Fate("expired", requested, ended_at=deadline)
    return _after_confirming(situation, requested, confirmed, luck)


def displaced(situation: Situation, closed_at: datetime, luck: random.Random) -> Fate:
    """Return the fate of a booking during which the instrument broke down."""
    offer, period = situation.offer, situation.period
    requested = requested_at(offer, period, situation.price_group, luck)
    requested = min(requested, closed_at - DAY)
    deadline = answer_deadline(requested, offer.policy.approval_minutes, period.start)
    confirmed = requested
    if situation.needs_word:
        confirmed = min(_answered_at(requested, deadline, luck), closed_at - MINUTE)
    return Fate(
        "displaced",
        requested,
        confirmed,
        is_answered=situation.needs_word,
        ended_at=closed_at,
        is_ended_by_host=True,
    )


def _answered_at(requested: datetime, deadline: datetime, luck: random.Random) -> datetime:
    wait = luck.lognormvariate(log(300), 0.9) * MINUTE
    return min(requested + wait, deadline - MINUTE).replace(microsecond=0)


def _after_confirming(
    situation: Situation, requested: datetime, confirmed: datetime, luck: random.Random
) -> Fate:
    period, word, now = situation.period, situation.needs_word, situation.now
    missed_at = no_show_at(period.start, period.end, situation.offer.policy.check_in_minutes)
    dice = 1.0 if situation.is_sure else luck.random()
    if dice < CANCELLED:
        by_host = luck.random() < CANCELLED_BY_HOST
        since = confirmed
        if luck.random() < CANCELLED_LATE:
            since = max(confirmed, period.start - DAY)
        ended = _between(since, period.start, luck)
        return Fate("cancelled", requested, confirmed, word, ended, by_host)
    if missed_at and missed_at <= now and dice < CANCELLED + MISSED:
        return Fate("no_show", requested, confirmed, word, missed_at)
    if not missed_at and period.end <= now and dice < CANCELLED + UNATTENDED:
        return Fate("completed", requested, confirmed, word, period.end)
    return _used(situation, requested, confirmed, luck)


def _used(situation: Situation, requested: datetime, confirmed: datetime, luck: random.Random) -> Fate:
    period, word, now = situation.period, situation.needs_word, situation.now
    latest = situation.offer.policy.check_in_minutes or 30
    late = luck.triangular(-12, min(25, latest - 2), 2) * MINUTE
    check_in = max(period.start + late, situation.free_from, confirmed + MINUTE)
    check_in = min(check_in, now, period.end - 5 * MINUTE).replace(microsecond=0)
    left_open = luck.random() < LEFT_OPEN
    settled = period.end + SESSION_LEFT_OPEN
    if left_open and settled <= min(now, situation.next_at):
        return Fate(
            "completed", requested, confirmed, word, settled,
            check_in=check_in, check_out=period.end, is_assumed=True,
        )  # fmt: skip
    if luck.random() < OVERRUN:
        check_out = period.end + luck.triangular(1, 14, 4) * MINUTE
    else:
        check_out = period.end - period.length * luck.triangular(0, 0.3, 0.02)
    check_out = max(check_out, check_in + 5 * MINUTE).replace(microsecond=0)
    if period.end > now <= check_out:
        return Fate("in_use", requested, confirmed, word, check_in=check_in)
    check_out = min(check_out, now)
    return Fate("completed", requested, confirmed, word, check_out, check_in=check_in, check_out=check_out)


def _between(since: datetime, until: datetime, luck: random.Random) -> datetime:
    moment = since + (until - since) * luck.random()
    return max(since, moment.replace(microsecond=0))
