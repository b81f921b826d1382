"""Read certificates that a person may see, and the times at which they count."""

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
from accounts.selectors.memberships import in_scope, place_of
from accounts.selectors.organisations import load_moves, organisation_regions_held
from accounts.selectors.rows import visible
from accounts.selectors.users import person_named
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import host_regions, host_regions_held
from instruments.training.domain import training
from instruments.training.models import Qualification
from instruments.vocabulary.models import Technique

WITH = ("user", "instrument__facility", "technique", "issuer__region", "granted_by", "revoked_by")


def needed_for(instrument: Instrument) -> str:
    """Return the qualification that an instrument's policy requires (domain/policies); empty for none."""
    return instrument.policy.qualification if hasattr(instrument, "policy") else ""


# The days [first, until) (None: no end) on which regions recognise certificates of others, by the
# region of the instrument and that of the issuer. This app does not know agreements, so the caller
# passes a function that returns these days for some regions, with at most one statement.
type Recognised = Mapping[tuple[UUID, UUID], Sequence[tuple[date, date | None]]]
type Recognise = Callable[[set[UUID], set[UUID]], Recognised]


def load_qualified(
    user_id: UUID | None, instruments: Iterable[Instrument], recognise: Recognise | None = None
) -> dict[UUID, list[training.Span]]:
    """Return, for each instrument whose policy requires a qualification, the half-open spans in which the
    person's certificates count there. Certificates of its host count; those of other regions' issuers for a
    technique count on the days that `recognise` returns.

    Instruments must be loaded with facility and policy. One statement; none if no qualification is required,
    one more if the person holds a certificate of another region.
    """
    return {
        pk: training.valid_spans((each for _, each in held), zone)
        for pk, (zone, held) in _load_held(user_id, instruments, recognise).items()
    }


def _load_held(
    user_id: UUID | None, instruments: Iterable[Instrument], recognise: Recognise | None
) -> dict[UUID, tuple[ZoneInfo, list[tuple[Qualification, training.Certificate]]]]:
    """Return, by instrument that requires a qualification, its time zone and the certificates that count
    there, each limited to the days on which it does."""
    asking = [instrument for instrument in instruments if needed_for(instrument)]
    rows: list[Qualification] = []
    if user_id is not None and asking:
        condition = Q(issuer_id__in={pk for i in asking for pk in hosts_of(i)})
        techniques = {needed_for(i) for i in asking} - {training.THIS_INSTRUMENT}
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
) -> list[training.Certificate]:
    """Return a certificate as it counts on an instrument: unlimited if its host issued it, else limited to
    the days on which the issuer's region is recognised."""
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
            each := training.within(
                load_certificate(row),
                max(first, since, begins),
                min((day for day in (until, till, ends) if day), default=None),
            )
        )
    ]


def is_of_needed(row: Qualification, instrument: Instrument) -> bool:
    """Say whether a certificate, whoever issued it, is for the thing that the instrument's policy requires.
    It must be loaded with its technique."""
    return training.counts_for(
        needed_for(instrument),
        is_of_instrument=row.instrument_id == instrument.pk,
        technique=row.technique.code if row.technique else None,
    )


def counts(row: Qualification, instrument: Instrument) -> bool:
    """Say whether a certificate is for the thing that the policy requires, and issued by the instrument's
    host. Its days are not considered."""
    return row.issuer_id in hosts_of(instrument) and is_of_needed(row, instrument)


def hosts_of(instrument: Instrument) -> set[UUID]:
    """Return the ids of an instrument's host (loaded with it) and of organisations merged into that, whose
    certificates count as its own."""
    return {instrument.organisation_id, *instrument.organisation.absorbed}


def load_certificate(row: Qualification) -> training.Certificate:
    """Return a row of a certificate as a value of the domain."""
    return training.Certificate(row.valid_from, row.valid_until, row.revoked_at)


def load_replacing(rows: Iterable[Qualification], now: datetime) -> dict[UUID, UUID]:
    """Return, by the id of a certificate that a later one of the same issuer for the same thing replaces,
    the id of that one. One statement, none if no certificate has an end."""
    ending = [row for row in rows if row.valid_until is not None and row.revoked_at is None]
    if not ending:
        return {}
    others = Qualification.objects.filter(
        user__in={row.user_id for row in ending},
        issuer__in={row.issuer_id for row in ending},
        revoked_at=None,
    ).order_by(F("valid_until").asc(nulls_last=True), "granted_at", "pk")
    alike: dict[tuple[UUID | None, ...], list[Qualification]] = {}
    for each in others:
        alike.setdefault(_thing(each), []).append(each)
    found = {}
    for row in ending:
        today, old = local_date(zone_of(row), now), load_certificate(row)
        for each in alike.get(_thing(row), ()):
            if training.is_replaced(old, load_certificate(each), today):
                found[row.pk] = each.pk
    return found


def _thing(row: Qualification) -> tuple[UUID | None, ...]:
    return row.user_id, row.issuer_id, row.instrument_id, row.technique_id


def shown_states(rows: Sequence[Qualification], now: datetime) -> list[tuple[Qualification, str]]:
    """Return certificates, each with the state that pages show: `replaced` if a later one has taken its
    place, else that of `Certificate.state`."""
    replaced = load_replacing(rows, now)
    return [
        (row, "replaced" if row.pk in replaced else load_certificate(row).state(zone_of(row), now))
        for row in rows
    ]


def zone_of(row: Qualification) -> ZoneInfo:
    """Return the time zone of a certificate's days: the instrument's, or for a technique that of the issuer's
    region. On an instrument, a technique's certificate counts by the instrument's own days."""
    place = row.instrument.facility if row.instrument else row.issuer.region
    return ZoneInfo(place.time_zone)


def qualifications_for(actor: Actor) -> QuerySet[Qualification]:
    """Return the actor's own certificates; those of issuers, or for instruments, that the actor manages; for
    an auditor those of issuers in their regions. `NotPermitted` if nobody is signed in."""
    seen = Q(user_id=actor.person)
    if managed := actor.scope_where("manage-instruments"):
        seen |= in_scope(managed, "issuer_id")
    regions = list(actor.regions_where("read-bookings"))
    if regions:
        seen |= Q(issuer__region__lineage__overlap=regions)
    return Qualification.objects.filter(seen).select_related(*WITH)


def qualification_by_id(actor: Actor, qualification_id: UUID) -> Qualification:
    """Return a certificate. `NotFound` if there is none, or the actor may not see it."""
    return visible(qualifications_for(actor), pk=qualification_id)


def of_person(rows: QuerySet[Qualification], named: str) -> QuerySet[Qualification]:
    """Return the certificates of one person, named by id or e-mail address."""
    try:
        return rows.filter(user=UUID(named))
    except ValueError:
        return rows.filter(user__email__iexact=named.strip())


def valid_on(rows: QuerySet[Qualification], day: date) -> QuerySet[Qualification]:
    """Return the certificates that are valid throughout a day of their own zone; not those revoked on that
    day."""
    zone = Coalesce("instrument__facility__time_zone", "issuer__region__time_zone")
    revoked_on = Cast(Func(zone, F("revoked_at"), function="timezone"), DateField())
    return rows.alias(revoked_on=revoked_on).filter(
        Q(valid_until=None) | Q(valid_until__gte=day),
        Q(revoked_at=None) | Q(revoked_on__gt=day),
        valid_from__lte=day,
    )


def certificates_at(instrument: Instrument, today: date, who: str = "") -> QuerySet[Qualification]:
    """Return the certificates that an instrument's manager looks at: those for the instrument and those of
    the host for its techniques, valid ones first. `who`: part of a name or address."""
    of_technique = Q(technique__in=techniques_at(instrument))
    rows = Qualification.objects.filter(
        Q(instrument=instrument) | of_technique, issuer_id__in=hosts_of(instrument)
    )
    if who:
        rows = rows.filter(Q(user__name__icontains=who) | Q(user__email__icontains=who))
    is_past = Case(
        When(Q(revoked_at__isnull=False) | Q(valid_until__lt=today), then=Value(1)), default=Value(0)
    )
    return rows.alias(is_past=is_past).select_related(*WITH).order_by("is_past", "-granted_at", "-id")


def own_certificates(actor: Actor) -> QuerySet[Qualification]:
    """Return the actor's certificates, the newest first."""
    rows = Qualification.objects.filter(user_id=actor.person)
    return rows.select_related(*WITH, "instrument__organisation").order_by("-granted_at", "-id")


def techniques_at(instrument: Instrument) -> list[Technique]:
    """Return the techniques for which a certificate may count on the instrument: its own, by name, and the
    one that its policy requires. Its techniques should be loaded; one statement if the policy's is not among
    them."""
    own = sorted(instrument.techniques.all(), key=lambda technique: technique.name)
    needed = needed_for(instrument)
    if needed in {"", training.THIS_INSTRUMENT} or any(t.code == needed for t in own):
        return own
    return [*own, *Technique.objects.filter(code=needed)]


def person_to_certify(
    actor: Actor, issuer: Organisation, named: str, instrument: Instrument | None = None
) -> User:
    """Return a person by id or e-mail address, for managers of the issuer, or of the `instrument` that it is
    about. `NotPermitted` for others, who thus do not learn who has an account; `Invalid` if there is no such
    person."""
    if not actor.may("manage-instruments", place_of(issuer, instrument)):
        raise NotPermitted(at=issuer.pk, capability="manage-instruments")
    person = person_named(named.strip())
    if person is None:
        raise invalid("user", "unknown-person")
    return person


def people_to_certify(
    actor: Actor, issuer: Organisation, names: Sequence[str], instrument: Instrument | None = None
) -> list[User]:
    """Return people by ids or e-mail addresses, each once, as `person_to_certify`; `Invalid` if somebody is
    unknown, with the names of all who are."""
    if len(names) == 1:
        return [person_to_certify(actor, issuer, names[0], instrument)]
    if not actor.may("manage-instruments", place_of(issuer, instrument)):
        raise NotPermitted(at=issuer.pk, capability="manage-instruments")
    found = {name: person_named(name.strip()) for name in names}
    if unknown := [name for name, person in found.items() if person is None]:
        raise invalid("user", "unknown-people", names=", ".join(unknown))
    return list({person.pk: person for person in found.values() if person}.values())


@dataclass(frozen=True)
class Qualifying:
    """The certificate that a reader needs to operate an instrument alone. `technique` None: a certificate for
    the instrument itself is needed.

    `since` and `until` are the local days (inclusive) of the current or next period in which the reader holds
    one; None if there is no such period, and `until` also if it has no end.
    """

    technique: Technique | None
    is_held: bool = False
    since: date | None = None
    until: date | None = None
    # The issuer in another region whose certificate counts here by agreement; None: the host's own.
    issuer: Organisation | None = None


def load_qualifying(
    user_id: UUID | None, instrument: Instrument, now: datetime, recognise: Recognise | None = None
) -> Qualifying | None:
    """Return the certificate that a reader needs to operate an instrument alone; None if the policy requires
    none, or nobody operates it alone. At most two statements; one more for a certificate of another region
    (`load_qualified`)."""
    return load_qualifyings(user_id, [instrument], now, recognise).get(instrument.pk)


def load_qualifyings(
    user_id: UUID | None, instruments: Iterable[Instrument], now: datetime, recognise: Recognise | None = None
) -> dict[UUID, Qualifying]:
    """Return, by instrument id, what `load_qualifying` returns for each instrument; those for which that is
    None are left out. One more statement for each that requires a technique it does not have itself."""
    asking = [i for i in instruments if needed_for(i) and Instrument.ServiceMode.SELF in i.service_modes]
    held = _load_held(user_id, asking, recognise)
    return {i.pk: _qualifying(i, *held[i.pk], now) for i in asking}


def _qualifying(
    instrument: Instrument,
    zone: ZoneInfo,
    held: Sequence[tuple[Qualification, training.Certificate]],
    now: datetime,
) -> Qualifying:
    needed = needed_for(instrument)
    technique = next((t for t in techniques_at(instrument) if t.code == needed), None)
    spans = training.valid_spans((each for _, each in held), zone)
    span = next((span for span in spans if span[1] > now), None)
    if span is None:
        return Qualifying(technique)
    start, end = span
    issuers = {
        row.issuer_id: row.issuer
        for row, each in held
        if any(start <= part[0] < end for part in training.valid_spans([each], zone))
    }
    return Qualifying(
        technique,
        is_held=start <= now,
        since=local_date(zone, start),
        until=None if end == training.OPEN_END else local_date(zone, end - timedelta(microseconds=1)),
        issuer=None if issuers.keys() & hosts_of(instrument) else next(iter(issuers.values()), None),
    )
