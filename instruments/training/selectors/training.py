"""Read courses, sessions and enrolments that a person may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation
from accounts.selectors.memberships import in_scope, place_of
from accounts.selectors.rows import visible
from accounts.selectors.users import members_named
from accounts.selectors.zones import DayIn
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.blocks import block_at, numbers_of
from instruments.training.domain.training import CHARGED_WITHIN, REMIND_DAYS, THIS_INSTRUMENT, reminder_due
from instruments.training.models import Course, CourseSession, Enrolment, Qualification
from instruments.training.selectors.qualifications import needed_for, zone_of
from instruments.vocabulary.models import Technique

COURSE_WITH = ("organisation__region", "instrument__facility", "technique")
SESSION_WITH = (
    "course__organisation__region",
    "course__instrument__facility",
    "course__technique",
    "facility",
)
# States in which a person has a place.
SEATED = ("enrolled", "passed", "failed", "absent")
NEXT = 3  # sessions shown where a certificate is missing


def courses() -> QuerySet[Course]:
    """Return all courses, by name."""
    return Course.objects.select_related(*COURSE_WITH).order_by("name", "id")


def courses_for(actor: Actor) -> QuerySet[Course]:
    """Return the courses on offer, and the retired ones that the actor manages. `NotPermitted` if nobody is
    signed in."""
    seen = Q(retired_at=None)
    if actor.person and (managed := actor.scope_where("manage-instruments")):
        seen |= in_scope(managed, "organisation_id")
    return courses().filter(seen).prefetch_related("prerequisites")


def course_by_id(actor: Actor, course_id: UUID) -> Course:
    """Return a course. `NotFound` if there is none, or it is retired and the actor does not manage it."""
    return visible(courses_for(actor), pk=course_id)


def course_to_manage(actor: Actor, course_id: UUID) -> Course:
    """Return a course for those who manage it; `NotPermitted` for others."""
    course = course_by_id(actor, course_id)
    _must_manage(actor, course)
    return course


def place_of_course(course: Course) -> Place:
    """Return the place of acts on a course. One for a technique is the affair of its whole host."""
    return place_of(course.organisation, course.instrument)


def _must_manage(actor: Actor, course: Course) -> None:
    if not actor.may("manage-instruments", place_of_course(course)):
        raise NotPermitted(at=course.organisation_id, capability="manage-instruments")


def managed_courses(actor: Actor) -> QuerySet[Course]:
    """Return the courses that the actor manages, those on offer first. `NotPermitted` for people who manage
    nothing."""
    managed = actor.scope_where("manage-instruments")
    if not managed:
        raise NotPermitted(capability="manage-instruments")
    rows = courses().filter(in_scope(managed, "organisation_id"))
    return rows.order_by(F("retired_at").asc(nulls_first=True), "name", "id")


def hosts_managed(actor: Actor) -> list[Organisation]:
    """Return the organisations for which, or for instruments of which, the actor may create courses. One
    statement."""
    managed = actor.scope_where("manage-instruments").hosts
    rows = Organisation.objects.select_related("region").filter(pk__in=managed, closed_at=None)
    return list(rows.order_by("name", "id"))


def sessions() -> QuerySet[CourseSession]:
    """Return all sessions in the order of time, with `taken` and `waiting` counted."""
    return (
        CourseSession.objects.select_related(*SESSION_WITH)
        .annotate(taken=_counted(SEATED), waiting=_counted(["waiting"]))
        .order_by("start_at", "id")
    )


def free_places(session: CourseSession) -> int:
    """Count the places that are not taken in a session loaded by `sessions`, even if people wait for them."""
    taken: int = session.taken  # type: ignore[attr-defined]
    return max(0, session.places - taken)


def _counted(states: Iterable[str]) -> Coalesce:
    rows = Enrolment.objects.filter(session=OuterRef("pk"), state__in=list(states))
    number = rows.order_by().values("session").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(number), 0)


def sessions_for(actor: Actor) -> QuerySet[CourseSession]:
    """Return the sessions of courses that the actor may see, with their trainers."""
    seen = courses_for(actor).order_by().values("pk")
    return sessions().filter(course_id__in=seen).prefetch_related("trainers")


def session_by_id(actor: Actor, session_id: UUID) -> CourseSession:
    """Return a session. `NotFound` if there is none, or the actor may not see its course."""
    return visible(sessions_for(actor), pk=session_id)


def session_to_manage(actor: Actor, session_id: UUID) -> CourseSession:
    """Return a session for its host's managers; `NotPermitted` for others."""
    session = session_by_id(actor, session_id)
    _must_manage(actor, session.course)
    return session


def leads(actor: Actor, session: CourseSession) -> bool:
    """Say whether the actor is one of the session's trainers, and still a member of the host."""
    is_member = session.course.organisation_id in actor.organisations
    return is_member and session.trainers.filter(pk=actor.person).exists()


def session_to_lead(actor: Actor, session_id: UUID) -> CourseSession:
    """Return a session, even of a retired course, for its trainers and its host's managers; `NotPermitted`
    for others."""
    session = sessions().prefetch_related("trainers").filter(pk=session_id).first()
    if session is not None and leads(actor, session):
        return session
    return session_to_manage(actor, session_id)


def led_sessions(actor: Actor) -> QuerySet[CourseSession]:
    """Return the sessions of which the actor is a trainer, the latest first, without those of hosts that the
    actor has left."""
    rows = sessions().filter(
        trainers=actor.person, course__organisation_id__in=actor.organisations, cancelled_at=None
    )
    return rows.order_by("-start_at", "-id")


def sessions_taught(actor: Actor, now: datetime) -> QuerySet[CourseSession]:
    """Return the sessions of which the actor is a trainer or has results to record. Each has `to_record`, the
    number of missing results; sessions with most of them come first, then the latest."""
    lacking = results_to_record(actor, now).order_by()
    number = lacking.filter(session=OuterRef("pk")).values("session").annotate(n=Count("pk"))
    led = led_sessions(actor).order_by().values("pk")
    return (
        sessions()
        .filter(Q(pk__in=led) | Q(pk__in=lacking.values("session")))
        .annotate(to_record=Coalesce(Subquery(number.values("n")), 0))
        .order_by("-to_record", "-start_at", "-id")
    )


def coming(rows: QuerySet[CourseSession], now: datetime) -> QuerySet[CourseSession]:
    """Return the sessions that have not begun and are not cancelled."""
    return rows.filter(cancelled_at=None, start_at__gt=now)


def open_to_ask(rows: QuerySet[CourseSession], now: datetime) -> QuerySet[CourseSession]:
    """Return the sessions in which a person gets a place at once: one is free and nobody waits for it."""
    has_place = Q(taken__lt=F("places"), waiting=0)
    return coming(rows, now).filter(has_place, deadline_at__gt=now, course__retired_at=None)


def enrolments_for(actor: Actor) -> QuerySet[Enrolment]:
    """Return the actor's own enrolments; those of sessions that the actor leads, and of courses that the
    actor manages; for an auditor those of hosts in their regions. `NotPermitted` if nobody is signed in."""
    seen = Q(user_id=actor.person) | Q(session_id__in=led_sessions(actor).order_by().values("pk"))
    if managed := actor.scope_where("manage-instruments"):
        seen |= in_scope(managed, "session__course__organisation_id", "session__course__instrument")
    regions = list(actor.regions_where("read-bookings"))
    if regions:
        seen |= Q(session__course__organisation__region__lineage__overlap=regions)
    with_session = [f"session__{name}" for name in SESSION_WITH]
    rows = Enrolment.objects.filter(seen)
    return rows.select_related("user", "asked_by", "qualification", "organisation", *with_session)


def results_to_record(actor: Actor, now: datetime) -> QuerySet[Enrolment]:
    """Return the enrolments without a result in sessions that have begun and that the actor leads or manages,
    except the actor's own."""
    theirs = Q(session_id__in=led_sessions(actor).order_by().values("pk"))
    if managed := actor.scope_where("manage-instruments"):
        theirs |= in_scope(managed, "session__course__organisation_id", "session__course__instrument")
    return Enrolment.objects.filter(
        theirs,
        ~Q(user_id=actor.person),
        state=Enrolment.State.ENROLLED,
        session__cancelled_at=None,
        session__start_at__lte=now,
    ).order_by("session__start_at", "id")


def enrolment_by_id(actor: Actor, enrolment_id: UUID) -> Enrolment:
    """Return an enrolment. `NotFound` if there is none, or the actor may not see it."""
    return visible(enrolments_for(actor), pk=enrolment_id)


def own_enrolments(actor: Actor) -> QuerySet[Enrolment]:
    """Return the enrolments of the actor that were not withdrawn, the latest session first."""
    rows = enrolments_for(actor).filter(user_id=actor.person).exclude(state="withdrawn")
    return rows.order_by("-session__start_at", "-id")


def participants(session: CourseSession) -> list[Enrolment]:
    """Return the enrolments of people who have a place in a session or wait for one, in the order in which
    they asked."""
    rows = session.enrolments.exclude(state="withdrawn")
    rows = rows.select_related("user", "qualification", "organisation")
    return list(rows.order_by("asked_at", "id"))


def places_ahead(user_id: UUID, now: datetime) -> QuerySet[Enrolment]:
    """Return the places, and waits for one, of a person in sessions that have not begun."""
    return Enrolment.objects.filter(
        user_id=user_id,
        state__in=["enrolled", "waiting"],
        session__start_at__gt=now,
        session__cancelled_at=None,
    )


def places_to_pay(organisation: Organisation, now: datetime) -> QuerySet[Enrolment]:
    """Return the places with a price for which an organisation may have to pay: they have no result yet, and
    their sessions have not ended so long ago that nothing can be charged any more."""
    ahead = CourseSession.objects.filter(cancelled_at=None, end_at__gte=now - CHARGED_WITHIN)
    return Enrolment.objects.filter(
        organisation=organisation, state__in=["enrolled", "waiting"], session__in=ahead.values("pk")
    )


def places_in_line(rows: Iterable[Enrolment]) -> dict[UUID, int]:
    """Return the place in line, from 1, of each waiting enrolment. At most one statement."""
    sessions_ = {row.session_id for row in rows if row.state == Enrolment.State.WAITING}
    if not sessions_:
        return {}
    line = Enrolment.objects.filter(session_id__in=sessions_, state=Enrolment.State.WAITING)
    places: dict[UUID, int] = {}
    ahead: dict[UUID, int] = {}
    for pk, session_id in line.order_by("asked_at", "id").values_list("pk", "session_id"):
        ahead[session_id] = places[pk] = ahead.get(session_id, 0) + 1
    return places


def sites_of(session: CourseSession) -> frozenset[UUID]:
    """Return the facilities at which somebody must not be blocked to take part: that of the session, and that
    of the instrument for which the course certifies."""
    thing = session.course.instrument
    return frozenset({session.facility_id, thing.facility_id if thing else session.facility_id})


def load_blocked(
    actor: Actor, sessions_: Sequence[CourseSession], payer_id: UUID | None, now: datetime
) -> dict[UUID, dict[str, Any]]:
    """Return, by session in which the reader cannot take a place because the host blocks them or the payer,
    what the refusal `blocked` says. One statement for each set of facilities."""
    if not actor.user_id:
        return {}
    found: dict[frozenset[UUID], dict[str, Any] | None] = {}
    for session in sessions_:
        host, sites = session.course.organisation, sites_of(session)
        if sites not in found:
            block = block_at(host.pk, sites, actor.user_id, payer_id, now)
            found[sites] = numbers_of(block, actor) if block else None
    return {s.pk: numbers for s in sessions_ if (numbers := found[sites_of(s)])}


def session_zone(session: CourseSession) -> ZoneInfo:
    """Return the time zone of a session's facility."""
    return ZoneInfo(session.facility.time_zone)


def trainers_named(host: Organisation, names: Sequence[str]) -> tuple[UUID, ...]:
    """Return the ids of members of the host, named by id or e-mail address; `Invalid` if one is not a member.
    One statement."""
    members = members_named(names, host.pk)
    if set(names) - set(members):
        raise invalid("trainers", "not-of-the-host")
    return tuple(dict.fromkeys(members.values()))


def lacks(user_id: UUID, course: Course, day: date) -> Course | None:
    """Return the first of a course's prerequisites for which the person has no certificate on a day; None if
    none is missing. At most two statements."""
    needed = list(course.prerequisites.order_by("name", "id"))
    if not needed:
        return None
    held = Qualification.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=day),
        user_id=user_id,
        revoked_at=None,
        valid_from__lte=day,
        issuer_id=course.organisation_id,
    )
    things = set(held.values_list("instrument_id", "technique_id"))
    return next((c for c in needed if (c.instrument_id, c.technique_id) not in things), None)


@dataclass(frozen=True)
class CourseOffer:
    """A course that gives a certificate, with its next sessions that have free places."""

    course: Course
    sessions: tuple[CourseSession, ...]


def courses_giving(instrument: Instrument, now: datetime) -> tuple[CourseOffer, ...]:
    """Return the host's courses that give the certificate that the instrument's policy requires, those with
    the earliest session first. Two statements; none if no certificate is required."""
    needed = needed_for(instrument)
    if not needed:
        return ()
    gives = Q(instrument_id=instrument.pk)
    if needed != THIS_INSTRUMENT:
        gives |= Q(technique__code=needed)
    return _offers(courses().filter(gives, organisation_id=instrument.organisation_id), now)


def load_renewal(row: Qualification, now: datetime) -> tuple[CourseOffer, ...]:
    """Return the courses that give the same certificate again, in the order of `courses_giving`."""
    gives = Q(instrument_id=row.instrument_id, technique_id=row.technique_id)
    return _offers(courses().filter(gives, organisation_id=row.issuer_id), now)


def _offers(rows: QuerySet[Course], now: datetime) -> tuple[CourseOffer, ...]:
    offered = list(rows.filter(retired_at=None))
    if not offered:
        return ()
    free: dict[UUID, list[CourseSession]] = {}
    for session in open_to_ask(sessions().filter(course__in=offered), now):
        free.setdefault(session.course_id, []).append(session)
    offers = [CourseOffer(c, tuple(free.get(c.pk, [])[:NEXT])) for c in offered]
    return tuple(sorted(offers, key=lambda o: (not o.sessions, *(s.start_at for s in o.sessions))))


def things_of(actor: Actor, host: Organisation) -> tuple[list[Instrument], list[Technique]]:
    """Return the things for which the actor may offer courses of a host: its instruments, and for managers of
    the whole host their techniques. Two statements."""
    managed = actor.scope_where("manage-instruments")
    own = Instrument.objects.filter(in_scope(managed, "organisation_id", None), organisation=host)
    own = own.exclude(publication="retired")
    if host.pk not in managed.organisations:
        return list(own.order_by("name", "id")), []
    used = Technique.objects.filter(instruments__in=own).distinct()
    return list(own.order_by("name", "id")), list(used.order_by("name", "code"))


def _followed() -> Exists:
    """Return a condition: the holder has another certificate of the same issuer for the same thing, which
    begins before this one ends and lasts longer."""
    others = Qualification.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=OuterRef("valid_until")),
        Q(instrument=OuterRef("instrument")) | Q(technique=OuterRef("technique")),
        user=OuterRef("user"),
        issuer=OuterRef("issuer"),
        revoked_at=None,
        valid_from__lte=OuterRef("valid_until") + timedelta(days=1),
    )
    return Exists(others)


def is_followed(row: Qualification) -> bool:
    """Say whether a certificate needs no renewal: it has no end, or another one follows it. One statement."""
    if row.valid_until is None:
        return True
    return Qualification.objects.filter(_followed(), pk=row.pk).exists()


def running_out(now: datetime) -> list[tuple[Qualification, int]]:
    """Return the certificates for which a reminder is due, each with its step of `REMIND_DAYS`; those that
    another one follows are left out. One statement."""
    day = now.date()
    rows = Qualification.objects.filter(
        ~_followed(),
        valid_until__gte=day - timedelta(days=1),
        valid_until__lte=day + timedelta(days=max(REMIND_DAYS) + 1),
        revoked_at=None,
        user__is_active=True,
    ).select_related("issuer__region", "instrument__facility")
    due = []
    for row in rows.order_by("valid_until", "pk"):
        until = row.valid_until
        step = reminder_due(until, local_date(zone_of(row), now)) if until else None
        if step is not None:
            due.append((row, step))
    return due


def own_running_out(actor: Actor, now: datetime) -> QuerySet[Qualification]:
    """Return the actor's certificates that end within the longest of `REMIND_DAYS` and that no other follows;
    the first to end comes first."""
    # The zone of `zone_of`, as many certificates are not for an instrument.
    zone = Coalesce("instrument__facility__time_zone", "issuer__region__time_zone")
    day = DayIn(now, "zone")
    return (
        Qualification.objects.alias(zone=zone)
        .filter(
            ~_followed(),
            user_id=actor.person,
            revoked_at=None,
            valid_from__lte=day,
            valid_until__gte=day,
            valid_until__lte=day + timedelta(days=max(REMIND_DAYS)),
        )
        .order_by("valid_until", "id")
    )
