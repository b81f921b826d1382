"""Addresses of *programs*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.programs.api import accounts as accounts_api
from bookings.programs.views import accounts, oauth

_account = "service-accounts/<uuid:service_id>/"
pages = [
    path(
        "organisations/<uuid:organisation_id>/service-accounts/",
        accounts.service_accounts,
        name="service-accounts",
    ),
    path(_account, accounts.service_account, name="service-account"),
    path(_account + "change/", accounts.change, name="service-account-change"),
    path(_account + "token/", accounts.token_make, name="service-account-token"),
    path(_account + "token/made/", accounts.token_made, name="service-account-token-made"),
    path(
        "service-account-tokens/<uuid:service_token_id>/rotate/",
        accounts.token_rotate,
        name="service-account-token-rotate",
    ),
    path(_account + "client/", accounts.client_make, name="service-account-client"),
    path(_account + "client/made/", accounts.client_made, name="service-account-client-made"),
    *posts(
        accounts_api.ServiceAccounts, accounts_api.ServiceAccountTokens, accounts_api.ServiceAccountClients
    ),
    path("oauth/authorize/", oauth.authorize, name="oauth-authorize"),
    path("oauth/token/", oauth.token, name="oauth-token"),
    path("oauth/revoke/", oauth.revoke, name="oauth-revoke"),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth-metadata"),
]
api = [
    *accounts_api.ServiceAccounts.routes(),
    *accounts_api.ServiceAccountTokens.routes(),
    *accounts_api.ServiceAccountClients.routes(),
]
