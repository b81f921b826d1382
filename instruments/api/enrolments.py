"""Places in course sessions."""

from collections.abc import Sequence
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
from accounts.api.shapes import Choice, Flag, Instant, Shape, Text, asked, checked, rfc3339
from accounts.domain.errors import NotFound, invalid
from accounts.models import User
from accounts.selectors.users import person_named
from instruments.api.training import TAG, TrainerShape, person_json
from instruments.domain.training import RESULTS
from instruments.models import CourseSession, Enrolment
from instruments.selectors.training import (
    enrolment_by_id,
    enrolments_for,
    person_to_enrol,
    places_in_line,
    session_by_id,
)
from instruments.services.enrolments import (
    enrolment_make,
    enrolment_result,
    enrolment_withdraw,
)


class EnrolmentShape(serializers.Serializer[Any]):
    """A place in a session, or in the line for one: `place_in_line` from 1, zero for who does
    not wait. `qualification` is what was given to who passed."""

    id = serializers.UUIDField()
    session = serializers.UUIDField()
    course = serializers.UUIDField()
    user = TrainerShape()
    state = serializers.ChoiceField(Enrolment.State.choices)
    place_in_line = serializers.IntegerField()
    asked_at = Instant()
    asked_by = TrainerShape()
    changed_at = Instant()
    qualification = serializers.UUIDField(allow_null=True)


class EnrolmentBody(Shape):
    session = serializers.UUIDField()
    user = Text(
        254,
        required=False,
        allow_null=True,
        help_text="For managers of the course: the person to enrol, by id or mail address.",
    )
    waits = Flag(default=False, help_text="Where no place is free, wait for one.")


class ResultBody(Shape):
    result = Choice([(result, result) for result in RESULTS])


class EnrolmentQuery(Pages):
    session = serializers.UUIDField(required=False)
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    state = Choice(Enrolment.State.choices, required=False)


class EnrolmentEndpoint(Endpoint):
    """What the addresses of enrolments share."""

    needs_person = True

    def one(self, enrolment_id: UUID, status: int = 200) -> Response:
        row = enrolment_by_id(self.actor, enrolment_id)
        headers = {}
        if status == 201:
            headers["Location"] = reverse("api-enrolment", kwargs={"enrolment_id": row.pk})
        return Response(_shown([row])[0], status=status, headers=headers)


def _shown(rows: Sequence[Enrolment]) -> list[dict[str, Any]]:
    line = places_in_line(rows)
    return [
        {
            "id": str(row.pk),
            "session": str(row.session_id),
            "course": str(row.session.course_id),
            "user": person_json(row.user),
            "state": row.state,
            "place_in_line": line.get(row.pk, 0),
            "asked_at": rfc3339(row.asked_at),
            "asked_by": person_json(row.asked_by),
            "changed_at": rfc3339(row.changed_at),
            "qualification": str(row.qualification_id) if row.qualification_id else None,
        }
        for row in rows
    ]


class Enrolments(EnrolmentEndpoint):
    @operation(
        "enrolments", _("Enrolments"), tag=TAG, query=EnrolmentQuery, gives=page(EnrolmentShape)
    )
    def get(self, request: Request) -> Response:
        """In the order of asking: one's own; for trainers those in the sessions they give, for
        managers in their organisation's, for auditors in those of their regions."""
        query = asked(EnrolmentQuery, request.query_params)
        rows = enrolments_for(self.actor)
        if "session" in query:
            rows = rows.filter(session_id=query["session"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if query["user"]:
            found = person_named(query["user"])
            rows = rows.filter(user=found) if found else rows.none()
        return paginated(
            request,
            rows,
            query,
            ("asked_at", "id"),
            _shown,
        )

    @operation(
        "enrolment_make",
        _("Take a place in a course session"),
        tag=TAG,
        takes=EnrolmentBody,
        gives=EnrolmentShape,
        status=201,
        refuses=[409],
        once=True,
        sends={"session": "0197a1de-0000-7000-8000-000000000001", "waits": True},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For oneself; for the course's managers also for somebody else. 409 `session-full` where
        no place is free, unless one `waits`: places go to whoever asked first."""
        data = checked(EnrolmentBody, request.data)

        def make() -> Response:
            try:
                session = session_by_id(self.actor, data["session"])
            except NotFound:
                raise invalid("session", "unknown-value") from None
            made = enrolment_make(
                actor=self.actor,
                user=self._user(session, data.get("user")),
                session_id=session.pk,
                waits=data["waits"],
                now=self.now,
            )
            return self.one(made.pk, status=201)

        return self.once(make)

    def _user(self, session: CourseSession, named: str | None) -> User:
        own = User.objects.get(pk=self.actor.person)
        if not named or named.lower() in (str(own.pk), own.email.lower()):
            return own
        try:
            return person_to_enrol(self.actor, session, named)
        except NotFound:
            raise invalid("user", "unknown-person") from None


class EnrolmentDetail(EnrolmentEndpoint):
    @operation("enrolment", _("One enrolment"), tag=TAG, gives=EnrolmentShape, refuses=[404])
    def get(self, request: Request, enrolment_id: UUID) -> Response:
        """For the person, the session's trainers, the course's managers and the auditors of its
        region."""
        return self.one(enrolment_id)


class EnrolmentWithdraw(EnrolmentEndpoint):
    @operation(
        "enrolment_withdraw",
        _("Give up a place"),
        tag=TAG,
        gives=EnrolmentShape,
        refuses=[404, 409],
        once=True,
    )
    def post(self, request: Request, enrolment_id: UUID) -> HttpResponseBase:
        """For the person and the course's managers, before the session begins. The first in line
        moves up."""

        def withdraw() -> Response:
            enrolment_by_id(self.actor, enrolment_id)
            enrolment_withdraw(actor=self.actor, enrolment_id=enrolment_id, now=self.now)
            return self.one(enrolment_id)

        return self.once(withdraw)


class EnrolmentResult(EnrolmentEndpoint):
    @operation(
        "enrolment_result",
        _("Record the result"),
        tag=TAG,
        takes=ResultBody,
        gives=EnrolmentShape,
        refuses=[404, 409],
        once=True,
        sends={"result": "passed"},
    )
    def post(self, request: Request, enrolment_id: UUID) -> HttpResponseBase:
        """For the session's trainers and the course's managers, once it has begun. Who passed is
        certified from that day on; nobody certifies themselves."""
        data = checked(ResultBody, request.data)

        def say() -> Response:
            enrolment_by_id(self.actor, enrolment_id)
            enrolment_result(
                actor=self.actor,
                enrolment_id=enrolment_id,
                result=data["result"],
                now=self.now,
            )
            return self.one(enrolment_id)

        return self.once(say)
