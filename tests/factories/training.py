"""Courses of USTC, made through the services by its manager."""

from datetime import timedelta
from typing import Any

from accounts.domain.roles import By
from instruments.register.models import Instrument
from instruments.training.domain.training import CourseTerms, SessionTerms
from instruments.training.models import Course, CourseSession, Enrolment
from instruments.training.services.enrolments import enrolment_make
from instruments.training.services.training import course_create, session_create
from instruments.vocabulary.models import Technique
from tests.factories.cast import NOW, Cast, at


def course(cast: Cast, thing: Instrument | Technique | None = None, **values: Any) -> Course:
    """For the microscope unless another thing is named; valid for two years, two places."""
    thing = thing or cast.microscope
    named: dict[str, Any] = {"technique" if isinstance(thing, Technique) else "instrument": thing}
    terms = {"name": "Using the microscope", "name_zh": "显微镜操作", "months": 24, "places": 2}
    return course_create(
        By(cast.actor("zhao"), NOW), host=cast.ustc, terms=CourseTerms(**terms | values), **named
    )


def session(cast: Cast, of: Course, start: str = "2026-03-10 09:00", **values: Any) -> CourseSession:
    """Three hours, with two places, to be asked for until the day before."""
    begins = at(start)
    terms = {
        "start": begins,
        "end": begins + timedelta(hours=3),
        "deadline": begins - timedelta(days=1),
        "places": 2,
        "location": "Room 301",
    }
    return session_create(
        By(cast.actor("zhao"), NOW),
        course_id=of.pk,
        facility=cast.facility,
        displace=values.pop("displace", False),
        terms=SessionTerms(**terms | values),
    )


def enrol(
    cast: Cast, of: CourseSession, who: str = "wang", by: str | None = None, **values: Any
) -> Enrolment:
    """By themselves unless somebody else is named."""
    return enrolment_make(
        By(cast.actor(by or who), values.pop("now", NOW)), user=cast.people[who], session_id=of.pk, **values
    )
