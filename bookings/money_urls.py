"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import charges, funding

_source = "funding/<uuid:source_id>/"

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
    path("funding/", funding.sources, name="money-funding"),
    path("funding/new/", funding.new, name="money-funding-new"),
    path(_source, funding.source, name="money-funding-source"),
    path(_source + "change/", funding.change, name="money-funding-change"),
    path(_source + "suspend/", funding.suspend, name="money-funding-suspend"),
    path(_source + "resume/", funding.resume, name="money-funding-resume"),
]
