"""The API for places in course sessions."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Choice, Flag, Instant, Money, Number, Shape, Text
from accounts.models import User
from accounts.selectors.users import person_named
from instruments.training.api.training import TAG
from instruments.training.domain.training import INSTEAD, RESULTS
from instruments.training.models import CourseSession, Enrolment
from instruments.training.selectors.qualifications import person_to_certify
from instruments.training.selectors.training import (
    enrolment_by_id,
    enrolments_for,
    places_in_line,
    session_by_id,
)
from instruments.training.services.enrolments import (
    enrolment_make,
    enrolment_result,
    enrolment_undo,
    enrolment_withdraw,
)


class EnrolmentShape(serializers.Serializer[Any]):
    """A place in a session, or in the line for one. `place_in_line` counts from 1, and is zero for people who
    are not waiting. `qualification` is the certificate of a person who passed."""

    id = serializers.UUIDField()
    session = serializers.UUIDField(source="session_id")
    course = serializers.UUIDField(source="session.course_id")
    user = PersonShape()
    state = serializers.ChoiceField(Enrolment.State.choices)
    place_in_line = serializers.IntegerField()
    asked_at = Instant()
    asked_by = PersonShape()
    changed_at = Instant()
    qualification = serializers.UUIDField(source="qualification_id", allow_null=True)
    organisation = serializers.CharField(
        source="organisation.code", allow_null=True, help_text="Code of the payer, if the place has a price."
    )
    payable = Money(allow_null=True, help_text="To be paid once the place was attended, tax included.")


class PlaceShareBody(Shape):
    """The share of the price of a place that one funding source pays."""

    source = Text(40, help_text="Code of a funding source.")  # type: ignore[assignment]
    percent = Number(6, 3, help_text="Share of the payable amount in percent; all shares add up to 100.")


class EnrolmentBody(Shape):
    session = serializers.UUIDField()
    user = Text(
        254,
        required=False,
        allow_null=True,
        help_text="Only for managers of the course: id or e-mail address of the person to enrol.",
    )
    waits = Flag(default=False, help_text="Join the waiting list if no place is free.")
    organisation = Text(
        30,
        required=False,
        help_text=(
            "Code of the payer, if the session has `prices`. For yourself one of your organisations, by "
            "default the only one; for others the course's own, or one for whose members you may book."
        ),
    )
    funding = PlaceShareBody(  # type: ignore[call-arg]
        many=True,
        max_length=10,
        required=False,
        help_text="Up to ten funding sources of the payer, in which the price is reserved, with shares that "
        "add up to 100 percent. Left out: the default of the person, if there is one that can pay; an empty "
        "list: none.",
    )


class ResultBody(Shape):
    result = Choice([(result, result) for result in RESULTS])


class UndoBody(Shape):
    result = Choice([(result, result) for result in INSTEAD])
    reason = Text(500, help_text="The person reads the reason.")


class EnrolmentQuery(Pages):
    session = serializers.UUIDField(required=False)
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    state = Choice(Enrolment.State.choices, required=False)


def _shares(funding: list[dict[str, Any]] | None) -> list[tuple[str, Decimal]] | None:
    """Return the shares of a body as codes with percents; None if it says nothing about them."""
    return None if funding is None else [(share["source"], share["percent"]) for share in funding]


def _recorded(row: Enrolment) -> str:
    message = gettext("Saved: {person}.")
    if row.state == "passed":
        message = gettext("{person} has passed and is certified.")
    return message.format(person=row.user)


def _corrected(row: Enrolment) -> str:
    return gettext("Corrected: {person} is no longer certified by this session.").format(person=row.user)


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
        no place is free, unless `waits` is set: places go to whoever asked first. A place with a price is
        charged at the price of this moment, once it was attended."""
        session = named("session", session_by_id, self.actor, data["session"])
        user = self._user(session, data.get("user"))
        return enrolment_make(
            self.by,
            user=user,
            session_id=session.pk,
            waits=data["waits"],
            organisation=data.get("organisation"),
            funding=_shares(data.get("funding")),
        ).pk

    def _user(self, session: CourseSession, name: str | None) -> User:
        own = User.objects.get(pk=self.actor.person)
        if not name or name.lower() in (str(own.pk), own.email.lower()):
            return own
        return person_to_certify(self.actor, session.course.organisation, name, session.course.instrument)

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
        session has begun. A person who passed is certified from that day on; nobody certifies themselves. A
        place with a price is charged once the result says that it was attended (`passed`, `failed`); the
        charge is reversed if it becomes `absent` while that is open. Otherwise 409: `result-too-late` to
        charge it, `result-final`, `result-disputed` or `correction-proposed` to reverse the charge."""
        return enrolment_result(self.by, enrolment_id=pk, **data)

    @OnPage("instruments:session-manage", done=_corrected, of="session_id")
    @acts(
        _("Correct a result that was passed"),
        UndoBody,
        versioned=False,
        sends={"result": "failed", "reason": "Mixed up with another participant"},
    )
    def undo(self, pk: UUID, data: dict[str, Any]) -> Enrolment:
        """Corrects the result `passed` to `failed` or `absent`, with a reason, for the course's managers: the
        certificate is revoked at once and the person is told. With `absent` the charge is reversed while it
        is open; otherwise 409, as when recording a result."""
        return enrolment_undo(self.by, enrolment_id=pk, **data)
