"""Addresses of *training*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.training.api import enrolments
from instruments.training.api import qualifications as qualifications_api
from instruments.training.api import training as training_api
from instruments.training.views import courses, qualifications, training

_one = "manage/instruments/<uuid:instrument_id>/"
_course = "manage/training/courses/<uuid:course_id>/"
_session = "manage/training/sessions/<uuid:session_id>/"

pages = [
    path(_one + "people/", qualifications.people, name="people"),
    path(_one + "people/<uuid:qualification_id>/revoke/", qualifications.revoke, name="qualification-revoke"),
    path("training/", training.training, name="training"),
    path("training/courses/<uuid:course_id>/", training.course, name="course"),
    path("training/sessions/<uuid:session_id>/enrol/", training.enrol, name="enrol"),
    path("training/enrolments/<uuid:enrolment_id>/withdraw/", training.withdraw, name="enrol-withdraw"),
    path("manage/training/", courses.courses, name="courses"),
    path("manage/training/new/", courses.course_new, name="course-new"),
    path(_course, courses.course_manage, name="course-manage"),
    path(_course + "sessions/new/", courses.session_new, name="session-new"),
    path(_session, courses.session_manage, name="session-manage"),
    path(_session + "enrol/", courses.enrol, name="session-enrol"),
    *posts(training_api.Courses, training_api.CourseSessions, enrolments.Enrolments),
    path("qualifications/", qualifications.mine, name="qualifications"),
]
api = [
    *qualifications_api.Qualifications.routes(),
    *training_api.Courses.routes(),
    *training_api.CourseSessions.routes(),
    *enrolments.Enrolments.routes(),
]
