"""The API for courses that end in a certificate, and for their sessions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, named, reads
from accounts.api.shapes import Flag, Instant, ListOf, Money, ReasonBody, Shape, Text, Whole
from accounts.models import Organisation
from instruments.register.selectors.registry import facility_by_id
from instruments.training.api.qualifications import certified
from instruments.training.domain import training
from instruments.training.forms.training import CourseChangeBody, SessionCancelForm
from instruments.training.models import Course, CourseSession
from instruments.training.selectors.fees import own_payers, places_priced
from instruments.training.selectors.training import (
    coming,
    course_by_id,
    course_to_manage,
    courses_for,
    free_places,
    open_to_ask,
    session_by_id,
    session_to_manage,
    sessions_for,
    trainers_named,
)
from instruments.training.services import training as training_services

TAG = "training"
COURSE = {"name": "Electron microscopy, first steps", "name_zh": "电子显微镜入门", "months": 24, "places": 6}
SESSION = {
    "start": "2026-03-16T01:00:00Z",
    "end": "2026-03-16T04:00:00Z",
    "deadline": "2026-03-13T09:00:00Z",
    "places": 6,
    "location": "Room 301",
}


class PrerequisitesShape(serializers.ListField):
    child = serializers.UUIDField()

    def get_attribute(self, course: Course) -> list[UUID]:
        return sorted(each.pk for each in course.prerequisites.all())


class CourseShape(serializers.Serializer[Any]):
    """A course. The organisation certifies people who pass for an instrument (by id) or a technique (by
    code), for a number of months (null: without end)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    technique = serializers.CharField(source="technique.code", allow_null=True)
    name = serializers.CharField()
    name_zh = serializers.CharField()
    description = serializers.CharField()
    description_zh = serializers.CharField()
    months = serializers.IntegerField(allow_null=True)
    places = serializers.IntegerField(help_text="Usual number of places in a session.")
    prerequisites = PrerequisitesShape(
        help_text="Courses whose certificates a participant must hold on the day of the session."
    )
    retired_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class PlacePriceShape(serializers.Serializer[Any]):
    """The price of a place for one of your organisations, tax included, to be paid once you have attended.
    `payable` is null if the rate card has no price for its price group: then it cannot pay for a place."""

    organisation = serializers.CharField(source="organisation.code")
    price_group = serializers.CharField()
    payable = Money(allow_null=True)


class CourseSessionShape(serializers.Serializer[Any]):
    """One session of a course. `free` is the number of places that are not taken; if `waiting` is not zero,
    whoever asks now has to wait too. `prices`: what a place costs each of your organisations; empty if it
    costs nothing."""

    id = serializers.UUIDField()
    course = serializers.UUIDField(source="course_id")
    organisation = serializers.CharField(source="course.organisation.code")
    facility = serializers.UUIDField(source="facility_id")
    time_zone = serializers.CharField(source="facility.time_zone")
    location = serializers.CharField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    deadline = Instant(source="deadline_at", help_text="Until when a place may be requested.")
    places = serializers.IntegerField()
    free = serializers.IntegerField()
    waiting = serializers.IntegerField()
    instrument = serializers.UUIDField(
        source="instrument_id",
        allow_null=True,
        help_text="The instrument used, which is closed during the session.",
    )
    trainers = PersonShape(source="trainers_by_name", many=True)
    prices = PlacePriceShape(many=True)
    cancelled_at = Instant(allow_null=True)
    reason = serializers.CharField(source="why_cancelled", allow_null=True)
    version = serializers.IntegerField()


class CourseBody(CourseChangeBody):
    """A new course, which certifies for either an instrument or a technique."""

    organisation = Text(
        30, required=False, help_text="Code of the organisation; default: the instrument's host."
    )
    instrument = serializers.UUIDField(required=False, allow_null=True)
    technique = Text(60, required=False, allow_null=True, help_text="Code of the technique.")


class CourseQuery(Pages):
    organisation = Text(30, default="", help_text="Code of the organisation.")
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", help_text="Code of the technique.")


class SessionChangeBody(Shape):
    """Changes to a course session; fields left out stay as they are."""

    facility = serializers.UUIDField(required=False)
    location = Text(training.LONGEST_NAME, required=False, allow_blank=True)
    start = Instant()
    end = Instant()
    deadline = Instant(help_text="Must not be after the start.")
    places = Whole(min_value=1, max_value=training.MOST_PLACES)
    instrument = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text=(
            "Instrument of the organisation that is used, and closed, during the session. Null: "
            "none. Default for a new session: the instrument of the course."
        ),
    )
    trainers = ListOf(
        child=Text(254),
        max_length=training.MOST_NAMED,
        required=False,
        help_text="Ids or e-mail addresses of members of the organisation.",
    )
    displace = Flag(
        required=False,
        help_text="Whether bookings of the instrument at that time give way at no cost, as to a closure.",
    )


class SessionBody(SessionChangeBody):
    course = serializers.UUIDField()
    facility = serializers.UUIDField(help_text="Id of a facility of the organisation.")


class SessionQuery(Pages):
    course = serializers.UUIDField(required=False)
    organisation = Text(30, default="", help_text="Code of the organisation.")
    coming = Flag(required=False, help_text="Only sessions that have not taken place yet.")
    free = Flag(required=False, help_text="Only sessions with a free place.")


class Courses(Resource):
    at, key, name, many, tag = "courses/", "course_id", "course", "courses", TAG
    shape, order = CourseShape, ("name", "id")
    needs_person, page_at = True, "manage/training/courses/"

    def visible(self, pk: UUID) -> Course:
        return course_by_id(self.actor, pk)

    @lists(_("Courses"), CourseQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Course]:
        """Lists the courses on offer, by name; managers also see retired ones of their organisation."""
        rows = courses_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["technique"]:
            rows = rows.filter(technique__code=query["technique"])
        return rows

    @creates(
        _("Offer a course"),
        CourseBody,
        sends={"organisation": "hefei-materials", "technique": "PaNET01198", **COURSE},
    )
    def create(self, data: dict[str, Any]) -> UUID:
        """Creates a course. Only the organisation's managers may do this. People who pass are certified for
        one of its instruments, or for a technique on all its instruments that require it."""
        instrument, technique, host = certified(self, data, "organisation")
        terms = _course_terms({"months": None} | data)
        return training_services.course_create(
            self.by, host=host, instrument=instrument, technique=technique, terms=terms
        ).pk

    @reads(_("A course"))
    def detail(self, pk: UUID) -> None:
        """Returns one course, to everybody who is signed in."""

    @changes(_("Change a course"), CourseChangeBody, partial=True, refuses=[404, 409], sends={"months": 36})
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Changes the terms of a course. Only the course's managers may do this. What it certifies stays, and
        so do certificates already issued."""
        row = course_to_manage(self.actor, pk)
        present = {
            name: getattr(row, name)
            for name in ("name", "name_zh", "description", "description_zh", "months", "places")
        } | {"prerequisites": [each.pk for each in row.prerequisites.all()]}
        training_services.course_change(self.by, course_id=pk, terms=_course_terms(present | data))

    @OnPage(
        "instruments:course-manage",
        _("Retire the course"),
        _("The course is no longer offered."),
        _("Stop offering this course? Certificates stay as they are."),
        to=lambda _: reverse("instruments:courses"),
    )
    @acts(_("Retire a course"))
    def retire(self, pk: UUID) -> None:
        """Retires a course, which is no longer offered. Only the course's managers may do this. 409
        `sessions-ahead` if it has upcoming sessions."""
        training_services.course_retire(self.by, course_id=pk)


class CourseSessions(Resource):
    at, key, tag = "course-sessions/", "session_id", TAG
    name, many = "course_session", "course_sessions"
    shape, order = CourseSessionShape, ("start_at", "id")
    needs_person, page_at, page_name = True, "manage/training/sessions/", "session"

    def visible(self, pk: UUID) -> CourseSession:
        return session_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        prices = places_priced(rows, own_payers(self.actor))
        for row in rows:
            row.prices = prices.get(row.pk, [])
            row.free = free_places(row)
            row.trainers_by_name = sorted(row.trainers.all(), key=str)
            row.why_cancelled = row.reason or None
        return rows

    @lists(_("Course sessions"), SessionQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[CourseSession]:
        """Lists sessions in the order of time."""
        rows = sessions_for(self.actor)
        if "course" in query:
            rows = rows.filter(course_id=query["course"])
        if query["organisation"]:
            rows = rows.filter(course__organisation__code=query["organisation"])
        if query.get("coming"):
            rows = coming(rows, self.now)
        return open_to_ask(rows, self.now) if query.get("free") else rows

    @creates(
        _("Enter a course session"),
        SessionBody,
        refuses=[409],
        sends={
            "course": "0197a1de-0000-7000-8000-000000000001",
            "facility": "0197a1de-0000-7000-8000-000000000002",
            **SESSION,
        },
    )
    def create(self, data: dict[str, Any]) -> UUID:
        """Schedules a session of a course. Only the course's managers may do this. 409
        `reservations-in-the-way` lists bookings of its instrument at that time, which `displace` makes give
        way."""
        course = named("course", course_to_manage, self.actor, data["course"])
        displace = data.pop("displace", False)
        facility = named("facility", facility_by_id, data["facility"])
        terms = _session_terms({"instrument": course.instrument_id} | data, course.organisation)
        return training_services.session_create(
            self.by, course_id=course.pk, facility=facility, terms=terms, displace=displace
        ).pk

    @reads(_("A course session"))
    def detail(self, pk: UUID) -> None:
        """Returns one course session, to everybody who is signed in."""

    @changes(
        _("Change a course session"), SessionChangeBody, partial=True, refuses=[404, 409], sends={"places": 8}
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Changes a course session that has not begun. Only the course's managers may do this. Participants
        are told of another time or place; if there are more places, people who wait get them. The instrument
        is closed at the new time instead."""
        row = session_to_manage(self.actor, pk)
        facility_id, displace = data.pop("facility", None), data.pop("displace", False)
        present = {
            "start": row.start_at,
            "end": row.end_at,
            "deadline": row.deadline_at,
            "places": row.places,
            "location": row.location,
            "instrument": row.instrument_id,
            "trainers": [str(user.pk) for user in row.trainers.all()],
        }
        training_services.session_change(
            self.by,
            session_id=pk,
            facility=named("facility", facility_by_id, facility_id) if facility_id else None,
            terms=_session_terms(present | data, row.course.organisation),
            displace=displace,
        )

    @OnPage(
        "instruments:session-manage",
        done=_("Cancelled. Everybody enrolled is notified by mail."),
        form=SessionCancelForm,
        name="cancel_form",
    )
    @acts(_("Cancel a course session"), ReasonBody, sends={"reason": "The trainer is ill."})
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """Cancels a course session. Only the course's managers may do this. The reason is mailed to all
        participants."""
        training_services.session_cancel(self.by, session_id=pk, **data)


def _course_terms(data: dict[str, Any]) -> training.CourseTerms:
    return training.CourseTerms(**data | {"prerequisites": tuple(data.get("prerequisites", ()))})


def _session_terms(data: dict[str, Any], host: Organisation) -> training.SessionTerms:
    """Return the terms that a body gives. `Invalid` if a trainer is not a member of the host."""
    return training.SessionTerms(
        **{name: data[name] for name in ("start", "end", "deadline", "places")},
        location=data.get("location", ""),
        instrument=data["instrument"],
        trainers=trainers_named(host, data.get("trainers", [])),
    )
