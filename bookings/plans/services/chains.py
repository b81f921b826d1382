"""Chains: several steps on different instruments, found and booked together."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import Actor, By
from bookings.availability.domain.times_of_day import TimesOfDay
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.services.demand import attempt
from bookings.funding.domain.funding import Share
from bookings.funding.services.earmarks import purses_lock
from bookings.plans.domain.chains import gaps_to_json
from bookings.plans.selectors.chains import StepWish, chain_for, load_chains, require_steps
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.domain.steps import Placed, is_in_order
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import manages
from bookings.reserving.locks import lock_chain
from bookings.reserving.models import Chain
from bookings.reserving.selectors.cancelling import is_left
from bookings.reserving.services.holds import holds_give_back
from bookings.reserving.services.occupancy import lineage_of
from bookings.reserving.services.placing import parties_of
from bookings.reserving.services.reservations import reservation_drop, reservations_put
from instruments.register.locks import lock_instruments


def chain_book(
    by: By,
    *,
    steps: Sequence[StepWish],
    organisation: str | None,
    purpose: str,
    purpose_text: str,
    within: Period,
    starts: Sequence[datetime] | None = None,
    times: TimesOfDay | None = None,
    funding: Sequence[Share] | None = (),
    together: bool = False,
) -> Chain | None:
    """Book all steps or none: at the given starts, or in the first suggested way, within `times` of the day
    if given. `together`: all steps begin at the same moment; then pauses are ignored, each is a booking of
    its own, and no chain (None) is returned.

    Raises `RulesRefuse`, which names each refused step by its number from 0, `chain-order` if the starts do
    not keep the requested pauses; `WrongState` (`no-chain`) if there is no way. `funding` pays for each step.
    The actor's own holds on the instruments are given up for it.
    """
    require_steps(steps, within)
    if starts is not None and len(starts) != len(steps):
        raise invalid("starts", "not-one-each", steps=len(steps))
    bookings: list[Booking] = []
    parties: list[Parties] = []
    with attempt(by, parties=parties, bookings=bookings):
        instruments = lock_instruments({step.instrument_id for step in steps})
        for instrument in instruments:
            holds_give_back(by, person=by.actor.person, instrument=instrument)
        if starts is None:
            ways = load_chains(
                *(by.actor, organisation, steps, within, by.now),
                most=1,
                together=together,
                times=times,
                priced=False,
            ).ways
            if not ways:
                raise WrongState("no-chain")
            starts = [stage.period.start for stage in ways[0].stages]
        elif together:
            starts = [starts[0]] * len(steps)
        for step, start in zip(steps, starts, strict=True):
            bookings.append(_booking(step, start, organisation, purpose, purpose_text, funding))
            parties.append(parties_of(by.actor, bookings[-1]))
        if together:
            reservations_put(by, parties=parties, bookings=bookings)
            return None
        return _book(by, parties, bookings, steps)


def _booking(
    step: StepWish,
    start: datetime,
    organisation: str | None,
    purpose: str,
    purpose_text: str,
    funding: Sequence[Share] | None,
) -> Booking:
    return Booking(
        instrument_id=step.instrument_id,
        period=Period(start, start + timedelta(minutes=step.minutes)),
        organisation=organisation,
        service_mode=step.service_mode,
        purpose=purpose,
        purpose_text=purpose_text,
        samples=step.samples,
        options=step.options,
        quantity=step.quantity,
        funding=None if funding is None else tuple(funding),
        house_rules=step.house_rules,
    )


def _book(
    by: By, parties: Sequence[Parties], bookings: Sequence[Booking], steps: Sequence[StepWish]
) -> Chain:
    gaps = [step.gap for step in steps[1:]]
    placed = [Placed(number, b.period) for number, b in enumerate(bookings, start=1)]
    for index in range(1, len(placed)):
        if not is_in_order(placed[index - 1 : index + 1], gaps):
            raise RulesRefuse([Refusal("chain-order", booking=index)])
    chain = Chain.objects.create(
        user_id=by.actor.person, organisation=parties[0].payer, gaps=gaps_to_json(gaps), created_at=by.now
    )
    reservations = reservations_put(
        by, parties=parties, bookings=bookings, extras=[{"chain": chain, "step": p.step} for p in placed]
    )
    _record(by, chain, "chain.create", reservations)
    return chain


def _record(by: By, chain: Chain, action: str, reservations: Sequence[Reservation], reason: str = "") -> None:
    hosts = [r.host_id for r in reservations]
    regions = [region for r in reservations for region in lineage_of(r)]
    trail.record(
        by,
        action,
        chain,
        after={"gaps": chain.gaps, "reservations": [r.pk for r in reservations]},
        reason=reason,
        places=([chain.organisation_id, *hosts], regions),
    )


@transaction.atomic
def chain_cancel(by: By, *, chain_id: UUID, reason: str) -> Chain:
    """Cancel all steps that are left and that the actor may cancel, each by the rules of
    `reservation_cancel`: all of them or none. A host cancels the steps on its own instruments. Raises
    `WrongState` (`chain-over`) if none is left."""
    chain_for(by.actor, chain_id)
    rows = Reservation.objects.filter(chain=chain_id).values_list("pk", "instrument_id")
    ids = dict(rows)
    instruments = {i.pk: i for i in lock_instruments(ids.values())}
    locked = lock_reservations(ids)
    chain = lock_chain(chain_id)
    by.require_version(chain.version)
    for reservation in locked:
        reservation.instrument = instruments[reservation.instrument_id]
    seen = [r for r in locked if _is_theirs(by.actor, r)]
    left = [r for r in seen or locked if is_left(r, by.now)]
    if not left:
        raise WrongState("chain-over")
    purses_lock(left)
    for reservation in left:
        reservation_drop(
            by, instrument=instruments[reservation.instrument_id], reservation=reservation, reason=reason
        )
    chain.version += 1
    chain.save(update_fields=["version"])
    _record(by, chain, "chain.cancel", left, reason.strip())
    return chain


def _is_theirs(actor: Actor, reservation: Reservation) -> bool:
    """Say whether the actor may act on a step: as its person, or as a manager of the payer or the host."""
    return (
        actor.user_id in {reservation.user_id, reservation.made_by_id}
        or reservation.organisation_id in actor.organisations_where("book-for-members")
        or manages(actor, reservation)
    )
