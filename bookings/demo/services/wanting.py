"""Generate the bookings that the people of the demonstration want on one instrument."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp

from bookings.demo.services.asks import Ask, ask
from bookings.demo.services.demand import Diaries, Mood, Slot, crowd, wishes
from bookings.demo.services.files import chance
from bookings.record.domain.periods import Period
from bookings.world import Offer, Person
from instruments.opening.selectors.opening import load_holidays, load_windows
from instruments.reading.domain.clock import local_date

IN_VAIN = 0.03  # of bookings, wanted by others too
TRIES = 6  # at finding somebody who is free
FADES = timedelta(days=6)  # in which the wish to book ahead falls to a third


class Wanting:
    """The demand for one instrument. `scale` reduces it; `diaries` hold where people are already."""

    def __init__(
        self, offer: Offer, people: Sequence[Person], now: datetime, *, scale: float, diaries: Diaries
    ) -> None:
        self._offer, self._now, self._scale, self._diaries = offer, now, scale, diaries
        self._people, self._weights = crowd(offer, people)

    def asks(self, within: Period, taken: Mapping[int, Sequence[Period]]) -> list[Ask]:
        """Return bookings that begin within a span and overlap nothing taken. It takes no statement."""
        offer = self._offer
        until = min(within.end, offer.until or within.end)
        if until <= within.start or not self._people:
            return []
        luck = chance("wanting", offer.key, str(within.start - self._now))
        zone, instrument = offer.zone, offer.instrument
        holidays = load_holidays(instrument, local_date(zone, within.start), local_date(zone, until))
        mood = Mood(offer.data["load"], zone, holidays)
        slots = wishes(
            windows=load_windows(instrument.schedule, within.start, until),
            policy=offer.policy,
            taken=taken,
            within=Period(within.start, until),
            share=lambda moment: mood.at(moment) * self._fading(moment),
            lengths=offer.data["hours"],
            luck=luck,
        )
        bookings = []
        for slot in slots:
            person = self._whoever_is_free(slot, luck)
            if person:
                bookings.append(ask(offer, person, slot, luck))
        return bookings

    def in_vain(self, asks: Sequence[Ask]) -> list[Ask]:
        """Return copies of some bookings for other people, who wanted the same time but came later."""
        luck = chance("in vain", self._offer.key)
        bookings = []
        for had in asks:
            person = luck.choices(self._people, self._weights)[0]
            if luck.random() < IN_VAIN and person is not had.person:
                bookings.append(replace(had, person=person))
        return bookings

    def _whoever_is_free(self, slot: Slot, luck: random.Random) -> Person | None:
        for _ in range(TRIES):
            person = luck.choices(self._people, self._weights)[0]
            if self._diaries.enter(person, slot.period):
                return person
        return None

    def _fading(self, moment: datetime) -> float:
        ahead = max(moment - self._now, timedelta())
        return self._scale * exp(-(ahead / FADES))
