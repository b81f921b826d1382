"""The instruments that answer a need, with their time and price as the payer would have them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Q, QuerySet, Sum

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
from instruments.models import Capability, Instrument, SearchEntry
from instruments.selectors.capabilities import load_capabilities
from instruments.selectors.needs import load_vocabulary
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


def load_matches(wanted: Wanted, now: datetime, *, most: int = MOST) -> list[Answer]:
    """The best first, and after them those that came near but do not pass, with their gate.

    Looked at are the cheapest of those with room in the window, beside them the first that are
    free and those of the payer's own region; instruments of neighbouring techniques where these
    are few."""
    backing = load_backing(wanted.payer)
    instruments = _chosen(wanted, backing, now, most)
    return answers(wanted, instruments, now, backing=backing)


def load_answer(wanted: Wanted, instrument: Instrument, now: datetime) -> Answer:
    """How one instrument answers a need, or which gate shuts it out."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=instrument.pk)
    return answers(wanted, [instrument], now)[0]


def answers(
    wanted: Wanted,
    instruments: Sequence[Instrument],
    now: datetime,
    *,
    backing: Backing | None = None,
) -> list[Answer]:
    """How instruments (facility, schedule, policy loaded) answer a need, the best first."""
    backing = backing or load_backing(wanted.payer)
    modes, uncertified = _modes(wanted, instruments)
    offers: dict[UUID, Offer] = {}
    for mode in sorted(set(modes.values())):
        offers |= load_offers(
            [i for i in instruments if modes[i.pk] == mode],
            wanted.payer,
            now,
            backing=backing,
            user_id=wanted.person,
            mode=mode or None,
            span=Period(max(wanted.earliest, now), max(wanted.latest, now)),
            minutes=wanted.minutes,
            quantity=wanted.quantity,
            most=1,
        )
    currency = wanted.currency or wanted.payer.region.currency
    today = local_date(ZoneInfo(wanted.payer.region.time_zone), now)
    worths = load_worths(wanted.payer, currency, today)
    stated = load_capabilities([i.pk for i in instruments]) if wanted.requirements else {}
    trust = load_trust({i.organisation_id for i in instruments})
    techniques = _techniques(instruments)
    found: dict[UUID, Answer] = {}
    for instrument in instruments:
        offer = offers[instrument.pk]
        payable = None
        if offer.quote is not None and offer.currency in worths:
            payable = offer.quote.payable * worths[offer.currency]
        found[instrument.pk] = Answer(
            instrument,
            offer,
            modes[instrument.pk],
            tuple((each, fit(each, stated.get(instrument.pk, ()))) for each in wanted.requirements),
            payable,
        )
    lineages, parents = _lineages(wanted.techniques, techniques)
    given = [
        Candidate(
            key=pk,
            nearness=nearness(techniques.get(pk, ()), wanted.techniques, lineages, parents),
            fits=tuple(fits for _, fits in answer.fits),
            days=_days(answer, wanted),
            payable=answer.payable,
            effort=_effort(answer, wanted),
            trust=trust[answer.instrument.organisation_id],
            gates=frozenset(_gates(answer, wanted, pk in uncertified)),
        )
        for pk, answer in found.items()
    ]
    result = match(given, budget=wanted.budget, weights=wanted.weights or WEIGHTS)
    return [
        *(replace(found[m.candidate.key], match=m) for m in result.matches),
        *(replace(found[pk], gate=code) for pk, code in result.shut_out.items()),
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


def _chosen(wanted: Wanted, backing: Backing, now: datetime, most: int) -> list[Instrument]:
    """The instruments that are worth asking for time and price, at most so many."""
    start = max(wanted.earliest, now)
    if wanted.latest <= start or not wanted.techniques:
        return []
    window = Period(start, wanted.latest)
    soon = Period(start, min(wanted.latest, start + timedelta(days=SOON_DAYS)))
    rows = _entries(wanted, wanted.techniques)
    found: dict[UUID, Instrument] = {}

    def take(rows: QuerySet[SearchEntry], within: Period, number: int) -> None:
        sieve = Sieve(now=now, within=within, backing=backing, minutes=wanted.minutes)
        free = candidates(Criteria(sort="price"), sieve, after=None, most=number, rows=rows)
        found.update((i.pk, i) for i in free[: most - len(found)] if i.pk not in found)

    take(rows, window, most - SOON - NEAR)
    if len(found) == most - SOON - NEAR:  # there are more
        take(rows, soon, SOON)
        take(rows.filter(region_id=wanted.payer.region_id), window, NEAR)
    elif len(found) < FEW:
        parents = load_vocabulary().parents
        wider = {
            code
            for one in wanted.techniques
            for code in parents.get(one, ())
            if not code.startswith(_ROOT)
        }
        take(_entries(wanted, tuple(sorted(wider))), window, FEW)
    if len(found) < FEW:  # what is no match is worth knowing, too
        near = Instrument.objects.select_related(*WITH).filter(
            pk__in=_entries(
                replace(wanted, regions=(), modes=(), requirements=()), wanted.techniques
            ).values("pk"),
            publication=Instrument.Publication.PUBLISHED,
        )
        found.update(
            (i.pk, i) for i in near.order_by("name", "pk")[:FEW] if i.pk not in wanted.without
        )
    return list(found.values())


def _entries(wanted: Wanted, techniques: Sequence[str]) -> QuerySet[SearchEntry]:
    """Published instruments of some technique, or of narrower ones, that no gate shuts out which
    the register knows."""
    rows = SearchEntry.objects.filter(
        is_published=True, keys__overlap=[key("technique", code) for code in techniques]
    )
    if wanted.modes:
        rows = rows.filter(keys__overlap=[key("service_mode", mode) for mode in wanted.modes])
    if wanted.regions:
        rows = rows.filter(keys__overlap=[key("region", r.code) for r in wanted.regions])
    if wanted.without:
        rows = rows.exclude(pk__in=wanted.without)
    for requirement in wanted.requirements:
        rows = rows.exclude(pk__in=_failing(requirement))
    return rows


def _failing(requirement: Requirement) -> QuerySet[Any]:
    """The instruments of which only such is stated of a parameter as does not reach what is
    required, as `fit` says it."""
    stated = Capability.objects.filter(parameter__code=requirement.parameter)
    fails = Q(is_available=False)
    if requirement.low is not None:
        fails |= Q(minimum__gt=requirement.low)
    if requirement.high is not None:
        fails |= Q(maximum__lt=requirement.high)
    others = stated.exclude(fails).values("instrument_id")
    return stated.filter(fails).exclude(instrument_id__in=others).values("instrument_id")


def _modes(
    wanted: Wanted, instruments: Sequence[Instrument]
) -> tuple[dict[UUID, str], frozenset[UUID]]:
    """How one would work on each: the first way that is wished and offered and needs no
    certificate that the person lacks; and those for which there is no such way."""
    alone = [i for i in instruments if works_alone(i, "self") and "self" in i.service_modes]
    qualified = load_qualified(wanted.person, alone, load_recognised)
    lacking = {pk for pk, spans in qualified.items() if not spans}
    modes: dict[UUID, str] = {}
    uncertified = set()
    for instrument in instruments:
        ways = [
            m for m in wanted.modes or instrument.service_modes if m in instrument.service_modes
        ]
        able = [m for m in ways if not (m == "self" and instrument.pk in lacking)]
        if ways and not able:
            uncertified.add(instrument.pk)
        modes[instrument.pk] = next(iter(able or ways), "")
    return modes, frozenset(uncertified)


def _gates(answer: Answer, wanted: Wanted, is_uncertified: bool) -> Iterable[str]:
    instrument = answer.instrument
    if wanted.regions and not {r.pk for r in wanted.regions} & set(instrument.region.lineage):
        yield "region"
    if wanted.modes and not set(wanted.modes) & set(instrument.service_modes):
        yield "mode"
    if is_uncertified:
        yield "certificate"
    if answer.offer.rate is None:
        yield "price"


def _days(answer: Answer, wanted: Wanted) -> int | None:
    if not answer.offer.starts:
        return None
    zone = answer.instrument.facility.zone
    return working_days(local_date(zone, wanted.earliest), local_date(zone, answer.offer.starts[0]))


def _effort(answer: Answer, wanted: Wanted) -> str:
    """Below a country lie regions, below these cities: what two share beside the country."""
    here, there = wanted.payer.region, answer.instrument.region
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
    wanted: Iterable[str], techniques: Mapping[UUID, Iterable[str]]
) -> tuple[dict[str, frozenset[str]], dict[str, list[str]]]:
    """Of every technique in question: all above it, and what is directly above; without what
    holds everything."""
    parents = load_vocabulary().parents
    codes = {*wanted, *(code for each in techniques.values() for code in each)}
    return (
        {
            code: frozenset(b for b in above(code, parents) if not b.startswith(_ROOT))
            for code in codes
        },
        {code: [b for b in parents.get(code, ()) if not b.startswith(_ROOT)] for code in codes},
    )
