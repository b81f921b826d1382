"""Addresses of *search*: its pages."""

from django.urls import path

from instruments.search.views import techniques

pages = [
    path("techniques/", techniques.techniques, name="techniques"),
    path("techniques/<str:code>/", techniques.technique, name="technique"),
]
