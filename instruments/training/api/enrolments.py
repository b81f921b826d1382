"""The API for places in course sessions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Choice, Flag, Instant, Shape, Text
from accounts.models import User
from accounts.selectors.users import person_named
from instruments.training.api.training import TAG, TrainerShape
from instruments.training.domain.training import RESULTS
from instruments.training.models import CourseSession, Enrolment
from instruments.training.selectors.qualifications import person_to_certify
from instruments.training.selectors.training import (
    enrolment_by_id,
    enrolments_for,
    places_in_line,
    session_by_id,
)
from instruments.training.services.enrolments import enrolment_make, enrolment_result, enrolment_withdraw


class EnrolmentShape(serializers.Serializer[Any]):
    """A place in a session, or in the line for one. `place_in_line` counts from 1, and is zero for people who
    are not waiting. `qualification` is the certificate of a person who passed."""

    id = serializers.UUIDField()
    session = serializers.UUIDField(source="session_id")
    course = serializers.UUIDField(source="session.course_id")
    user = TrainerShape()
    state = serializers.ChoiceField(Enrolment.State.choices)
    place_in_line = serializers.IntegerField()
    asked_at = Instant()
    asked_by = TrainerShape()
    changed_at = Instant()
    qualification = serializers.UUIDField(source="qualification_id", allow_null=True)


class EnrolmentBody(Shape):
    session = serializers.UUIDField()
    user = Text(
        254,
        required=False,
        allow_null=True,
        help_text="Only for managers of the course: id or e-mail address of the person to enrol.",
    )
    waits = Flag(default=False, help_text="Join the waiting list if no place is free.")


class ResultBody(Shape):
    result = Choice([(result, result) for result in RESULTS])


class EnrolmentQuery(Pages):
    session = serializers.UUIDField(required=False)
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    state = Choice(Enrolment.State.choices, required=False)


def _recorded(row: Enrolment) -> str:
    message = gettext("Saved: {person}.")
    if row.state == "passed":
        message = gettext("{person} has passed and is certified.")
    return message.format(person=row.user)


class Enrolments(Resource):
    at, key, name, many, tag = "enrolments/", "enrolment_id", "enrolment", "enrolments", TAG
    shape, order = EnrolmentShape, ("asked_at", "id")
    needs_person, page_at = True, "manage/training/enrolments/"

    def visible(self, pk: UUID) -> Enrolment:
        return enrolment_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        line = places_in_line(rows)
        for row in rows:
            row.place_in_line = line.get(row.pk, 0)
        return rows

    @lists(_("Enrolments"), EnrolmentQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Enrolment]:
        """Lists enrolments, the first to ask first: your own, for trainers those in their sessions, for
        managers those of their organisation, for auditors those of their regions."""
        rows = enrolments_for(self.actor)
        if "session" in query:
            rows = rows.filter(session_id=query["session"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if query["user"]:
            person = person_named(query["user"])
            rows = rows.filter(user=person) if person else rows.none()
        return rows

    @creates(
        _("Take a place in a course session"),
        EnrolmentBody,
        named="_make",
        refuses=[409],
        sends={"session": "0197a1de-0000-7000-8000-000000000001", "waits": True},
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Enrols you in a course session; the course's managers may also enrol others. 409 `session-full` if
        no place is free, unless `waits` is set: places go to whoever asked first."""
        session = named("session", session_by_id, self.actor, data["session"])
        user = self._user(session, data.get("user"))
        return enrolment_make(self.by, user=user, session_id=session.pk, waits=data["waits"]).pk

    def _user(self, session: CourseSession, name: str | None) -> User:
        own = User.objects.get(pk=self.actor.person)
        if not name or name.lower() in (str(own.pk), own.email.lower()):
            return own
        return person_to_certify(self.actor, session.course.organisation, name)

    @reads(_("An enrolment"))
    def detail(self, pk: UUID) -> None:
        """Returns one enrolment. The person, the session's trainers, the course's managers and the auditors
        of its region may read it."""

    @acts(_("Give up a place"), versioned=False)
    def withdraw(self, pk: UUID) -> None:
        """Withdraws an enrolment, for the person or the course's managers, before the session begins. The
        first person in line gets the place."""
        enrolment_withdraw(self.by, enrolment_id=pk)

    @OnPage("instruments:session-manage", done=_recorded, of="session_id")
    @acts(_("Record the result"), ResultBody, versioned=False, sends={"result": "passed"})
    def result(self, pk: UUID, data: dict[str, Any]) -> Enrolment:
        """Records the result of an enrolment, for the session's trainers and the course's managers, once the
        session has begun. A person who passed is certified from that day on; nobody certifies themselves."""
        return enrolment_result(self.by, enrolment_id=pk, **data)
