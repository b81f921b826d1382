"""Addresses of *reserving*: its pages, and its part of the API."""

from django.urls import path

from bookings.reserving.api import holds, reservations, transitions
from bookings.reserving.api import moves as moves_api
from bookings.reserving.views import booking, moves, requests

_instrument = "instruments/<uuid:instrument_id>/"
_reservation = "bookings/<uuid:reservation_id>/"

pages = [
    path(_instrument + "book/", booking.book, name="book"),
    path(_instrument + "quote/", booking.quote, name="quote"),
    path(_instrument + "hold/", booking.hold, name="hold"),
    path(_instrument + "release/", booking.release, name="release"),
    path(_reservation + "move/", moves.move, name="move"),
    path("requests/", requests.requests, name="requests"),
    path("requests/decide/", requests.decide_many, name="decide-many"),
    path(_reservation + "decide/", requests.decide, name="decide"),
]
api = [
    path("reservations/", reservations.Reservations.as_view(), name="api-reservations"),
    *reservations.OneReservation.routes(),
    *holds.Holds.routes(),
    *moves_api.Moves.routes(),
    *transitions.Transitions.routes(),
    *transitions.Cancellation.routes(),
]
