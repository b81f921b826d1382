"""Addresses of *opening*: its part of the API."""

from django.urls import path

from instruments.opening.api import opening as opening_api

_instrument = "instruments/<uuid:instrument_id>/"

api = [
    path(
        _instrument + "opening-hours/", opening_api.InstrumentOpeningHours.as_view(), name="api-opening-hours"
    )
]
