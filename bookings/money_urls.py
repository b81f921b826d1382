"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import charges

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
]
