"""Sample items, as far as each person may see them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor, By
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from bookings.availability.domain.availability import Hazard, not_accepted
from bookings.record.domain.references import LONGEST_REFERENCE
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.domain.reservations import effective_state, is_own
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, FLAG, ID, Column, Filter, Listing
from bookings.record.selectors.reservations import reservations_for
from bookings.samples.domain import samples as rules
from bookings.samples.models import BookedSample, SafetySheet, SampleItem, SamplePhoto
from instruments.managing.selectors.misfits import Misfit
from instruments.opening.domain.opening import OpeningHours
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import refused_hazards
from instruments.register.models import Instrument

OPEN = ("held", "requested", "confirmed", "in_use")
SHOWN = 200  # samples of a person that the page of a booking shows
DUE_WITHIN = timedelta(days=7)


def owned_by(actor: Actor) -> Q:
    """Return a condition: the actor's samples, and those of organisations for whose members they book."""
    managed = actor.organisations_where("book-for-members")
    return Q(user_id=actor.person) | Q(organisation_id__in=managed)


def owns(actor: Actor, sample: SampleItem) -> bool:
    """Say whether a sample is the actor's, or of an organisation for whose members they book."""
    managed = actor.organisations_where("book-for-members")
    return sample.user_id == actor.user_id or sample.organisation_id in managed


def hosted_by(actor: Actor) -> Q:
    """Return a condition: samples on bookings of instruments that the actor operates."""
    return Exists(BookedSample.objects.filter(_hosted(actor), sample=OuterRef("pk")))  # type: ignore[return-value]


def _hosted(actor: Actor) -> Q:
    """Return a condition on links of samples to bookings: the actor operates the booking's instrument."""
    return in_scope(actor.scope_where("operate-instruments"), "host", "reservation__instrument")


def owned_samples(actor: Actor) -> QuerySet[SampleItem]:
    """Return samples of the actor and of their organisations, the newest first."""
    return _all().filter(owned_by(actor))


def samples_for(actor: Actor) -> QuerySet[SampleItem]:
    """Return the samples that the actor owns or hosts, the newest first; nobody else sees a sample."""
    if not actor.scope_where("operate-instruments"):
        return owned_samples(actor)
    return _all().filter(Q(owned_by(actor)) | Q(hosted_by(actor)))


def hosted_samples(actor: Actor) -> QuerySet[SampleItem]:
    """Return samples on bookings of instruments that the actor operates, the newest first."""
    return _all().filter(hosted_by(actor))


def sample_by_id(actor: Actor, sample_id: UUID) -> SampleItem:
    """Return a sample; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(samples_for(actor), pk=sample_id)


def sample_by_code(actor: Actor, code: str) -> SampleItem:
    """Return a sample by its code as it was typed; raise `Invalid` if that is not a code, or `NotFound`."""
    return visible(samples_for(actor), code=rules.code_in(code))


def hosts(actor: Actor, booked: BookedSample) -> bool:
    """Say whether the actor is on the staff of the instrument on whose booking a sample is."""
    instrument = booked.reservation.instrument
    scope = actor.scope_where("operate-instruments")
    return scope.holds(booked.host_id, instrument.facility_id, instrument.pk)


def bookings_shown(actor: Actor, sample: SampleItem, sides: set[str]) -> list[BookedSample]:
    """Return the bookings of a sample (loaded by `with_bookings`) that the actor is shown: all to its owner,
    to staff those at their own host."""
    rows = list(sample.bookings.all())
    return rows if rules.OWNER in sides else [r for r in rows if hosts(actor, r)]


def sides_of(actor: Actor, samples: Sequence[SampleItem]) -> dict[UUID, set[str]]:
    """Return for each sample the sides (owner, host) on which the actor is; samples with none are left out.
    At most one statement."""
    sides: dict[UUID, set[str]] = {}
    for sample in samples:
        if owns(actor, sample):
            sides.setdefault(sample.pk, set()).add(rules.OWNER)
    if actor.scope_where("operate-instruments"):
        rows = BookedSample.objects.filter(_hosted(actor), sample__in=samples)
        for pk in rows.values_list("sample_id", flat=True):
            sides.setdefault(pk, set()).add(rules.HOST)
    return sides


def require_owned(actor: Actor, samples: Iterable[SampleItem]) -> None:
    """Raise `NotFound` unless the actor owns all these samples."""
    if not all(owns(actor, sample) for sample in samples):
        raise NotFound


def hazards_of(samples: Iterable[SampleItem]) -> tuple[Hazard, ...]:
    """Return the hazards of samples, as the rules need them."""
    return tuple(
        Hazard(code, rules.code_text(sample.code), sample.name)
        for sample in samples
        for code in sample.hazards
    )


def load_hazards(actor: Actor, sample_ids: Sequence[UUID]) -> tuple[Hazard, ...]:
    """Return the hazards of some of the actor's own samples, for a quotation. Raise `NotFound` if one is not
    theirs. One statement, none without samples."""
    if not sample_ids:
        return ()
    rows = list(owned_samples(actor).filter(pk__in=sample_ids))
    if len(rows) != len(set(sample_ids)):
        raise NotFound
    return hazards_of(rows)


def refusals_of(instrument: Instrument, samples: Iterable[SampleItem]) -> tuple[Refusal, ...]:
    """Return the refusals of an instrument (loaded with facility and policy) that does not accept hazards of
    these samples. No statement."""
    return tuple(not_accepted(hazards_of(samples), refused_hazards(instrument)))


def require_accepted(instrument: Instrument, hazards: Iterable[Hazard]) -> None:
    """Raise `RulesRefuse` if an instrument (loaded with facility and policy) does not accept one of the
    hazards. No statement."""
    if refusals := tuple(not_accepted(hazards, refused_hazards(instrument))):
        raise RulesRefuse(refusals)


def open_bookings(now: datetime) -> Q:
    """Return a condition on links of samples to bookings: the booking is not over."""
    return (
        Q(reservation__state__in=OPEN)
        & (Q(reservation__deadline_at=None) | Q(reservation__deadline_at__gt=now))
        & (Q(reservation__end_at__gt=now) | Q(reservation__state="in_use"))
    )


def load_of_booking(
    actor: Actor, reservation: Reservation, now: datetime
) -> tuple[list[tuple[SampleItem, tuple[Refusal, ...]]], list[SampleItem]]:
    """Return the samples of a booking that the actor sees, as they were announced, each with the refusals of
    the instrument; and, if they may add samples, their other samples. One statement."""
    is_on = Exists(BookedSample.objects.filter(reservation=reservation, sample=OuterRef("pk")))
    shown = Q(is_on=True)
    if may_join(actor, reservation, now):
        shown |= owned_by(actor) & Q(state__in=rules.USABLE)
    rows = list(samples_for(actor).annotate(is_on=is_on).filter(shown).order_by("id")[:SHOWN])
    on = [row for row in rows if row.is_on]
    instrument = reservation.instrument
    return ([(row, refusals_of(instrument, [row])) for row in on], [row for row in rows if row not in on])


def may_join(actor: Actor, reservation: Reservation, now: datetime) -> bool:
    """Say whether the actor may add samples to a booking: it is theirs, or of a member for whom they book,
    and neither a hold nor over."""
    state = effective_state(reservation.state, reservation.deadline_at, now)
    is_theirs = is_own(
        actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    ) or reservation.organisation_id in actor.organisations_where("book-for-members")
    return is_theirs and state in OPEN and state != "held" and reservation.end_at > now


def joinable(actor: Actor) -> QuerySet[SampleItem]:
    """Return the actor's samples from which those for a booking are chosen, the newest first."""
    return owned_samples(actor).filter(state__in=rules.USABLE)


def bookings_to_join(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Return the bookings to which the actor may add samples, the next first, with what their instruments do
    not accept."""
    managed = actor.organisations_where("book-for-members")
    own = Q(user_id=actor.person) | Q(made_by_id=actor.person) | Q(organisation_id__in=managed)
    return (
        reservations_for(actor)
        .filter(own, Q(deadline_at=None) | Q(deadline_at__gt=now), state__in=OPEN, end_at__gt=now)
        .exclude(state="held")
        .select_related("instrument__facility__sample_receiving", "instrument__policy")
        .order_by("start_at", "id")
    )


def under_way(samples: QuerySet[SampleItem]) -> QuerySet[SampleItem]:
    """Return those of the samples that are announced, with a host, or travelling."""
    return samples.filter(state__in=rules.UNDER_WAY)


def number_left(booking: Reservation) -> int:
    """Return how many of the samples that were named when booking are not announced yet; at least 1."""
    named = booking.quotes.filter(is_current=True).values_list("inputs__quantity", flat=True).first()
    return max(1, int(Decimal(str(named or 0))) - booking.sample_items.count())


# Queues of samples for the host's staff.


def arriving(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Return samples that were announced or shipped for bookings that are not over."""
    return hosted_samples(actor).filter(state__in=rules.COMING).filter(_on(actor, now))


def due(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Return arriving samples whose booking begins within a week."""
    soon = Q(reservation__start_at__lt=now + DUE_WITHIN)
    return hosted_samples(actor).filter(state__in=rules.COMING).filter(_on(actor, now, soon))


def here(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Return samples that are at the host."""
    return hosted_samples(actor).filter(state__in=rules.HERE)


def to_return(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Return samples that are measured, or were not accepted, and are neither on their way back nor disposed
    of."""
    return hosted_samples(actor).filter(state__in=rules.TO_RETURN)


def refused(actor: Actor, now: datetime) -> QuerySet[SampleItem]:
    """Return samples that were not accepted and wait to be sent back or disposed of."""
    return hosted_samples(actor).filter(state="refused")


def _on(actor: Actor, now: datetime, more: Q | None = None) -> Q:
    rows = BookedSample.objects.filter(_hosted(actor), open_bookings(now), more or Q(), sample=OuterRef("pk"))
    return Exists(rows)  # type: ignore[return-value]


def with_bookings(samples: QuerySet[SampleItem]) -> QuerySet[SampleItem]:
    """Load the bookings of each sample too. One more statement."""
    rows = BookedSample.objects.select_related(
        "reservation__instrument__facility__sample_receiving",
        "reservation__instrument__policy",
        "reservation__host",
    ).order_by("reservation__start_at", "id")
    return samples.prefetch_related(Prefetch("bookings", rows))


def reminded_of(now: datetime) -> QuerySet[BookedSample]:
    """Return links of samples that have not arrived to bookings that begin within a day."""
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
    """Return the upcoming bookings with samples that a new policy would not accept although the present one
    does (`instruments/managing/selectors/misfits.py`). One statement, none if no class of hazard is added."""
    added = set(policy.refused_hazards if policy else ()) - set(refused_hazards(instrument))
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
    return SampleItem.objects.select_related("user", "organisation__region", "sheet").order_by(
        "-created_at", "-id"
    )


def photo_by_id(actor: Actor, photo_id: UUID) -> SamplePhoto:
    """Return a picture of a sample that the actor may see; raise `NotFound` otherwise."""
    row = visible(SamplePhoto.objects, pk=photo_id)
    sample_by_id(actor, row.sample_id)
    return row


def sheet_by_id(actor: Actor, sheet_id: UUID) -> SafetySheet:
    """Return the safety data sheet of a sample that the actor may see; raise `NotFound` otherwise."""
    return visible(
        SafetySheet.objects, Q(Exists(samples_for(actor).filter(sheet=OuterRef("pk")))), pk=sheet_id
    )


def _booked(at: str) -> Callable[[QuerySet[SampleItem], UUID, By], QuerySet[SampleItem]]:
    """Return a function that narrows samples to those with a booking of a thing, among the bookings of each
    sample that the actor is shown (`bookings_shown`)."""

    def narrowed(rows: QuerySet[SampleItem], pk: UUID, by: By) -> QuerySet[SampleItem]:
        booked = BookedSample.objects.filter(sample=OuterRef("pk"), **{at: pk})
        return rows.filter(owned_by(by.actor) & Exists(booked) | Exists(booked.filter(_hosted(by.actor))))

    return narrowed


REFERENCE = Filter(
    "reference",
    lambda rows, text, by: rows.filter(owned_by(by.actor), reference=text),
    help="Samples of your side with this reference of your own.",
    most=LONGEST_REFERENCE,
)
SAMPLES = Listing(
    "samples",
    samples_for,
    (
        Column("code", "code"),
        Column("name", "name", _("Sample item"), "name"),
        Column("person", "user"),
        Column("organisation", "organisation.code"),
        Column("state", "state", _("State"), "state"),
        Column("booking", label=_("Booking")),
        Column("hazards", lambda row, by: ", ".join(row.hazards), _("Hazards")),
        Column("afterwards", "afterwards"),
        Column("announced", "created_at", sort="created_at"),
        Column("reference", lambda row, by: row.reference if owns(by.actor, row) else ""),
    ),
    waits={"due": due, "arriving": arriving, "here": here, "return": to_return},
    waits_help="For managers: only samples for their instruments that are due within a week, "
    "announced, on the way, at the facility, or to be returned.",
    words=("name", "code", "description", "user__name", "organisation__name", "organisation__name_zh"),
    q_help="Part of the sample's name, code or description, or of the name of its person or organisation.",
    day="created_at",
    filters=(
        Filter(
            "code",
            lambda rows, text, by: rows.filter(code=rules.code_in(text)),
            help="Only the sample with this code.",
            most=200,
        ),
        REFERENCE,
        Filter("state", "state", CHOICE, _("State"), choices=SampleItem.State.choices),
        Filter(
            "under_way",
            lambda rows, value, by: under_way(rows),
            FLAG,
            _("Under way"),
            help="Only samples that are announced, with a host, or travelling.",
        ),
        Filter("reservation", _booked("reservation"), ID),
        Filter("facility", _booked("reservation__instrument__facility"), ID),
        Filter("instrument", _booked("reservation__instrument"), ID),
    ),
    copied=Q(),
)
OWN_SAMPLES = replace(
    SAMPLES,
    rows=lambda actor: with_bookings(owned_samples(actor)),
    waits={},
    filters=tuple(
        replace(one, label=_("Reference")) if one.name == "reference" else one for one in SAMPLES.filters
    ),
)
HOSTED_SAMPLES = replace(SAMPLES, rows=hosted_samples)
