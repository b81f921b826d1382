"""The waiting list at a moment: who waits, in which order, and what is offered to whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.catalogue.selectors.equivalents import equivalents_of
from bookings.plans.domain import waiting as rules
from bookings.plans.models import WaitingOffer, WaitingWish
from bookings.pricing.selectors.fees import card_on, load_terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from bookings.record.models import Reservation
from instruments.rates.selectors.ratecards import CardInForce
from instruments.register.models import Instrument

# The most instruments of one entry, including the named one.
MOST_INSTRUMENTS = 100
_OFFERS = WaitingOffer.objects.filter(wish=OuterRef("pk"))
# A hold has no quote; once booked it has one, whatever becomes of the booking.
_TAKEN = Q(reservation__quotes__isnull=False)
_TAKEN_OF = Reservation.objects.filter(pk=OuterRef("reservation"), quotes__isnull=False)
WITH = (
    "instrument__facility",
    "instrument__organisation",
    "instrument__region",
    "instrument__policy",
    "organisation__region",
    "user",
)


@dataclass(frozen=True)
class WaitingEntry:
    """A waiting-list entry at a moment. rank: its place in line, from 1, while it waits; offer: the slot held
    for it, if any; taken: the offer that became its booking."""

    wish: WaitingWish
    state: str
    ended_at: datetime | None
    rank: int | None
    offer: Reservation | None
    taken: Reservation | None

    @property
    def label(self) -> str:
        """Return the state of the entry in words."""
        return str(WaitingWish.State(self.state).label)


def open_wishes(now: datetime) -> QuerySet[WaitingWish]:
    """Return the open waiting-list entries, in the order in which they are served. An entry counts as over
    once its window has passed or its offer was accepted, even before a job has recorded that."""
    return WaitingWish.objects.filter(
        ~Exists(_OFFERS.filter(_TAKEN)), state=WaitingWish.State.WAITING, latest__gt=now
    ).order_by("created_at", "id")


def ended_wishes(now: datetime) -> QuerySet[WaitingWish]:
    """Return the waiting-list entries that are over, but not yet stored as such."""
    return WaitingWish.objects.filter(
        Q(latest__lte=now) | Exists(_OFFERS.filter(_TAKEN)), state=WaitingWish.State.WAITING
    ).order_by("latest", "id")


def _stands(now: datetime) -> Q:
    """Return a condition: the offered slot is still held."""
    held = Q(reservation__state=Reservation.State.HELD)
    return held & Q(reservation__deadline_at__gt=now)


def unoffered(wishes: QuerySet[WaitingWish], now: datetime) -> QuerySet[WaitingWish]:
    """Return only those waiting-list entries that have no open offer."""
    return wishes.filter(~Exists(_OFFERS.filter(_stands(now))))


def next_in_line(instrument_id: UUID, now: datetime) -> QuerySet[WaitingWish]:
    """Return the waiting-list entries for an instrument that have no open offer, in the order in which they
    are served."""
    return unoffered(open_wishes(now).filter(instruments__contains=[instrument_id]), now).select_related(
        *WITH
    )


def standing_offer(wish_id: UUID, now: datetime) -> WaitingOffer | None:
    """Return the open offer of a waiting-list entry; None if it has none."""
    return WaitingOffer.objects.filter(_stands(now), wish_id=wish_id).first()


def offers_to(user_id: UUID, now: datetime) -> QuerySet[WaitingOffer]:
    """Return the open offers to a person."""
    return WaitingOffer.objects.filter(_stands(now), reservation__user_id=user_id)


def wishes_for(actor: Actor) -> QuerySet[WaitingWish]:
    """Return the actor's waiting-list entries, and those for instruments that they manage; newest first."""
    seen = Q(user_id=actor.person)
    if managed := actor.scope_where("manage-instruments"):
        seen |= in_scope(managed, "instrument__organisation_id")
    return (
        WaitingWish.objects.filter(seen)
        .select_related(*WITH)
        .prefetch_related(Prefetch("regions", Region.objects.order_by("name", "code")))
        .order_by("-created_at", "-id")
    )


def in_states(wishes: QuerySet[WaitingWish], states: Collection[str], now: datetime) -> QuerySet[WaitingWish]:
    """Return the waiting-list entries that are in one of the states at a moment, whether or not that is
    stored yet."""
    conditions = Q(state__in=set(states) - {"waiting"})
    unsettled, is_taken = Q(state="waiting"), Q(Exists(_OFFERS.filter(_TAKEN)))
    if "waiting" in states:
        conditions |= unsettled & ~is_taken & Q(latest__gt=now)
    if "fulfilled" in states:
        conditions |= unsettled & is_taken
    if "expired" in states:
        conditions |= unsettled & ~is_taken & Q(latest__lte=now)
    return wishes.filter(conditions)


def own_wishes(actor: Actor) -> QuerySet[WaitingWish]:
    """Return the actor's own waiting-list entries, newest first."""
    return wishes_for(actor).filter(user_id=actor.person)


def wish_by_id(actor: Actor, wish_id: UUID) -> WaitingWish:
    """Return a waiting-list entry; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(wishes_for(actor), pk=wish_id)


def load_entries(wishes: Sequence[WaitingWish], now: datetime) -> list[WaitingEntry]:
    """Return the waiting-list entries as they are at a moment, in the given order. Two statements, whatever
    their number."""
    held: dict[UUID, Reservation] = {}
    taken: dict[UUID, Reservation] = {}
    for offer in (
        WaitingOffer.objects.filter(wish__in=wishes)
        .select_related("reservation__instrument__facility", "reservation__organisation")
        .annotate(is_taken=Exists(_TAKEN_OF))
        .order_by("offered_at", "id")
    ):
        row = offer.reservation
        if offer.is_taken:
            taken[offer.wish_id] = row
        elif row.state == "held" and row.deadline_at is not None and row.deadline_at > now:
            held[offer.wish_id] = row
    waiting = [wish for wish in wishes if wish.state == "waiting"]
    line = _line({wish.instrument_id for wish in waiting}, now)
    entries = []
    for wish in wishes:
        mine = taken.get(wish.pk)
        state, ended_at = rules.state_at(wish.state, wish.latest, mine.requested_at if mine else None, now)
        entries.append(
            WaitingEntry(
                wish=wish,
                state=state,
                ended_at=ended_at or wish.ended_at,
                rank=line.get(wish.instrument_id, {}).get(wish.pk) if state == "waiting" else None,
                offer=held.get(wish.pk),
                taken=mine,
            )
        )
    return entries


def _line(instrument_ids: Collection[UUID], now: datetime) -> dict[UUID, dict[UUID, int]]:
    """Return, for each instrument, the position in line of each waiting-list entry by its id."""
    if not instrument_ids:
        return {}
    waiting = list(
        open_wishes(now)
        .filter(instruments__overlap=list(instrument_ids))
        .only("id", "created_at", "instruments")
    )
    return {pk: rules.ranks(wish for wish in waiting if pk in wish.instruments) for pk in instrument_ids}


def load_instruments(wish: WaitingWish) -> list[UUID]:
    """Return the instruments that a waiting-list entry accepts, the named one first."""
    ids = [wish.instrument_id]
    if wish.any_equivalent:
        regions = list(wish.regions.values_list("pk", flat=True))
        others = equivalents_of(wish.instrument, regions=regions)
        ids += [other.pk for other in others[: MOST_INSTRUMENTS - 1]]
    return ids


def load_hindrances(wishes: Sequence[WaitingWish], now: datetime) -> dict[UUID, tuple[Refusal, ...]]:
    """Return, by waiting-list entry, why its named instrument could not be offered at present whatever became
    free: it is out of service, has no price for the group, or requires a certificate that the person lacks.
    At most four statements each."""
    hindrances = {}
    for wish in wishes:
        instrument = wish.instrument
        moment = max(wish.earliest, now)
        terms = load_terms(instrument, wish.organisation, moment)
        asker = load_asker(instrument, wish.organisation, terms, user_id=wish.user_id, mode=wish.service_mode)
        hindrances[wish.pk] = rules.hindrances(
            asker,
            Period(moment, wish.latest),
            wish.minutes,
            is_published=instrument.publication == Instrument.Publication.PUBLISHED,
        )
    return hindrances


def currency_of(by_instrument: Mapping[UUID, list[CardInForce]], wish: WaitingWish, moment: datetime) -> str:
    """Return the currency of the instrument that a waiting-list entry names: by its rate card on the day,
    otherwise by its last one."""
    cards = by_instrument.get(wish.instrument_id, [])
    card = card_on(wish.instrument, cards, moment)
    card = card or (cards[-1] if cards else None)
    return card.values.currency if card else ""


def load_currencies(wishes: Sequence[WaitingWish]) -> dict[UUID, str]:
    """Return the currency in which each waiting-list entry, by id, states its price limit. One statement."""
    cards = load_cards(list({wish.instrument_id for wish in wishes}))
    return {wish.pk: currency_of(cards, wish, wish.earliest) for wish in wishes}
