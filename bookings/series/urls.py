"""Addresses of *series*: its pages, and its part of the API."""

from django.urls import path

from bookings.series.api import series as series_api
from bookings.series.views import series

_reservation = "bookings/<uuid:reservation_id>/"

pages = [
    path("instruments/<uuid:instrument_id>/series/", series.new, name="series-new"),
    path("series/<uuid:series_id>/", series.series, name="series"),
    path(_reservation + "series/cancel/", series.cancel, name="series-cancel"),
    path(_reservation + "series/move/", series.move, name="series-move"),
]
api = [*series_api.SeriesCollection.routes()]
