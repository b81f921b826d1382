"""Certificates, as far as each person may see them, and the time in which they count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, DateField, F, Func, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import load_moves, organisation_regions_held
from accounts.selectors.rows import visible
from accounts.selectors.users import person_named
from instruments.domain.opening import local_date
from instruments.domain.training import (
    OPEN_END,
    THIS_INSTRUMENT,
    Certificate,
    Span,
    counts_for,
    valid_spans,
    within,
)
from instruments.models import Instrument, Qualification, Technique
from instruments.selectors.registry import host_regions, host_regions_held

WITH = (
    "user",
    "instrument__facility",
    "technique",
    "issuer__region",
    "granted_by",
    "revoked_by",
)


def needed_for(instrument: Instrument) -> str:
    """Return what the policy of an instrument asks for (domain/policies); empty for nothing."""
    return instrument.policy.qualification if hasattr(instrument, "policy") else ""


# The days (the last not included; None: no end) on which regions recognise certificates of others,
# by the region of the instrument and that of the issuer. What has been agreed is not ours to
# know: whoever asks hands in a function that says it of some regions, one statement at most.
type Recognised = Mapping[tuple[UUID, UUID], Sequence[tuple[date, date | None]]]
type Recognise = Callable[[set[UUID], set[UUID]], Recognised]


def load_qualified(
    user_id: UUID | None,
    instruments: Iterable[Instrument],
    recognise: Recognise | None = None,
) -> dict[UUID, list[Span]]:
    """Return for each instrument whose policy asks for a qualification: the half-open spans in
    which the person's certificates count there. Those its host issued do; those of a technique by
    issuers of other regions on the days that `recognise` names.

    Instruments come with facility and policy. One statement; none where nothing is asked for,
    one more where the person holds a certificate of another region.
    """
    return {
        pk: valid_spans((each for _, each in held), zone)
        for pk, (zone, held) in _load_held(user_id, instruments, recognise).items()
    }


def _load_held(
    user_id: UUID | None, instruments: Iterable[Instrument], recognise: Recognise | None
) -> dict[UUID, tuple[ZoneInfo, list[tuple[Qualification, Certificate]]]]:
    """Return, by instrument that asks for one: the certificates that count there, on the days they
    do."""
    asking = [instrument for instrument in instruments if needed_for(instrument)]
    rows: list[Qualification] = []
    if user_id is not None and asking:
        condition = Q(issuer_id__in={pk for i in asking for pk in hosts_of(i)})
        techniques = {needed_for(i) for i in asking} - {THIS_INSTRUMENT}
        if recognise is not None and techniques:
            condition |= Q(technique__code__in=techniques)
        theirs = Qualification.objects.filter(condition, user_id=user_id)
        rows = list(theirs.select_related("technique", "issuer__region"))
    load_moves([*(i.organisation for i in asking), *(row.issuer for row in rows)])
    homes = {region for i in asking for region in host_regions(i)}
    elsewhere = {
        region.pk
        for row in rows
        if row.technique
        for _, _, region in organisation_regions_held(row.issuer)
        if not homes <= {region.pk}
    }
    recognised = recognise(homes, elsewhere) if recognise is not None and elsewhere else {}
    return {
        instrument.pk: (
            ZoneInfo(instrument.facility.time_zone),
            [(row, each) for row in rows for each in _counted(row, instrument, recognised)],
        )
        for instrument in asking
    }


def _counted(
    row: Qualification, instrument: Instrument, recognised: Recognised
) -> list[Certificate]:
    """Return a certificate as it counts on an instrument: whole if its host issued it, else on the
    days on which its region is recognised."""
    if counts(row, instrument):
        return [load_certificate(row)]
    if not is_of_needed(row, instrument) or row.issuer_id in hosts_of(instrument):
        return []
    return [
        each
        for since, till, home in host_regions_held(instrument)
        for begins, ends, region in organisation_regions_held(row.issuer)
        for first, until in recognised.get((home, region.pk), ())
        if (
            each := within(
                load_certificate(row),
                max(first, since, begins),
                min((day for day in (until, till, ends) if day), default=None),
            )
        )
    ]


def is_of_needed(row: Qualification, instrument: Instrument) -> bool:
    """Whether a certificate is of the thing that the instrument's policy asks for, whoever
    issued it. It is loaded with its technique."""
    return counts_for(
        needed_for(instrument),
        is_of_instrument=row.instrument_id == instrument.pk,
        technique=row.technique.code if row.technique else None,
    )


def counts(row: Qualification, instrument: Instrument) -> bool:
    """Whether the same holds and the instrument's host issued it, whenever it is valid."""
    return row.issuer_id in hosts_of(instrument) and is_of_needed(row, instrument)


def hosts_of(instrument: Instrument) -> set[UUID]:
    """Return the host of an instrument, loaded with it, and those merged into it: their
    certificates count as its own."""
    return {instrument.organisation_id, *instrument.organisation.absorbed}


def load_certificate(row: Qualification) -> Certificate:
    """Return the row as a value."""
    return Certificate(row.valid_from, row.valid_until, row.revoked_at)


def zone_of(row: Qualification) -> ZoneInfo:
    """Return whose days a certificate names: the instrument's, or for a technique the issuer's
    region. On an instrument a technique's certificate counts by the instrument's own days."""
    place = row.instrument.facility if row.instrument else row.issuer.region
    return ZoneInfo(place.time_zone)


def qualifications_for(actor: Actor) -> QuerySet[Qualification]:
    """Return one's own certificates; those of issuers one manages; for an auditor those of issuers
    in their regions. `NotPermitted` for nobody."""
    seen = Q(user_id=actor.person)
    managed = actor.organisations_where("manage-instruments")
    if managed:
        seen |= Q(issuer_id__in=managed)
    regions = list(actor.regions_where("read-bookings"))
    if regions:
        seen |= Q(issuer__region__lineage__overlap=regions)
    return Qualification.objects.filter(seen).select_related(*WITH)


def qualification_by_id(actor: Actor, qualification_id: UUID) -> Qualification:
    """Return a certificate. `NotFound` if there is none, or it is not the actor's to see."""
    return visible(qualifications_for(actor), pk=qualification_id)


def of_person(rows: QuerySet[Qualification], named: str) -> QuerySet[Qualification]:
    """Return the certificates of one person, named by id or e-mail address."""
    try:
        return rows.filter(user=UUID(named))
    except ValueError:
        return rows.filter(user__email__iexact=named.strip())


def valid_on(rows: QuerySet[Qualification], day: date) -> QuerySet[Qualification]:
    """Return the certificates valid all through a day of their own zone: on the day of its
    revocation none is."""
    zone = Coalesce("instrument__facility__time_zone", "issuer__region__time_zone")
    revoked_on = Cast(Func(zone, F("revoked_at"), function="timezone"), DateField())
    return rows.alias(revoked_on=revoked_on).filter(
        Q(valid_until=None) | Q(valid_until__gte=day),
        Q(revoked_at=None) | Q(revoked_on__gt=day),
        valid_from__lte=day,
    )


def certificates_at(instrument: Instrument, today: date, who: str = "") -> QuerySet[Qualification]:
    """Return what a manager of the instrument looks at: its own certificates and the host's for its
    techniques, those that still hold first. `who`: part of a name or address."""
    of_technique = Q(technique__in=techniques_at(instrument))
    rows = Qualification.objects.filter(
        Q(instrument=instrument) | of_technique, issuer_id__in=hosts_of(instrument)
    )
    if who:
        rows = rows.filter(Q(user__name__icontains=who) | Q(user__email__icontains=who))
    is_past = Case(
        When(Q(revoked_at__isnull=False) | Q(valid_until__lt=today), then=Value(1)),
        default=Value(0),
    )
    return (
        rows.alias(is_past=is_past).select_related(*WITH).order_by("is_past", "-granted_at", "-id")
    )


def own_certificates(actor: Actor) -> QuerySet[Qualification]:
    """Return the actor's certificates, the newest first."""
    rows = Qualification.objects.filter(user_id=actor.person)
    return rows.select_related(*WITH, "instrument__organisation").order_by("-granted_at", "-id")


def techniques_at(instrument: Instrument) -> list[Technique]:
    """Return the techniques a certificate for the instrument may be of: its own, by name, and the
    one its policy asks for. Its techniques should be loaded; one statement if the policy's is none
    of them."""
    own = sorted(instrument.techniques.all(), key=lambda technique: technique.name)
    needed = needed_for(instrument)
    if needed in {"", THIS_INSTRUMENT} or any(t.code == needed for t in own):
        return own
    return [*own, *Technique.objects.filter(code=needed)]


def person_to_certify(actor: Actor, issuer: Organisation, named: str) -> User:
    """Return somebody by id or e-mail address, for those who may certify them: `NotPermitted` for
    others, who learn nothing of who has an account; `Invalid` if nobody is so named."""
    if not actor.may("manage-instruments", place_of(issuer)):
        raise NotPermitted(capability="manage-instruments")
    person = person_named(named.strip())
    if person is None:
        raise invalid("user", "unknown-person")
    return person


@dataclass(frozen=True)
class Qualifying:
    """What a reader has to know to operate an instrument alone. `technique` None: a certificate
    for the instrument itself is needed.

    `since` and `until` are the local days (inclusive) of the time that holds now or comes next,
    None where there is none, or no end.
    """

    technique: Technique | None
    is_held: bool = False
    since: date | None = None
    until: date | None = None
    # Of another region, whose certificate counts here by agreement; None: the host's own.
    issuer: Organisation | None = None


def load_qualifying(
    user_id: UUID | None,
    instrument: Instrument,
    now: datetime,
    recognise: Recognise | None = None,
) -> Qualifying | None:
    """Return what a reader has to know to operate an instrument alone; None where nothing is asked
    for, or nobody operates it alone. At most two statements; one more for a certificate of another
    region (`load_qualified`)."""
    return load_qualifyings(user_id, [instrument], now, recognise).get(instrument.pk)


def load_qualifyings(
    user_id: UUID | None,
    instruments: Iterable[Instrument],
    now: datetime,
    recognise: Recognise | None = None,
) -> dict[UUID, Qualifying]:
    """Return the same of many instruments: of those that somebody may operate alone with a
    certificate. One more statement for each that asks for a technique which is none of its own."""
    asking = [
        i for i in instruments if needed_for(i) and Instrument.ServiceMode.SELF in i.service_modes
    ]
    held = _load_held(user_id, asking, recognise)
    return {i.pk: _qualifying(i, *held[i.pk], now) for i in asking}


def _qualifying(
    instrument: Instrument,
    zone: ZoneInfo,
    held: Sequence[tuple[Qualification, Certificate]],
    now: datetime,
) -> Qualifying:
    needed = needed_for(instrument)
    technique = next((t for t in techniques_at(instrument) if t.code == needed), None)
    spans = valid_spans((each for _, each in held), zone)
    span = next((span for span in spans if span[1] > now), None)
    if span is None:
        return Qualifying(technique)
    start, end = span
    issuers = {
        row.issuer_id: row.issuer
        for row, each in held
        if any(start <= part[0] < end for part in valid_spans([each], zone))
    }
    return Qualifying(
        technique,
        is_held=start <= now,
        since=local_date(zone, start),
        until=None if end == OPEN_END else local_date(zone, end - timedelta(microseconds=1)),
        issuer=None
        if issuers.keys() & hosts_of(instrument)
        else next(iter(issuers.values()), None),
    )
