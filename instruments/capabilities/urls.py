"""Addresses of *capabilities*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.capabilities.api import capabilities as capabilities_api
from instruments.capabilities.views import capabilities

_one = "manage/instruments/<uuid:instrument_id>/"

pages = [
    path(_one + "capabilities/", capabilities.capabilities, name="capabilities"),
    path("manage/capabilities/<uuid:capability_id>/", capabilities.change, name="capability"),
    *posts(capabilities_api.Capabilities),
    path("instruments/<uuid:instrument_id>/questions/", capabilities.ask, name="question-ask"),
    path("questions/", capabilities.questions, name="questions"),
    path("questions/<uuid:question_id>/", capabilities.answer, name="question"),
]
api = [
    *capabilities_api.ParameterResource.routes(),
    *capabilities_api.InstrumentCapabilities.routes(),
    *capabilities_api.Capabilities.routes(),
    *capabilities_api.Questions.routes(),
]
