"""The manifest of *training*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_HOST, KEPT, Area, Merges, Personal, Record, Told
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, RESEARCHER
from accounts.menu import MY_WORK, Below, MenuEntry, Waits, signed_in
from accounts.models import User
from accounts.selectors.choosing import meeting
from accounts.selectors.names import person
from instruments.training.messages import ACTS, REFUSALS
from instruments.training.models import Course, CourseSession, Enrolment, Qualification
from instruments.training.selectors.qualifications import qualifications_for
from instruments.training.selectors.training import (
    enrolments_for,
    own_running_out,
    places_to_pay,
    results_to_record,
)
from instruments.training.services.enrolments import enrolments_drop

AREA = Area(
    "instruments.training",
    refusals=REFUSALS,
    menu=(MenuEntry("instruments:training", _("Training"), "school", MY_WORK, 70, signed_in),),
    below=(
        Below("instruments:training", "course enrol enrol-withdraw"),
        Below("instruments:qualifications", "qualifications"),
    ),
    waits=(
        Waits(
            "results", 130, "instruments:training",
            ngettext_lazy("training result to record", "training results to record"),
            _("People who passed get their certificate once you record the result."),
            lambda actor: bool(actor.organisations), results_to_record,
            query="#led-title", entry="instruments:training", group="state",
        ),
        Waits(
            "certificates", 180, "instruments:qualifications",
            ngettext_lazy("certificate about to expire", "certificates about to expire"),
            _("Without them you cannot book some instruments for working alone."),
            signed_in, own_running_out, group="revoked_at", due="valid_until",
        ),
    ),
    records=(
        Record(Qualification, person("user__")),
        Record(Course, "name", "name_zh"),
        Record(
            CourseSession, "course__name", "course__name_zh", "start_at",
            kind=_("course session"), acts="course-session",
        ),
        Record(Enrolment, "session__course__name", "session__course__name_zh", "session__start_at"),
    ),
    acts=ACTS,
    joins=((meeting, qualifications_for), (meeting, enrolments_for)),
    topics=(Topic(
        "training", _("Courses"), _("places, sessions, results"), 180,
        roles=frozenset({RESEARCHER, MANAGER}),
    ),),
    personal=(
        Personal(
            "qualifications", Qualification, {"user": KEPT},
            "id valid_from valid_until note granted_at revoked_at reason instrument=instrument__name "
            "technique=technique__code issued_by=issuer__code",
            order="granted_at",
        ),
        Personal(
            "courses", Enrolment, {"user": KEPT},
            "id state asked_at changed_at price payer=organisation__code course=session__course__name "
            "start=session__start_at",
            order="asked_at",
        ),
        Personal(
            "courses_given", CourseSession, {"trainers": KEPT},
            "id start_at end_at course=course__name",
            order="start_at",
        ),
    ),
    official={
        "instruments.Enrolment.asked_by": FOR_HOST,
        "instruments.Qualification.granted_by": FOR_HOST,
        "instruments.Qualification.revoked_by": FOR_HOST,
    },
    told=(Told("training.", "user", User, "pk"),),
    forgets=(enrolments_drop,),
    merges=(
        Merges("courses", Course, 120, _("Courses"), names="name"),
        Merges("course_places", Enrolment, 122, _("Course places to pay for"), rows=places_to_pay),
    ),
)  # fmt: skip
