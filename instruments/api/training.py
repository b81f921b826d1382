"""Courses that end in a certificate, and their sessions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, named, reads
from accounts.api.shapes import Flag, Instant, ListOf, ReasonBody, Shape, Text, Whole
from accounts.models import Organisation
from instruments.api.qualifications import certified
from instruments.domain.training import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_MONTHS,
    MOST_NAMED,
    MOST_PLACES,
    CourseTerms,
    SessionTerms,
)
from instruments.models import Course, CourseSession
from instruments.selectors.registry import facility_by_id
from instruments.selectors.training import (
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
from instruments.services.training import (
    course_change,
    course_create,
    course_retire,
    session_cancel,
    session_change,
    session_create,
)

TAG = "training"
COURSE = {
    "name": "Electron microscopy, first steps",
    "name_zh": "电子显微镜入门",
    "months": 24,
    "places": 6,
}
SESSION = {
    "start": "2026-03-16T01:00:00Z",
    "end": "2026-03-16T04:00:00Z",
    "deadline": "2026-03-13T09:00:00Z",
    "places": 6,
    "location": "Room 301",
}


class TrainerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="*")


class PrerequisitesShape(serializers.ListField):
    child = serializers.UUIDField()

    def get_attribute(self, course: Course) -> list[UUID]:
        return sorted(each.pk for each in course.prerequisites.all())


class CourseShape(serializers.Serializer[Any]):
    """Whoever passes is certified by the organisation for an instrument (its id) or a technique
    (its code), for some months (null: without end)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    technique = serializers.CharField(source="technique.code", allow_null=True)
    name = serializers.CharField()
    name_zh = serializers.CharField()
    description = serializers.CharField()
    description_zh = serializers.CharField()
    months = serializers.IntegerField(allow_null=True)
    places = serializers.IntegerField(help_text="How many a session usually has.")
    prerequisites = PrerequisitesShape(
        help_text="Courses whose certificates one has to hold on the day of a session."
    )
    retired_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class CourseSessionShape(serializers.Serializer[Any]):
    """One time a course is given. `free` places are not taken; where `waiting` is not zero,
    whoever asks now waits too."""

    id = serializers.UUIDField()
    course = serializers.UUIDField(source="course_id")
    organisation = serializers.CharField(source="course.organisation.code")
    facility = serializers.UUIDField(source="facility_id")
    time_zone = serializers.CharField(source="facility.time_zone")
    location = serializers.CharField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    deadline = Instant(source="deadline_at", help_text="Until when one may ask for a place.")
    places = serializers.IntegerField()
    free = serializers.IntegerField()
    waiting = serializers.IntegerField()
    trainers = TrainerShape(source="trainers_by_name", many=True)
    cancelled_at = Instant(allow_null=True)
    reason = serializers.CharField(source="why_cancelled", allow_null=True)
    version = serializers.IntegerField()


class CourseChangeBody(Shape):
    """Those not named stay."""

    name = Text(LONGEST_NAME)
    name_zh = Text(LONGEST_NAME, required=False, allow_blank=True)
    description = Text(LONGEST_TEXT, required=False, allow_blank=True)
    description_zh = Text(LONGEST_TEXT, required=False, allow_blank=True)
    months = Whole(
        min_value=1,
        max_value=MOST_MONTHS,
        required=False,
        allow_null=True,
        help_text="How long its certificates are valid. Null: no end.",
    )
    places = Whole(min_value=1, max_value=MOST_PLACES)
    prerequisites = ListOf(
        child=serializers.UUIDField(),
        max_length=MOST_NAMED,
        required=False,
        help_text="Courses of the same organisation.",
    )


class CourseBody(CourseChangeBody):
    """Name an instrument or a technique."""

    organisation = Text(30, required=False, help_text="A code; default: the instrument's host.")
    instrument = serializers.UUIDField(required=False, allow_null=True)
    technique = Text(60, required=False, allow_null=True, help_text="Its code.")


class CourseQuery(Pages):
    organisation = Text(30, default="", help_text="A code.")
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", help_text="Its code.")


class SessionChangeBody(Shape):
    """Those not named stay."""

    facility = serializers.UUIDField(required=False)
    location = Text(LONGEST_NAME, required=False, allow_blank=True)
    start = Instant()
    end = Instant()
    deadline = Instant(help_text="Must not be after the start.")
    places = Whole(min_value=1, max_value=MOST_PLACES)
    trainers = ListOf(
        child=Text(254),
        max_length=MOST_NAMED,
        required=False,
        help_text="Members of the organisation, by id or mail address.",
    )


class SessionBody(SessionChangeBody):
    course = serializers.UUIDField()
    facility = serializers.UUIDField(help_text="One of the organisation's.")


class SessionQuery(Pages):
    course = serializers.UUIDField(required=False)
    organisation = Text(30, default="", help_text="A code.")
    coming = Flag(required=False, help_text="Only those that are to take place.")
    free = Flag(required=False, help_text="Only those in which one is given a place at once.")


class Courses(Resource):
    at, key, name, many, tag = "courses/", "course_id", "course", "courses", TAG
    shape, order = CourseShape, ("name", "id")
    needs_person = True

    def visible(self, pk: UUID) -> Course:
        return course_by_id(self.actor, pk)

    @lists(_("Courses"), CourseQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Course]:
        """Those that are offered, by name; for managers the retired ones of their organisation
        too."""
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
        """For the managers of the organisation. Whoever passes is certified by it for one of its
        instruments, or for a technique wherever its instruments ask for that."""
        instrument, technique, host = certified(self, data, "organisation")
        terms = _course_terms({"months": None} | data)
        return course_create(
            self.by, host=host, instrument=instrument, technique=technique, terms=terms
        ).pk

    @reads(_("One course"))
    def detail(self, pk: UUID) -> None:
        """For everybody who is signed in."""

    @changes(
        _("Change a course"),
        CourseChangeBody,
        partial=True,
        refuses=[404, 409],
        sends={"months": 36},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its managers. What it certifies stays, and so do certificates that were given."""
        row = course_to_manage(self.actor, pk)
        present = {
            name: getattr(row, name)
            for name in ("name", "name_zh", "description", "description_zh", "months", "places")
        } | {"prerequisites": [each.pk for each in row.prerequisites.all()]}
        course_change(self.by, course_id=pk, terms=_course_terms(present | data))

    @acts(_("Retire a course"))
    def retire(self, pk: UUID) -> None:
        """For its managers: it is offered no more. 409 `sessions-ahead` while sessions are to
        come."""
        course_to_manage(self.actor, pk)
        course_retire(self.by, course_id=pk)


class CourseSessions(Resource):
    at, key, tag = "course-sessions/", "session_id", TAG
    name, many = "course_session", "course_sessions"
    shape, order = CourseSessionShape, ("start_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> CourseSession:
        return session_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.free = free_places(row)
            row.trainers_by_name = sorted(row.trainers.all(), key=str)
            row.why_cancelled = row.reason or None
        return rows

    @lists(_("Course sessions"), SessionQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[CourseSession]:
        """In the order of time."""
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
        """For the course's managers."""
        course = named("course", course_to_manage, self.actor, data["course"])
        facility = named("facility", facility_by_id, data["facility"])
        terms = _session_terms(data, course.organisation)
        return session_create(self.by, course_id=course.pk, facility=facility, terms=terms).pk

    @reads(_("One course session"))
    def detail(self, pk: UUID) -> None:
        """For everybody who is signed in."""

    @changes(
        _("Change a course session"),
        SessionChangeBody,
        partial=True,
        refuses=[404, 409],
        sends={"places": 8},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its managers, before it begins. Everybody in it is told of another time or place;
        with more places those who wait move up."""
        row = session_to_manage(self.actor, pk)
        facility_id = data.pop("facility", None)
        present = {
            "start": row.start_at,
            "end": row.end_at,
            "deadline": row.deadline_at,
            "places": row.places,
            "location": row.location,
            "trainers": [str(user.pk) for user in row.trainers.all()],
        }
        session_change(
            self.by,
            session_id=pk,
            facility=named("facility", facility_by_id, facility_id) if facility_id else None,
            terms=_session_terms(present | data, row.course.organisation),
        )

    @acts(_("Cancel a course session"), ReasonBody, sends={"reason": "The trainer is ill."})
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """For its managers, with a reason, which everybody in it is told by mail."""
        session_to_manage(self.actor, pk)
        session_cancel(self.by, session_id=pk, **data)


def _course_terms(data: dict[str, Any]) -> CourseTerms:
    return CourseTerms(**data | {"prerequisites": tuple(data.get("prerequisites", ()))})


def _session_terms(data: dict[str, Any], host: Organisation) -> SessionTerms:
    """Of a body; `Invalid` for a trainer who is no member of the host."""
    return SessionTerms(
        **{name: data[name] for name in ("start", "end", "deadline", "places")},
        location=data.get("location", ""),
        trainers=trainers_named(host, data.get("trainers", [])),
    )
