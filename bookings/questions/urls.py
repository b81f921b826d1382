"""Addresses of *questions*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.questions.api import meters as meters_api
from bookings.questions.api import questions as questions_api
from bookings.questions.views import meters, questions

_manage = "manage/instruments/<uuid:instrument_id>/"

pages = [
    path("answers/files/<uuid:file_id>/<slug:size>/", questions.file, name="answer-file"),
    path("questions-owed/", questions.owed, name="questions-owed"),
    path(_manage + "asked/", questions.questionnaires, name="questionnaires"),
    path(_manage + "asked/<slug:moment>/", questions.questionnaires, name="questionnaires"),
    path(_manage + "answers/", questions.answers, name="answers"),
    path(_manage + "meters/", meters.meters, name="meters"),
    path(_manage + "counters/", meters.counters, name="counters"),
    path("manage/meters/<uuid:meter_id>/", meters.meter, name="meter"),
    path("manage/readings/<uuid:reading_id>/", meters.reading, name="reading"),
    *posts(meters_api.InstrumentMeters, meters_api.Meters, meters_api.Readings, meters_api.Counters),
]
api = [
    path(
        "answers/files/<uuid:file_id>/<slug:size>/",
        questions_api.AnswerFiles.as_view(),
        name="api-answer-file",
    ),
    *questions_api.InstrumentQuestionnaires.routes(),
    *meters_api.InstrumentMeters.routes(),
    *meters_api.Meters.routes(),
    *meters_api.Readings.routes(),
    *meters_api.Counters.routes(),
]
