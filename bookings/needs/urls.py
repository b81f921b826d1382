"""Addresses of *needs*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.needs.api import batches as batches_api
from bookings.needs.api import needs as needs_api
from bookings.needs.views import batches, needs

pages = [
    path("needs/", needs.needs, name="needs"),
    path("needs/new/", needs.new, name="need-new"),
    path("needs/<uuid:need_id>/", needs.need, name="need"),
    path("needs/<uuid:need_id>/change/", needs.change, name="need-change"),
    path("needs/<uuid:need_id>/correct/", needs.correct, name="need-correct"),
    path("batches/", batches.batches, name="batches"),
    path("batches/new/", batches.new, name="batch-new"),
    path("batches/<uuid:batch_id>/", batches.batch, name="batch"),
    path("batch-places/<uuid:place_id>/accept/", batches.accept, name="batch-accept"),
    *posts(needs_api.Needs, batches_api.BatchPlaces),
]
api = [*needs_api.Needs.routes(), *batches_api.Batches.routes(), *batches_api.BatchPlaces.routes()]
