"""Addresses of *policy*: its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.policy.api import blocks as blocks_api
from instruments.policy.api import policies as policies_api

_instrument = "instruments/<uuid:instrument_id>/"

pages = [*posts(blocks_api.Blocks)]
api = [
    *blocks_api.Blocks.routes(),
    path(_instrument + "policy/", policies_api.InstrumentPolicy.as_view(), name="api-policy"),
    path(
        _instrument + "policy/versions/",
        policies_api.InstrumentPolicyVersions.as_view(),
        name="api-policy-versions",
    ),
]
