"""Addresses of *pricing*: its pages, and its part of the API."""

from django.urls import path

from bookings.pricing.api import agreements as agreements_api
from bookings.pricing.api import what_if as what_if_api
from bookings.pricing.views import agreements, what_if

_agreement = "agreements/<uuid:agreement_id>/"
_instrument = "instruments/<uuid:instrument_id>/"

pages = [path("manage/instruments/<uuid:instrument_id>/what-if/", what_if.compare, name="what-if")]
money = [
    path("agreements/", agreements.agreements, name="money-agreements"),
    path("agreements/new/", agreements.new, name="money-agreements-new"),
    path(_agreement, agreements.one, name="money-agreements-one"),
    path(_agreement + "change/", agreements.change, name="money-agreements-change"),
    path(_agreement + "sign/", agreements.sign, name="money-agreements-sign"),
    path(_agreement + "end/", agreements.end, name="money-agreements-end"),
]
api = [
    path(_instrument + "rate-cards/what-if/", what_if_api.WhatIfOfBody.as_view(), name="api-what-if"),
    path(
        _instrument + "rate-cards/<int:version>/what-if/",
        what_if_api.WhatIfOfVersion.as_view(),
        name="api-what-if-version",
    ),
    *agreements_api.Agreements.routes(),
]
