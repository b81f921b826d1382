"""Addresses of *policy*: its part of the API."""

from django.urls import path

from instruments.policy.api import policies as policies_api

_instrument = "instruments/<uuid:instrument_id>/"

api = [
    path(_instrument + "policy/", policies_api.InstrumentPolicy.as_view(), name="api-policy"),
    path(
        _instrument + "policy/versions/",
        policies_api.InstrumentPolicyVersions.as_view(),
        name="api-policy-versions",
    ),
]
