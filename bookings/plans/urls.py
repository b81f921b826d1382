"""Addresses of *plans*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.plans.api import chains as chains_api
from bookings.plans.api import imports as imports_api
from bookings.plans.api import waiting as waiting_api
from bookings.plans.views import chains, imports, waiting

pages = [
    path("chains/new/", chains.new, name="chain-new"),
    path("chains/<uuid:chain_id>/", chains.chain, name="chain"),
    *posts(chains_api.Chains),
    path("instruments/<uuid:instrument_id>/wait/", waiting.new, name="waiting-new"),
    path("waiting/", waiting.waiting, name="waiting"),
    path("waiting/<uuid:wish_id>/withdraw/", waiting.withdraw, name="waiting-withdraw"),
    path("waiting/<uuid:reservation_id>/decline/", waiting.decline, name="waiting-decline"),
    path("bookings/import/", imports.bring_in, name="import"),
]
api = [
    path("reservations/import/", imports_api.ReservationsImport.as_view(), name="api-reservations-import"),
    *waiting_api.WaitingList.routes(),
    *chains_api.Chains.routes(),
]
