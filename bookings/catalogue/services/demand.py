"""Record unmet demand: what people requested and could not get for lack of capacity."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.replica import on_primary
from bookings.availability.domain.availability import UNCERTIFIED
from bookings.catalogue.domain.demand import askable
from bookings.catalogue.domain.searches import to_json
from bookings.catalogue.models import UnmetDemand
from bookings.catalogue.selectors.equivalents import with_equivalents
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.catalogue.selectors.training import with_courses
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import CAPACITY, Refusal, RulesRefuse
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book
from instruments.search.domain.search import Criteria
from instruments.vocabulary.models import Technique


@on_primary()
def demand_searched(by: By, *, organisation: Organisation, criteria: Criteria) -> None:
    """Record a search for free time that found nothing, once per person, query and day (UTC)."""
    if criteria.free_from is None or criteria.free_until is None:
        return
    values = to_json(criteria)
    UnmetDemand.objects.bulk_create(
        [
            UnmetDemand(
                kind=UnmetDemand.Kind.SEARCH,
                user_id=by.actor.person,
                organisation=organisation,
                region_id=organisation.region_id,
                technique=Technique.objects.filter(code=criteria.technique).first()
                if criteria.technique
                else None,
                query=" ".join(f"{name}={value}" for name, value in sorted(values.items()))[:500],
                minutes=criteria.minutes or 0,
                wanted_from=criteria.free_from,
                wanted_until=criteria.free_until,
                on_date=by.now.date(),
                created_at=by.now,
            )
        ],
        ignore_conflicts=True,
    )


def demand_unanswered(
    by: By,
    *,
    person: UUID,
    organisation: Organisation,
    technique: str,
    period: Period,
    minutes: int,
    reason: str,
) -> None:
    """Record an enquiry that hosts could not meet, with the reason as a code, once per person, technique,
    reason and day (UTC)."""
    UnmetDemand.objects.bulk_create(
        [
            UnmetDemand(
                kind=UnmetDemand.Kind.SEARCH,
                user_id=person,
                organisation=organisation,
                region_id=organisation.region_id,
                technique=Technique.objects.filter(code=technique).first(),
                query=f"enquiry={reason} technique={technique}",
                minutes=minutes,
                wanted_from=period.start,
                wanted_until=period.end,
                on_date=by.now.date(),
                created_at=by.now,
            )
        ],
        ignore_conflicts=True,
    )


def demand_refused(
    by: By, *, organisation: Organisation, instrument: Instrument, period: Period, code: str = ""
) -> None:
    """Record a booking refused for lack of capacity, or by the rule `code`, once per person, instrument, code
    and local day."""
    UnmetDemand.objects.bulk_create(
        [
            UnmetDemand(
                kind=UnmetDemand.Kind.REFUSED,
                user_id=by.actor.person,
                organisation=organisation,
                region_id=organisation.region_id,
                instrument=instrument,
                query=f"code={code}" if code else "",
                code=code,
                minutes=period.minutes,
                wanted_from=period.start,
                wanted_until=period.end,
                on_date=local_date(instrument.facility.zone, by.now),
                created_at=by.now,
            )
        ],
        ignore_conflicts=True,
    )


def demand_lacking(
    by: By, *, organisation: Organisation, refused: Iterable[tuple[UUID, Period, Sequence[Refusal]]]
) -> None:
    """Record the unmet demand of a request for many periods at once: for each instrument the first period
    that was refused only for lack of capacity."""
    lacking: dict[UUID, Period] = {}
    for instrument_id, period, refusals in refused:
        if refusals and RulesRefuse(refusals).lacks_capacity:
            lacking.setdefault(instrument_id, period)
    for instrument in Instrument.objects.select_related("facility").filter(pk__in=list(lacking)):
        period = lacking[instrument.pk]
        demand_refused(by, organisation=organisation, instrument=instrument, period=period)


@contextmanager
def attempt(by: By, *, parties: Sequence[Parties], bookings: Sequence[Booking]) -> Iterator[None]:
    """Run the block in a transaction that tries to book. If the rules, or finally the database, refuse for
    lack of capacity, record the unmet demand after the rollback and add to the refusal where else the person
    could book; if a certificate is missing, add the courses that give it."""
    try:
        with guarded():
            yield
    except RulesRefuse as refused:
        raise _remember(by, parties, bookings, refused) from None


@contextmanager
def guarded() -> Iterator[None]:
    """Run the block in a transaction that tries to book; an overlap that only the database notices becomes a
    refusal like any other."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "occupancy_no_overlap" not in str(error):
            raise
        raise RulesRefuse([Refusal("slot-taken")]) from None


def _remember(
    by: By, parties: Sequence[Parties], bookings: Sequence[Booking], refused: RulesRefuse
) -> RulesRefuse:
    refusals: list[Refusal] = []
    for position, (party, booking) in enumerate(zip(parties, bookings, strict=True)):
        own = [r for r in refused.refusals if (r.booking or 0) == position]
        if not own:
            continue
        try:
            instrument = instrument_to_book(by.actor, booking.instrument_id)
        except NotFound:
            refusals += own
            continue
        rule = next((r.code for r in own if r.code not in CAPACITY), "")
        period = _asked(by, party, instrument, booking.period) if rule else booking.period
        if period is not None:
            demand_refused(by, organisation=party.payer, instrument=instrument, period=period, code=rule)
        if not any(r.code in CAPACITY | UNCERTIFIED for r in own):
            refusals += own
            continue
        elsewhere = with_equivalents(
            own, instrument, party.payer, booking.enquiry, by.now, user_id=party.person
        )
        refusals += with_courses(elsewhere, instrument, by.now)
    return RulesRefuse(refusals)


def _asked(by: By, party: Parties, instrument: Instrument, wanted: Period) -> Period | None:
    """Return what counts of a period refused by a rule: nothing of the host's own people, who could explain
    their standby by it."""
    if party.payer.pk == instrument.organisation_id:
        return None
    policy = load_policy(instrument.policy) if hasattr(instrument, "policy") else Policy()
    return askable(wanted, policy, by.now)
