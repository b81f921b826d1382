"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import charges, replay

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
    path("charges/<uuid:charge_id>/replay/", replay.charge, name="money-charges-replay"),
]
