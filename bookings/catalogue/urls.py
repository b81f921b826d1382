"""Addresses of *catalogue*: its pages, and its part of the API."""

from django.urls import path

from bookings.catalogue.api import availability, feed, fees
from bookings.catalogue.views import calendars, choosing

_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path(_instrument + "choose/", choosing.choose, name="choose"),
    path("bookings/calendar/", calendars.mine, name="calendar"),
]
api = [
    path(_instrument + "availability/", availability.Availability.as_view(), name="api-availability"),
    path("feeds/availability/", feed.AvailabilityFeed.as_view(), name="api-availability-feed"),
    path("quotes/", fees.Quotes.as_view(), name="api-quotes"),
]
