"""Courses that end in a certificate, and their sessions."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Flag,
    Instant,
    ListOf,
    ReasonBody,
    Shape,
    Text,
    Whole,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.models import Organisation, User
from accounts.selectors.organisations import organisation_by_code
from instruments.domain.training import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_MONTHS,
    MOST_NAMED,
    MOST_PLACES,
    CourseTerms,
    SessionTerms,
)
from instruments.models import Course, CourseSession, Facility, Instrument, Technique
from instruments.selectors.registry import facility_by_id, instrument_by_id, techniques_by_code
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
    waiting_in,
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
    name = serializers.CharField()


class CourseShape(serializers.Serializer[Any]):
    """Whoever passes is certified by the organisation for an instrument (its id) or a technique
    (its code), for some months (null: without end)."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    instrument = serializers.UUIDField(allow_null=True)
    technique = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    name_zh = serializers.CharField()
    description = serializers.CharField()
    description_zh = serializers.CharField()
    months = serializers.IntegerField(allow_null=True)
    places = serializers.IntegerField(help_text="How many a session usually has.")
    prerequisites = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Courses whose certificates one has to hold on the day of a session.",
    )
    retired_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class CourseSessionShape(serializers.Serializer[Any]):
    """One time a course is given. `free` places are not taken; where `waiting` is not zero,
    whoever asks now waits too."""

    id = serializers.UUIDField()
    course = serializers.UUIDField()
    organisation = serializers.CharField()
    facility = serializers.UUIDField()
    time_zone = serializers.CharField()
    location = serializers.CharField()
    start = Instant()
    end = Instant()
    deadline = Instant(help_text="Until when one may ask for a place.")
    places = serializers.IntegerField()
    free = serializers.IntegerField()
    waiting = serializers.IntegerField()
    trainers = TrainerShape(many=True)
    cancelled_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)
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


def course_json(row: Course) -> dict[str, Any]:
    """A course loaded with its prerequisites."""
    return {
        "id": str(row.pk),
        "organisation": row.organisation.code,
        "instrument": str(row.instrument_id) if row.instrument_id else None,
        "technique": row.technique.code if row.technique else None,
        "name": row.name,
        "name_zh": row.name_zh,
        "description": row.description,
        "description_zh": row.description_zh,
        "months": row.months,
        "places": row.places,
        "prerequisites": sorted(str(each.pk) for each in row.prerequisites.all()),
        "retired_at": rfc3339(row.retired_at) if row.retired_at else None,
        "version": row.version,
    }


def session_json(row: CourseSession) -> dict[str, Any]:
    """A session loaded by `sessions_for`."""
    return {
        "id": str(row.pk),
        "course": str(row.course_id),
        "organisation": row.course.organisation.code,
        "facility": str(row.facility_id),
        "time_zone": row.facility.time_zone,
        "location": row.location,
        "start": rfc3339(row.start_at),
        "end": rfc3339(row.end_at),
        "deadline": rfc3339(row.deadline_at),
        "places": row.places,
        "free": free_places(row),
        "waiting": waiting_in(row),
        "trainers": [person_json(user) for user in sorted(row.trainers.all(), key=str)],
        "cancelled_at": rfc3339(row.cancelled_at) if row.cancelled_at else None,
        "reason": row.reason or None,
        "version": row.version,
    }


def person_json(user: User) -> dict[str, str]:
    return {"id": str(user.pk), "name": str(user)}


class TrainingEndpoint(Endpoint):
    """What the addresses of courses and sessions share."""

    needs_person = True

    def course(self, course_id: UUID, status: int = 200) -> Response:
        row = course_by_id(self.actor, course_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-course", kwargs={"course_id": row.pk})
        return Response(course_json(row), status=status, headers=headers)

    def session(self, session_id: UUID, status: int = 200) -> Response:
        row = session_by_id(self.actor, session_id)
        headers = etag(row.version)
        if status == 201:
            headers["Location"] = reverse("api-course-session", kwargs={"session_id": row.pk})
        return Response(session_json(row), status=status, headers=headers)


class Courses(TrainingEndpoint):
    @operation("courses", _("Courses"), tag=TAG, query=CourseQuery, gives=page(CourseShape))
    def get(self, request: Request) -> Response:
        """Those that are offered, by name; for managers the retired ones of their organisation
        too."""
        query = asked(CourseQuery, request.query_params)
        rows = courses_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["technique"]:
            rows = rows.filter(technique__code=query["technique"])
        return paginated(
            request, rows, query, ("name", "id"), lambda found: [course_json(r) for r in found]
        )

    @operation(
        "course_create",
        _("Offer a course"),
        tag=TAG,
        takes=CourseBody,
        gives=CourseShape,
        status=201,
        once=True,
        sends={"organisation": "hefei-materials", "technique": "PaNET01198", **COURSE},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the managers of the organisation. Whoever passes is certified by it for one of its
        instruments, or for a technique wherever its instruments ask for that."""
        data = checked(CourseBody, request.data)

        def create() -> Response:
            instrument, technique, host = self._things(data)
            made = course_create(
                actor=self.actor,
                host=host,
                instrument=instrument,
                technique=technique,
                terms=_course_terms({"months": None} | data),
                now=self.now,
            )
            return self.course(made.pk, status=201)

        return self.once(create)

    def _things(
        self, data: dict[str, Any]
    ) -> tuple[Instrument | None, Technique | None, Organisation]:
        """The instrument or technique, and the host, that a request names."""
        named = data.pop("instrument", None), data.pop("technique", None)
        code = data.pop("organisation", "")
        if bool(named[0]) == bool(named[1]):
            raise invalid("instrument", "instrument-or-technique")
        instrument = technique = None
        try:
            if named[0]:
                instrument = instrument_by_id(self.actor, named[0])
            else:
                technique = techniques_by_code([str(named[1])])[0]
        except NotFound:
            name = "instrument" if named[0] else "technique"
            raise invalid(name, "unknown-value") from None
        if code:
            try:
                return instrument, technique, organisation_by_code(code)
            except NotFound:
                raise invalid("organisation", "unknown-value") from None
        if instrument is None:
            raise invalid("organisation", "required")
        return instrument, technique, instrument.organisation


class CourseDetail(TrainingEndpoint):
    @operation("course", _("One course"), tag=TAG, gives=CourseShape, refuses=[404])
    def get(self, request: Request, course_id: UUID) -> Response:
        """For everybody who is signed in."""
        return self.course(course_id)

    @operation(
        "course_change",
        _("Change a course"),
        tag=TAG,
        takes=CourseChangeBody,
        gives=CourseShape,
        refuses=[404, 409],
        versioned=True,
        sends={"months": 36},
    )
    def patch(self, request: Request, course_id: UUID) -> Response:
        """For its managers. What it certifies stays, and so do certificates that were given."""
        expected = expected_version(request)
        data = checked(CourseChangeBody, request.data, partial=True)
        row = course_to_manage(self.actor, course_id)
        present = {
            name: getattr(row, name)
            for name in ("name", "name_zh", "description", "description_zh", "months", "places")
        } | {"prerequisites": [each.pk for each in row.prerequisites.all()]}
        course_change(
            actor=self.actor,
            course_id=course_id,
            terms=_course_terms(present | data),
            expected_version=expected,
            now=self.now,
        )
        return self.course(course_id)


class CourseRetire(TrainingEndpoint):
    @operation(
        "course_retire",
        _("Retire a course"),
        tag=TAG,
        gives=CourseShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, course_id: UUID) -> HttpResponseBase:
        """For its managers: it is offered no more. 409 `sessions-ahead` while sessions are to
        come."""
        expected = expected_version(request)

        def retire() -> Response:
            course_to_manage(self.actor, course_id)
            course_retire(
                actor=self.actor, course_id=course_id, expected_version=expected, now=self.now
            )
            return self.course(course_id)

        return self.once(retire)


class CourseSessions(TrainingEndpoint):
    @operation(
        "course_sessions",
        _("Course sessions"),
        tag=TAG,
        query=SessionQuery,
        gives=page(CourseSessionShape),
    )
    def get(self, request: Request) -> Response:
        """In the order of time."""
        query = asked(SessionQuery, request.query_params)
        rows = sessions_for(self.actor)
        if "course" in query:
            rows = rows.filter(course_id=query["course"])
        if query["organisation"]:
            rows = rows.filter(course__organisation__code=query["organisation"])
        if query.get("coming"):
            rows = coming(rows, self.now)
        if query.get("free"):
            rows = open_to_ask(rows, self.now)
        return paginated(
            request,
            rows,
            query,
            ("start_at", "id"),
            lambda found: [session_json(row) for row in found],
        )

    @operation(
        "course_session_create",
        _("Enter a course session"),
        tag=TAG,
        takes=SessionBody,
        gives=CourseSessionShape,
        status=201,
        refuses=[409],
        once=True,
        sends={
            "course": "0197a1de-0000-7000-8000-000000000001",
            "facility": "0197a1de-0000-7000-8000-000000000002",
            **SESSION,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the course's managers."""
        data = checked(SessionBody, request.data)

        def create() -> Response:
            try:
                course = course_to_manage(self.actor, data["course"])
            except NotFound:
                raise invalid("course", "unknown-value") from None
            made = session_create(
                actor=self.actor,
                course_id=course.pk,
                facility=_facility(data["facility"]),
                terms=_session_terms(data, course.organisation),
                now=self.now,
            )
            return self.session(made.pk, status=201)

        return self.once(create)


class CourseSessionDetail(TrainingEndpoint):
    @operation(
        "course_session", _("One course session"), tag=TAG, gives=CourseSessionShape, refuses=[404]
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """For everybody who is signed in."""
        return self.session(session_id)

    @operation(
        "course_session_change",
        _("Change a course session"),
        tag=TAG,
        takes=SessionChangeBody,
        gives=CourseSessionShape,
        refuses=[404, 409],
        versioned=True,
        sends={"places": 8},
    )
    def patch(self, request: Request, session_id: UUID) -> Response:
        """For its managers, before it begins. Everybody in it is told of another time or place;
        with more places those who wait move up."""
        expected = expected_version(request)
        data = checked(SessionChangeBody, request.data, partial=True)
        row = session_to_manage(self.actor, session_id)
        facility = data.pop("facility", None)
        present = {
            "start": row.start_at,
            "end": row.end_at,
            "deadline": row.deadline_at,
            "places": row.places,
            "location": row.location,
            "trainers": [str(user.pk) for user in row.trainers.all()],
        }
        session_change(
            actor=self.actor,
            session_id=session_id,
            facility=_facility(facility) if facility else None,
            terms=_session_terms(present | data, row.course.organisation),
            expected_version=expected,
            now=self.now,
        )
        return self.session(session_id)


class CourseSessionCancel(TrainingEndpoint):
    @operation(
        "course_session_cancel",
        _("Cancel a course session"),
        tag=TAG,
        takes=ReasonBody,
        gives=CourseSessionShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
        sends={"reason": "The trainer is ill."},
    )
    def post(self, request: Request, session_id: UUID) -> HttpResponseBase:
        """For its managers, with a reason, which everybody in it is told by mail."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def cancel() -> Response:
            session_to_manage(self.actor, session_id)
            session_cancel(
                actor=self.actor,
                session_id=session_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.session(session_id)

        return self.once(cancel)


def _course_terms(data: dict[str, Any]) -> CourseTerms:
    return CourseTerms(**data | {"prerequisites": tuple(data.get("prerequisites", ()))})


def _session_terms(data: dict[str, Any], host: Organisation) -> SessionTerms:
    """Of a body; `Invalid` for a trainer who is no member of the host."""
    names = data.get("trainers", [])
    found = trainers_named(host, names)
    if set(names) - set(found):
        raise invalid("trainers", "not-of-the-host")
    named = ("start", "end", "deadline", "places")
    return SessionTerms(
        **{name: data[name] for name in named},
        location=data.get("location", ""),
        trainers=tuple(dict.fromkeys(found.values())),
    )


def _facility(facility_id: UUID) -> Facility:
    try:
        return facility_by_id(facility_id)
    except NotFound:
        raise invalid("facility", "unknown-value") from None
