"""What the people of the demonstration want from one instrument, as bookings they would ask."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp

from bookings.demo.services.asks import Ask, ask
from bookings.demo.services.demand import Diaries, Mood, Slot, crowd, wishes
from bookings.demo.services.files import chance
from bookings.demo.services.offers import Offer
from bookings.demo.services.places import Person
from bookings.record.domain.periods import Period
from instruments.domain.opening import local_date
from instruments.selectors.opening import load_holidays, load_windows

IN_VAIN = 0.03  # of bookings, wanted by others too
TRIES = 6  # at finding somebody who is free
FADES = timedelta(days=6)  # in which the wish to book ahead falls to a third


class Wanting:
    """Demand for one instrument; `scale` thins it, `diaries` say where people are already."""

    def __init__(
        self,
        offer: Offer,
        people: Sequence[Person],
        now: datetime,
        *,
        scale: float,
        diaries: Diaries,
    ) -> None:
        self._offer, self._now, self._scale, self._diaries = offer, now, scale, diaries
        self._people, self._weights = crowd(offer, people)

    def asks(self, within: Period, taken: Mapping[int, Sequence[Period]]) -> list[Ask]:
        """Bookings that begin within a span and meet nothing taken. No statement."""
        offer = self._offer
        until = min(within.end, offer.until or within.end)
        if until <= within.start or not self._people:
            return []
        luck = chance("wanting", offer.key, str(within.start - self._now))
        zone, instrument = offer.zone, offer.instrument
        holidays = load_holidays(
            instrument, local_date(zone, within.start), local_date(zone, until)
        )
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
        """Of bookings that were had: some that somebody else wanted too, but later."""
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
