"""Addresses of *vocabulary*: its pages, and its part of the API."""

from django.urls import path

from instruments.vocabulary.api import needs
from instruments.vocabulary.api import techniques as techniques_api
from instruments.vocabulary.views import measurands

pages = [
    path("measurands/", measurands.measurands, name="measurands"),
    path("measurands/new/", measurands.measurand_new, name="measurand-new"),
    path("measurands/<slug:code>/", measurands.measurand, name="measurand"),
]
api = [*techniques_api.Techniques.routes(), *needs.Measurands.routes(), *needs.Needs.routes()]
