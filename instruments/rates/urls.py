"""Addresses of *rates*: its part of the API."""

from django.urls import path

from instruments.rates.api import ratecards as ratecards_api

_instrument = "instruments/<uuid:instrument_id>/"

api = [
    path(_instrument + "rate-cards/", ratecards_api.InstrumentRateCards.as_view(), name="api-rate-cards"),
    path(
        _instrument + "rate-cards/<int:version>/",
        ratecards_api.InstrumentRateCard.as_view(),
        name="api-rate-card",
    ),
]
