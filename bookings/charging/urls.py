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
    path(_charge + "recode/", charges.recode, name="money-charges-recode"),
    path(_charge + "replay/", replay.charge, name="money-charges-replay"),
    path("charges/check/", charges.check_many, name="money-charges-check-many"),
    *posts(charges_api.Charges, charges_api.ChargeChecks, corrections.Corrections),
]
api = [
    path("charges/sums/", charges_api.ChargeSums.as_view(), name="api-charge-sums"),
    *charges_api.Charges.routes(),
    *charges_api.ChargeChecks.routes(),
    *charges_api.ChargeFunding.routes(),
    *corrections.ChargeSettle.routes(),
    *corrections.ChargeCorrections.routes(),
    *corrections.Corrections.routes(),
    *corrections.SessionsToComplete.routes(),
    *corrections.ReservationUsage.routes(),
    path("charges/<uuid:charge_id>/replay/", replay_api.ChargeReplay.as_view(), name="api-charge-replay"),
]
