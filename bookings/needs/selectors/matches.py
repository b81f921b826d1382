"""The instruments that answer a need, with their time and price as the payer would have them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import QuerySet, Sum

from accounts.models import Organisation, Region
from bookings.catalogue.selectors.askers import works_alone
from bookings.catalogue.selectors.catalogue import Offer, load_offers
from bookings.catalogue.selectors.catalogue_candidates import Sieve, candidates
from bookings.needs.domain.matching import (
    WEIGHTS,
    Candidate,
    Match,
    match,
    nearness,
    trusted,
    working_days,
)
from bookings.needs.models import HostRecord, Need
from bookings.needs.selectors.needs import load_chosen, load_requirements
from bookings.pricing.selectors.agreements import load_recognised
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.pricing.selectors.fees import Backing, load_backing
from bookings.record.domain.periods import Period
from instruments.domain.capabilities import Requirement, fit
from instruments.domain.opening import local_date
from instruments.domain.search import Criteria, key
from instruments.domain.techniques import above
from instruments.models import Instrument, SearchEntry
from instruments.selectors.capabilities import failing, load_capabilities
from instruments.selectors.needs import load_vocabulary
from instruments.selectors.policies import load_policy
from instruments.selectors.qualifications import load_qualified
from instruments.selectors.registry import WITH

MOST = 50
SOON, NEAR = 15, 10  # of them: those that are free first, and those of the payer's region
FEW = 5  # below so many, instruments of neighbouring techniques are asked too
SOON_DAYS = 4
_COUNTS = ("bookings", "cancelled", "requests", "unanswered")
_MEAN = "needs.trust"  # the mean of all hosts, in the cache
_ROOT = "PaNET00"  # what holds everything, and says nothing


@dataclass(frozen=True)
class Wanted:
    """A need as matching asks it: techniques by code, the best first; requirements that none may
    fail; modes, regions: none for any; budget: in `currency`; without: instruments that are out
    of the question."""

    techniques: tuple[str, ...]
    earliest: datetime
    latest: datetime
    minutes: int
    payer: Organisation
    person: UUID
    requirements: tuple[Requirement, ...] = ()
    modes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    quantity: int | None = None
    budget: Decimal | None = None
    currency: str = ""
    weights: Mapping[str, float] | None = None
    without: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Answer:
    """An instrument and how it answers a need. mode: how one would work; payable: in the currency
    of the payer; gate: why it is no match, else `match` is there."""

    instrument: Instrument
    offer: Offer
    mode: str
    fits: tuple[tuple[Requirement, str], ...]
    payable: Decimal | None
    match: Match | None = None
    gate: str = ""


def wanted_of(need: Need) -> Wanted:
    """A need as matching asks it."""
    terms = load_chosen(need.terms)
    return Wanted(
        techniques=tuple(dict.fromkeys(code for term in terms for code in term.techniques)),
        earliest=need.earliest,
        latest=need.latest,
        minutes=need.minutes,
        payer=need.organisation,
        person=need.user_id,
        requirements=load_requirements(need),
        modes=tuple(need.modes),
        regions=tuple(need.regions.all()),
        quantity=need.quantity,
        budget=need.budget,
        currency=need.currency,
        weights=need.weights or None,
    )


def load_matches(
    question: Wanted, now: datetime, *, most: int = MOST, starts: int = 1
) -> list[Answer]:
    """The best first, and after them those that came near but do not pass, with their gate; each
    with its first starts, so many.

    Looked at are the cheapest of those with room in the window, beside them the first that are
    free and those of the payer's own region; instruments of neighbouring techniques where these
    are few."""
    means = _means(question, now)
    chosen = _chosen(question, means, now, most)
    return answers(question, chosen, now, means=means, starts=starts)


@dataclass(frozen=True)
class Means:
    """What the payer brings: agreements and grants, and what one unit of each currency is worth in
    that of the need."""

    backing: Backing
    worths: Mapping[str, Decimal]


def _means(question: Wanted, now: datetime) -> Means:
    region = question.payer.region
    today = local_date(ZoneInfo(region.time_zone), now)
    worths = load_worths(question.payer, question.currency or region.currency, today)
    return Means(load_backing(question.payer), worths)


def load_answer(question: Wanted, instrument: Instrument, now: datetime) -> Answer:
    """How one instrument answers a need, or which gate shuts it out."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=instrument.pk)
    return answers(question, [instrument], now)[0]


def answers(
    question: Wanted,
    instruments: Sequence[Instrument],
    now: datetime,
    *,
    means: Means | None = None,
    starts: int = 1,
) -> list[Answer]:
    """How instruments (facility, schedule, policy loaded) answer a need, the best first."""
    means = means or _means(question, now)
    modes, uncertified = _modes(question, instruments)
    offers: dict[UUID, Offer] = {}
    for mode in sorted(set(modes.values())):
        offers |= load_offers(
            [i for i in instruments if modes[i.pk] == mode],
            question.payer,
            now,
            backing=means.backing,
            user_id=question.person,
            mode=mode or None,
            span=Period(max(question.earliest, now), max(question.latest, now)),
            minutes=question.minutes,
            quantity=question.quantity,
            most=starts,
        )
    stated = load_capabilities([i.pk for i in instruments]) if question.requirements else {}
    trust = load_trust({i.organisation_id for i in instruments})
    techniques = _techniques(instruments)
    by_instrument: dict[UUID, Answer] = {}
    for instrument in instruments:
        offer = offers[instrument.pk]
        payable = None
        if offer.quote is not None and offer.currency in means.worths:
            payable = offer.quote.payable * means.worths[offer.currency]
        by_instrument[instrument.pk] = Answer(
            instrument,
            offer,
            modes[instrument.pk],
            tuple(
                (each, fit(each, stated.get(instrument.pk, ()))) for each in question.requirements
            ),
            payable,
        )
    lineages, parents = _lineages(question.techniques, techniques)
    given = [
        Candidate(
            key=pk,
            nearness=nearness(techniques.get(pk, ()), question.techniques, lineages, parents),
            fits=tuple(fits for _, fits in answer.fits),
            days=_days(answer, question),
            start=next(iter(answer.offer.starts), None),
            payable=answer.payable,
            effort=_effort(answer, question),
            trust=trust[answer.instrument.organisation_id],
            gates=frozenset(_gates(answer, question, pk in uncertified)),
        )
        for pk, answer in by_instrument.items()
    ]
    result = match(given, budget=question.budget, weights=question.weights or WEIGHTS)
    return [
        *(replace(by_instrument[m.candidate.key], match=m) for m in result.matches),
        *(replace(by_instrument[pk], gate=code) for pk, code in result.shut_out.items()),
    ]


def load_trust(hosts: Iterable[UUID]) -> dict[UUID, float]:
    """How far each host keeps to what it promised. One statement, and one an hour for the mean."""
    mean = cache.get(_MEAN)
    if mean is None:
        sums = HostRecord.objects.aggregate(*map(Sum, _COUNTS))
        mean = _kept(1.0, *(number or 0 for number in sums.values()))
        cache.set(_MEAN, mean, 3600)
    rows = HostRecord.objects.filter(organisation__in=hosts).values_list(
        "organisation_id", *_COUNTS
    )
    known = {host: _kept(mean, *numbers) for host, *numbers in rows}
    return {host: known.get(host, mean) for host in hosts}


def _kept(mean: float, bookings: int, cancelled: int, requests: int, unanswered: int) -> float:
    number = bookings + requests
    return trusted(number - cancelled - unanswered, number, mean)


def _chosen(question: Wanted, means: Means, now: datetime, most: int) -> list[Instrument]:
    """The instruments that are worth asking for time and price, at most so many."""
    start = max(question.earliest, now)
    if question.latest <= start or not question.techniques:
        return []
    window = Period(start, question.latest)
    soon = Period(start, min(question.latest, start + timedelta(days=SOON_DAYS)))
    rows = _entries(question, question.techniques)
    chosen: dict[UUID, Instrument] = {}

    def take(rows: QuerySet[SearchEntry], within: Period, number: int) -> None:
        sieve = Sieve(
            now=now,
            within=within,
            backing=means.backing,
            minutes=question.minutes,
            worths=means.worths,
            max_payable=question.budget,
            mode=question.modes[0] if len(question.modes) == 1 else "",
        )
        free = candidates(Criteria(sort="price"), sieve, after=None, most=number, rows=rows)
        chosen.update((i.pk, i) for i in free[: most - len(chosen)] if i.pk not in chosen)

    take(rows, window, most - SOON - NEAR)
    if len(chosen) == most - SOON - NEAR:  # there are more
        take(rows, soon, SOON)
        take(rows.filter(region_id=question.payer.region_id), window, NEAR)
    elif len(chosen) < FEW:
        parents = load_vocabulary().parents
        wider = {
            code
            for one in question.techniques
            for code in parents.get(one, ())
            if not code.startswith(_ROOT)
        }
        take(_entries(question, tuple(sorted(wider))), window, FEW)
        # What is no match is worth knowing, too.
        near = Instrument.objects.select_related(*WITH).filter(
            pk__in=_entries(
                replace(question, regions=(), modes=(), requirements=()), question.techniques
            ).values("pk"),
            publication=Instrument.Publication.PUBLISHED,
        )
        chosen.update(
            (i.pk, i) for i in near.order_by("name", "pk")[:FEW] if i.pk not in question.without
        )
    return list(chosen.values())


def _entries(question: Wanted, techniques: Sequence[str]) -> QuerySet[SearchEntry]:
    """Published instruments of some technique, or of narrower ones, that no gate shuts out which
    the register knows."""
    rows = SearchEntry.objects.filter(
        is_published=True, keys__overlap=[key("technique", code) for code in techniques]
    )
    if question.modes:
        rows = rows.filter(keys__overlap=[key("service_mode", mode) for mode in question.modes])
    if question.regions:
        rows = rows.filter(keys__overlap=[key("region", r.code) for r in question.regions])
    if question.without:
        rows = rows.exclude(pk__in=question.without)
    for requirement in question.requirements:
        rows = rows.exclude(pk__in=failing(requirement))
    return rows


def _modes(
    question: Wanted, instruments: Sequence[Instrument]
) -> tuple[dict[UUID, str], frozenset[UUID]]:
    """How one would work on each: the first way that is wished and offered and needs no
    certificate that the person lacks; and those for which there is no such way."""
    alone = [i for i in instruments if works_alone(i, "self") and "self" in i.service_modes]
    qualified = load_qualified(question.person, alone, load_recognised)
    lacking = {pk for pk, spans in qualified.items() if not spans}
    modes: dict[UUID, str] = {}
    uncertified = set()
    for instrument in instruments:
        ways = [
            m for m in question.modes or instrument.service_modes if m in instrument.service_modes
        ]
        able = [m for m in ways if not (m == "self" and instrument.pk in lacking)]
        if ways and not able:
            uncertified.add(instrument.pk)
        modes[instrument.pk] = next(iter(able or ways), "")
    return modes, frozenset(uncertified)


def _gates(answer: Answer, question: Wanted, is_uncertified: bool) -> Iterable[str]:
    instrument = answer.instrument
    if question.regions and not {r.pk for r in question.regions} & set(instrument.region.lineage):
        yield "region"
    if question.modes and not set(question.modes) & set(instrument.service_modes):
        yield "mode"
    if is_uncertified:
        yield "certificate"
    if answer.offer.rate is None:
        yield "price"
    if hasattr(instrument, "policy") and not load_policy(instrument.policy).allows(
        question.minutes
    ):
        yield "length"


def _days(answer: Answer, question: Wanted) -> int | None:
    if not answer.offer.starts:
        return None
    zone = answer.instrument.facility.zone
    return working_days(
        local_date(zone, question.earliest), local_date(zone, answer.offer.starts[0])
    )


def _effort(answer: Answer, question: Wanted) -> str:
    """Below a country lie regions, below these cities: what two share beside the country."""
    here, there = question.payer.region, answer.instrument.region
    shared = len(set(here.lineage) & set(there.lineage))
    if here.pk == there.pk:
        return "city" if shared > 2 else "region"
    if shared > 1:
        return "region"
    return "sent" if answer.mode in ("entrusted", "remote") else "travel"


def _techniques(instruments: Sequence[Instrument]) -> dict[UUID, list[str]]:
    codes: dict[UUID, list[str]] = {}
    links = Instrument.techniques.through.objects.filter(
        instrument_id__in=[i.pk for i in instruments]
    )
    for pk, code in links.values_list("instrument_id", "technique__code"):
        codes.setdefault(pk, []).append(code)
    return codes


def _lineages(
    needed: Iterable[str], techniques: Mapping[UUID, Iterable[str]]
) -> tuple[dict[str, frozenset[str]], dict[str, list[str]]]:
    """Of every technique in question: all above it, and what is directly above; without what
    holds everything."""
    parents = load_vocabulary().parents
    codes = {*needed, *(code for each in techniques.values() for code in each)}
    return (
        {
            code: frozenset(b for b in above(code, parents) if not b.startswith(_ROOT))
            for code in codes
        },
        {code: [b for b in parents.get(code, ()) if not b.startswith(_ROOT)] for code in codes},
    )
