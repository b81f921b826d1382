"""Addresses of *charging*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.charging.api import charges as charges_api
from bookings.charging.api import corrections
from bookings.charging.api import replay as replay_api
from bookings.charging.views import charges, replay

_charge = "charges/<uuid:charge_id>/"

money = [
    path("charges/", charges.charges, name="money-charges"),
    path(_charge, charges.charge, name="money-charges-one"),
    path(_charge + "reject/", charges.reject, name="money-charges-reject"),
    path(_charge + "correct/", charges.correct, name="money-charges-correct"),
    path(_charge + "replay/", replay.charge, name="money-charges-replay"),
    *posts(charges_api.Charges, corrections.Corrections),
]
api = [
    *charges_api.Charges.routes(),
    *corrections.ChargeSettle.routes(),
    *corrections.ChargeCorrections.routes(),
    *corrections.Corrections.routes(),
    *corrections.SessionsToComplete.routes(),
    *corrections.ReservationUsage.routes(),
    path("charges/<uuid:charge_id>/replay/", replay_api.ChargeReplay.as_view(), name="api-charge-replay"),
]
