"""Generate past use: for each instrument the bookings of the last months, one after the other."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from bookings.availability.domain.approvals import needs_approval
from bookings.demo.services.asks import Ask, terms_of
from bookings.demo.services.fates import Fate, Situation, displaced, fate
from bookings.demo.services.files import chance, load, written
from bookings.demo.services.ledger import Ledger, PastBooking
from bookings.pricing.selectors.fees import Terms, quote_input
from bookings.record.domain.periods import Period
from bookings.record.domain.ratings import MARKS
from bookings.record.models import Reservation, SessionRating, UsageSession
from bookings.world import Offer

RATED, REMARKED = 0.4, 0.35
RATINGS, RATING_WEIGHTS = (5, 4, 3, 2, 1), (55, 30, 10, 4, 1)


@dataclass
class Unit:
    """The state of a unit as its past is generated. `taken`: the spans of closures, in order; `free_from`:
    when the last user left."""

    taken: Sequence[Period]
    free_from: datetime


@dataclass
class History:
    """The past of one instrument."""

    offer: Offer
    ledger: Ledger
    now: datetime
    units: dict[int, Unit]
    luck: random.Random
    known: set[UUID] = field(default_factory=set)  # who has completed a session

    def follow(self, asks: Sequence[Ask]) -> None:
        """Decide the fate of each booking, in order of start, and add it to the ledger."""
        for ask, next_at in zip(asks, _next_starts(asks), strict=True):
            unit = self.units[ask.slot.unit]
            free_from = max([unit.free_from, *(t.end for t in unit.taken if t.end <= ask.period.start)])
            terms = terms_of(self.offer, self.ledger.backings[ask.payer.pk], ask.period.start)
            became = fate(self._situation(ask, terms, free_from, next_at), self.luck)
            left = self._enter(ask, terms, became)
            if left:
                unit.free_from = max(left.end, became.check_out or left.end)
            if became.state == "completed" and became.check_in:
                self.known.add(ask.person.user.pk)

    def displace(self, asks: Sequence[Ask], closed_at: datetime) -> None:
        """Add bookings that a breakdown displaced."""
        for ask in asks:
            terms = terms_of(self.offer, self.ledger.backings[ask.payer.pk], ask.period.start)
            situation = self._situation(ask, terms, ask.period.start, ask.period.end)
            self._enter(ask, terms, displaced(situation, closed_at, self.luck))

    def _situation(self, ask: Ask, terms: Terms, free_from: datetime, next_at: datetime) -> Situation:
        needs_word = needs_approval(
            self.offer.policy.approval,
            is_cross_region=ask.payer.region_id != self.offer.instrument.region_id,
            has_completed=ask.person.user.pk in self.known,
        )
        return Situation(
            offer=self.offer,
            period=ask.period,
            price_group=terms.price_group,
            needs_word=needs_word,
            free_from=free_from,
            next_at=next_at,
            now=self.now,
            is_sure=ask.is_planned,
        )

    def _enter(self, ask: Ask, terms: Terms, became: Fate) -> Period | None:
        given = quote_input(self.offer.instrument, terms, ask.enquiry)
        if given is None or terms.card is None:
            raise ValueError(f"{self.offer.key} does not serve {terms.price_group}")
        reservation = self._reservation(ask, terms, terms.card.id, became)
        session = self._session(ask, reservation, became)
        entry = PastBooking(
            reservation=reservation,
            given=given,
            fate=became,
            person=ask.person.actor,
            manager=self.offer.manager.actor,
            session=session,
            marks=self._marks(session) if session else None,
        )
        return self.ledger.add(entry)

    def _reservation(self, ask: Ask, terms: Terms, rate_card: UUID, became: Fate) -> Reservation:
        offer, payer, policy = self.offer, ask.payer, self.offer.policy
        instrument = offer.instrument
        steps = [became.is_answered and became.confirmed_at, became.check_in, became.ended_at]
        return Reservation(
            instrument=instrument,
            unit=ask.slot.unit,
            start_at=ask.period.start,
            end_at=ask.period.end,
            setup_minutes=policy.setup_minutes,
            teardown_minutes=policy.teardown_minutes,
            state=became.state,
            user=ask.person.user,
            made_by=ask.person.user,
            organisation=payer,
            payer_region=payer.region,
            host=instrument.organisation,
            host_region=instrument.region,
            service_mode=ask.mode,
            purpose=ask.purpose,
            purpose_text=ask.purpose_text,
            samples=ask.samples,
            price_group=terms.price_group,
            agreement_id=terms.agreement_id,
            rate_card_id=rate_card,
            policy_version=instrument.policy.version,
            requested_at=became.requested_at,
            confirmed_at=became.confirmed_at,
            decided_by=offer.manager.user if became.is_answered else None,
            ended_at=became.ended_at,
            is_ended_by_host=became.is_ended_by_host,
            reason=self._reason(ask, became),
            version=1 + sum(map(bool, steps)),
        )

    def _reason(self, ask: Ask, became: Fate) -> str:
        texts, host = load("texts"), self.offer.manager.user.language
        match became.state:
            case "rejected":
                return written(texts["rejected"], host, self.luck)
            case "displaced":
                return written(texts["closures"]["breakdown"], host, self.luck)
            case "cancelled" if became.is_ended_by_host:
                return written(texts["cancelled_by_host"], host, self.luck)
            case "cancelled":
                return written(texts["cancelled"], ask.person.user.language, self.luck)
            case _:
                return ""

    def _session(self, ask: Ask, reservation: Reservation, became: Fate) -> UsageSession | None:
        if became.check_in is None:
            return None
        luck, user = self.luck, ask.person.user
        session = UsageSession(
            reservation=reservation,
            instrument=self.offer.instrument,
            unit=ask.slot.unit,
            checked_in_at=became.check_in,
            checked_out_at=became.check_out,
            is_assumed=became.is_assumed,
            service_mode=ask.mode,
        )
        if became.check_out is None or became.is_assumed:
            return session
        session.samples = ask.count
        if luck.random() < RATED:
            session.rating = luck.choices(RATINGS, RATING_WEIGHTS)[0]
            if luck.random() < REMARKED:
                session.remarks = written(load("texts")["remarks"], user.language, luck)
        return session

    def _marks(self, session: UsageSession) -> SessionRating | None:
        """Return the marks of a rating, or None: half of those who rate give marks the next day, close to
        their overall rating."""
        if session.rating is None or session.checked_out_at is None:
            return None
        rated_at = session.checked_out_at + timedelta(days=1)
        if rated_at >= self.now or session.pk.int % 2:
            return None
        marks = {name: min(5, session.rating + (session.pk.int >> n) % 2) for n, name in enumerate(MARKS, 1)}
        return SessionRating(session=session, rated_at=rated_at, **marks)


def history_of(
    offer: Offer, ledger: Ledger, taken: dict[int, list[Period]], since: datetime, now: datetime
) -> History:
    units = {
        unit: Unit(taken.get(unit, []), since - timedelta(days=1))
        for unit in range(1, offer.policy.units + 1)
    }
    return History(offer, ledger, now, units, chance("past", offer.key))


def _next_starts(asks: Sequence[Ask]) -> list[datetime]:
    """Return for each booking the start of the next one on its unit."""
    next_start: dict[int, datetime] = {}
    result = []
    for ask in reversed(asks):
        far = ask.period.end + timedelta(days=30)
        result.append(next_start.get(ask.slot.unit, far))
        next_start[ask.slot.unit] = ask.period.start
    return result[::-1]
