"""Addresses of *funding*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.funding.api import funding as funding_api
from bookings.funding.api import grants as grants_api
from bookings.funding.api import programmes as programmes_api
from bookings.funding.views import defaults, funding, grants, programmes, spending

_source = "funding/<uuid:source_id>/"
_programme = "vouchers/programmes/<uuid:programme_id>/"
_grant = "vouchers/<uuid:grant_id>/"

pages = [
    path("bookings/spending/", spending.spending, name="spending"),
    path("bookings/spending/default/", defaults.own_default, name="default-source"),
]
money = [
    path("funding/", funding.sources, name="money-funding"),
    path("funding/new/", funding.new, name="money-funding-new"),
    path(_source, funding.source, name="money-funding-source"),
    path(_source + "change/", funding.change, name="money-funding-change"),
    path("vouchers/", programmes.vouchers, name="money-vouchers"),
    path("vouchers/programmes/new/", programmes.new, name="money-vouchers-programme-new"),
    path(_programme, programmes.programme, name="money-vouchers-programme"),
    path(_programme + "change/", programmes.change, name="money-vouchers-programme-change"),
    path(_programme + "suspend/", programmes.suspend, name="money-vouchers-programme-suspend"),
    path(_grant, grants.one, name="money-vouchers-grant"),
    path(_grant + "change/", grants.change, name="money-vouchers-grant-change"),
    *posts(funding_api.FundingSources, grants_api.Grants),
]
api = [
    *funding_api.FundingSources.routes(),
    path(
        "funding-sources/<uuid:source_id>/spent/",
        funding_api.SourceSpent.as_view(),
        name="api-funding-source-spent",
    ),
    path("spending/", funding_api.Spending.as_view(), name="api-spending"),
    path("spending/default/", funding_api.OwnDefaults.as_view(), name="api-own-default"),
    *programmes_api.Programmes.routes(),
    *grants_api.Grants.routes(),
]
