"""Sample items, as far as each person may see them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.availability.domain.availability import Hazard, not_accepted
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.domain.reservations import effective_state, is_own
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for
from bookings.samples.domain import samples as rules
from bookings.samples.models import BookedSample, SampleItem, SamplePhoto
from instruments.domain.opening import OpeningHours
from instruments.domain.policies import Policy
from instruments.models import Instrument
from instruments.selectors.misfits import Misfit
from instruments.selectors.policies import load_policy

OPEN = ("held", "requested", "confirmed", "in_use")
SHOWN = 200  # of a person, on the page of a booking
DUE_WITHIN = timedelta(days=7)


def owned_by(actor: Actor) -> Q:
    """One's own, and those of organisations for whose members one books."""
    managed = actor.organisations_where("book-for-members")
    return Q(user_id=actor.person) | Q(organisation_id__in=managed)


def hosted_by(actor: Actor) -> Q:
    """Those on bookings of instruments that one manages."""
    hosts = actor.organisations_where("manage-instruments")
    return Exists(BookedSample.objects.filter(sample=OuterRef("pk"), host_id__in=hosts))  # type: ignore[return-value]


def owned_samples(actor: Actor) -> QuerySet[SampleItem]:
    """One's own and one's organisation's, the newest first."""
    return _all().filter(owned_by(actor))


def samples_for(actor: Actor) -> QuerySet[SampleItem]:
    """What the actor owns or hosts, the newest first; nobody else sees a sample."""
    if not actor.organisations_where("manage-instruments"):
        return owned_samples(actor)
    return _all().filter(Q(owned_by(actor)) | Q(hosted_by(actor)))


def hosted_samples(actor: Actor) -> QuerySet[SampleItem]:
    """Those on bookings of instruments that the actor manages, the newest first."""
    return _all().filter(hosted_by(actor))


def sample_by_id(actor: Actor, sample_id: UUID) -> SampleItem:
    """`NotFound` if there is none, or it is not the actor's to see."""
    return visible(samples_for(actor), pk=sample_id)


def sample_by_code(actor: Actor, code: str) -> SampleItem:
    """A sample by its code as it was typed; `Invalid` where that is none, `NotFound`."""
    return visible(samples_for(actor), code=rules.code_in(code))


def hosts(actor: Actor, host_id: UUID) -> bool:
    """Whether the actor is on the staff of a host."""
    return host_id in actor.organisations_where("manage-instruments")


def bookings_shown(actor: Actor, sample: SampleItem, sides: set[str]) -> list[BookedSample]:
    """Those of a sample's bookings (loaded by `with_bookings`) that the actor is shown: all to its
    owner, to staff those at their own host."""
    rows = list(sample.bookings.all())
    return rows if rules.OWNER in sides else [r for r in rows if hosts(actor, r.host_id)]


def sides_of(actor: Actor, samples: Sequence[SampleItem]) -> dict[UUID, set[str]]:
    """On which sides of each sample the actor stands; of none where that is not listed. At most one
    statement."""
    sides: dict[UUID, set[str]] = {}
    managed = actor.organisations_where("book-for-members")
    for sample in samples:
        if sample.user_id == actor.user_id or sample.organisation_id in managed:
            sides.setdefault(sample.pk, set()).add(rules.OWNER)
    hosts = actor.organisations_where("manage-instruments")
    if hosts:
        rows = BookedSample.objects.filter(sample__in=samples, host_id__in=hosts)
        for pk in rows.values_list("sample_id", flat=True):
            sides.setdefault(pk, set()).add(rules.HOST)
    return sides


def require_owned(actor: Actor, samples: Iterable[SampleItem]) -> None:
    """`NotFound` unless the actor owns all of them."""
    managed = actor.organisations_where("book-for-members")
    for sample in samples:
        if sample.user_id != actor.user_id and sample.organisation_id not in managed:
            raise NotFound


def hazards_of(samples: Iterable[SampleItem]) -> tuple[Hazard, ...]:
    """What is dangerous about samples, as the rules ask."""
    return tuple(
        Hazard(code, rules.code_text(sample.code), sample.name)
        for sample in samples
        for code in sample.hazards
    )


def load_hazards(actor: Actor, sample_ids: Sequence[UUID]) -> tuple[Hazard, ...]:
    """The hazards of one's own samples, for a quotation; `NotFound` where one is not. One
    statement, none without samples."""
    if not sample_ids:
        return ()
    rows = list(owned_samples(actor).filter(pk__in=sample_ids))
    if len(rows) != len(set(sample_ids)):
        raise NotFound
    return hazards_of(rows)


def refusals_of(instrument: Instrument, samples: Iterable[SampleItem]) -> tuple[Refusal, ...]:
    """What an instrument says to samples. No statement."""
    if not hasattr(instrument, "policy"):
        return ()
    return tuple(not_accepted(hazards_of(samples), load_policy(instrument.policy)))


def require_accepted(instrument: Instrument, hazards: Iterable[Hazard]) -> None:
    """`RulesRefuse` where an instrument does not accept one of the hazards. No statement."""
    if hasattr(instrument, "policy"):
        refusals = tuple(not_accepted(hazards, load_policy(instrument.policy)))
        if refusals:
            raise RulesRefuse(refusals)


def open_bookings(now: datetime) -> Q:
    """Of the links: those of bookings that are not over."""
    return (
        Q(reservation__state__in=OPEN)
        & (Q(reservation__deadline_at=None) | Q(reservation__deadline_at__gt=now))
        & (Q(reservation__end_at__gt=now) | Q(reservation__state="in_use"))
    )


def load_of_booking(
    actor: Actor, reservation: Reservation, now: datetime
) -> tuple[list[tuple[SampleItem, tuple[Refusal, ...]]], list[SampleItem]]:
    """The samples of a booking that the actor sees, by name, each with what the instrument does
    not accept of it; and of who may join some, their own others. One statement."""
    is_on = Exists(BookedSample.objects.filter(reservation=reservation, sample=OuterRef("pk")))
    shown = Q(is_on=True)
    if may_join(actor, reservation, now):
        shown |= owned_by(actor) & ~Q(state__in=rules.GONE)
    rows = list(
        samples_for(actor).annotate(is_on=is_on).filter(shown).order_by("name", "id")[:SHOWN]
    )
    on = [row for row in rows if row.is_on]
    instrument = reservation.instrument
    return (
        [(row, refusals_of(instrument, [row])) for row in on],
        [row for row in rows if row not in on],
    )


def may_join(actor: Actor, reservation: Reservation, now: datetime) -> bool:
    """Whether samples may be joined to a booking by the actor: it is theirs, or of a member for
    whom they book, and neither a hold nor over."""
    state = effective_state(reservation.state, reservation.deadline_at, now)
    is_theirs = is_own(
        actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    ) or reservation.organisation_id in actor.organisations_where("book-for-members")
    return is_theirs and state in OPEN and state != "held" and reservation.end_at > now


def joinable(actor: Actor) -> QuerySet[SampleItem]:
    """One's own that can still be measured, the newest first."""
    return owned_samples(actor).exclude(state__in=rules.GONE)


def bookings_to_join(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """The bookings that the actor may join samples to, the next first."""
    managed = actor.organisations_where("book-for-members")
    own = Q(user_id=actor.person) | Q(made_by_id=actor.person) | Q(organisation_id__in=managed)
    return (
        reservations_for(actor)
        .filter(own, Q(deadline_at=None) | Q(deadline_at__gt=now), state__in=OPEN, end_at__gt=now)
        .exclude(state="held")
        .order_by("start_at", "id")
    )


# What the host's staff ask for: which samples, of theirs.


def arriving(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """What was announced or shipped for bookings that are not over."""
    return hosted_samples(actor).filter(state__in=rules.COMING).filter(_on(actor, now))


def due(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Those of them whose booking begins within a week."""
    soon = Q(reservation__start_at__lt=now + DUE_WITHIN)
    return hosted_samples(actor).filter(state__in=rules.COMING).filter(_on(actor, now, soon))


def here(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """What lies with the host."""
    return hosted_samples(actor).filter(state__in=rules.HERE)


def to_return(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """What is measured, or was not accepted, and neither on its way back nor disposed of."""
    return hosted_samples(actor).filter(state__in=rules.TO_RETURN)


def _on(actor: Actor, now: datetime, more: Q | None = None) -> Q:
    hosts = actor.organisations_where("manage-instruments")
    rows = BookedSample.objects.filter(
        open_bookings(now), more or Q(), sample=OuterRef("pk"), host_id__in=hosts
    )
    return Exists(rows)  # type: ignore[return-value]


def with_bookings(samples: QuerySet[SampleItem]) -> QuerySet[SampleItem]:
    """With the bookings of each. One more statement."""
    rows = BookedSample.objects.select_related(
        "reservation__instrument__facility", "reservation__instrument__policy", "reservation__host"
    ).order_by("reservation__start_at", "id")
    return samples.prefetch_related(Prefetch("bookings", rows))


def reminded_of(now: datetime) -> QuerySet[BookedSample]:
    """What has not arrived for bookings that begin within a day."""
    return (
        BookedSample.objects.filter(
            reservation__state="confirmed",
            reservation__start_at__gt=now,
            reservation__start_at__lte=now + timedelta(days=1),
            sample__state__in=rules.COMING,
        )
        .select_related("sample", "reservation")
        .order_by("reservation__start_at", "id")
    )


def find_hazardous(
    instrument: Instrument, hours: OpeningHours | None, policy: Policy | None, now: datetime
) -> list[Misfit]:
    """The coming bookings with samples that a new policy would not accept and the present one does
    (`instruments/selectors/misfits.py`). One statement, none where no class is added."""
    present = load_policy(instrument.policy) if hasattr(instrument, "policy") else Policy()
    added = set(policy.refused_hazards if policy else ()) - set(present.refused_hazards)
    if not added:
        return []
    rows = (
        Reservation.objects.filter(
            Q(deadline_at=None) | Q(deadline_at__gt=now),
            instrument=instrument,
            state__in=OPEN,
            end_at__gt=now,
            sample_items__sample__hazards__overlap=sorted(added),
        )
        .distinct()
        .select_related("user", "organisation")
        .order_by("start_at", "id")
    )
    return [
        Misfit(
            reservation=row.pk,
            start=row.start_at,
            end=row.end_at,
            person=str(row.user),
            organisation=row.organisation.code,
            state=row.state,
            codes=("hazard-not-accepted",),
        )
        for row in rows
    ]


def _all() -> QuerySet[SampleItem]:
    return SampleItem.objects.select_related("user", "organisation__region").order_by(
        "-created_at", "-id"
    )


def on_instrument(
    rows: QuerySet[SampleItem], facility: UUID | None, instrument: UUID | None
) -> QuerySet[SampleItem]:
    """Those with a booking of an instrument, or of one of a facility."""
    booked = BookedSample.objects.filter(sample=OuterRef("pk"))
    if facility:
        rows = rows.filter(Exists(booked.filter(reservation__instrument__facility=facility)))
    if instrument:
        rows = rows.filter(Exists(booked.filter(reservation__instrument=instrument)))
    return rows


def photo_by_id(actor: Actor, photo_id: UUID) -> SamplePhoto:
    """A picture of a sample that the actor sees; `NotFound` else."""
    row = visible(SamplePhoto.objects, pk=photo_id)
    sample_by_id(actor, row.sample_id)
    return row
