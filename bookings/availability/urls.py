"""Addresses of *availability*: its pages, and its part of the API."""

from django.urls import path

from bookings.availability.api import kept_hours as kept_hours_api
from bookings.availability.api import misfits
from bookings.availability.views import kept_hours

pages = [
    path("kept-hours/", kept_hours.reading, name="kept-hours"),
    path(
        "manage/instruments/<uuid:instrument_id>/kept-hours/", kept_hours.managing, name="kept-hours-manage"
    ),
    path("manage/kept-hours/<uuid:kept_id>/", kept_hours.changing, name="kept-hours-change"),
    path("manage/kept-hours/<uuid:kept_id>/end/", kept_hours.ending, name="kept-hours-end"),
]
api = [
    *kept_hours_api.KeptHoursResource.routes(),
    path(
        "instruments/<uuid:instrument_id>/misfits/", misfits.InstrumentMisfits.as_view(), name="api-misfits"
    ),
]
