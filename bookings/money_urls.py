"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import charges, funding, replay, sessions

_charge = "charges/<uuid:charge_id>/"
_source = "funding/<uuid:source_id>/"

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
    path(_charge, charges.charge, name="money-charges-one"),
    path(_charge + "dispute/", charges.dispute, name="money-charges-dispute"),
    path(_charge + "withdraw/", charges.withdraw, name="money-charges-withdraw"),
    path(_charge + "reject/", charges.reject, name="money-charges-reject"),
    path(_charge + "correct/", charges.correct, name="money-charges-correct"),
    path(_charge + "replay/", replay.charge, name="money-charges-replay"),
    path("corrections/<uuid:correction_id>/", charges.decide, name="money-charges-decide"),
    path("sessions/", sessions.sessions, name="money-sessions"),
    path("sessions/<uuid:reservation_id>/", sessions.complete, name="money-sessions-complete"),
    path("funding/", funding.sources, name="money-funding"),
    path("funding/new/", funding.new, name="money-funding-new"),
    path(_source, funding.source, name="money-funding-source"),
    path(_source + "change/", funding.change, name="money-funding-change"),
    path(_source + "suspend/", funding.suspend, name="money-funding-suspend"),
    path(_source + "resume/", funding.resume, name="money-funding-resume"),
]
