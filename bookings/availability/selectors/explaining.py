"""Explain why a period cannot be booked, and which one could be."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bookings.availability.domain.availability import STANDING, Calendar, Wish
from bookings.availability.selectors.availability import around, load_calendar
from bookings.record.domain.refusals import Refusal
from instruments.register.models import Instrument


def load_explained(
    instrument: Instrument, calendar: Calendar, wish: Wish, now: datetime, *, without: Collection[UUID] = ()
) -> tuple[Refusal, ...]:
    """Explain a wish by a calendar that covers the days around it. If none of these can be booked because
    they are over or too far ahead, the nearest period is looked for where bookings may start; this loads a
    second calendar."""
    refusals = calendar.explain(wish, now)
    if not refusals or refusals[0].nearest or STANDING & {refusal.code for refusal in refusals}:
        return refusals
    reach = calendar.within_reach(wish, now)
    if wish.keeps_start or reach == wish.period:
        return refusals
    there = load_calendar(instrument, around(reach), now, without=without)
    if there is None:
        return refusals
    there.policy = calendar.policy
    nearest = there.nearest(replace(wish, period=reach), now)
    return tuple(replace(refusal, nearest=nearest) for refusal in refusals)
