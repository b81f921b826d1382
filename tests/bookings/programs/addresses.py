"""The addresses of *programs*, as tests/architecture/permission_table.py reads them."""

from typing import Any

from accounts.domain.roles import By
from bookings.programs.services.accounts import account_make, client_make, token_make
from tests.factories.cast import NOW, Cast

PAGES = """
GET  bookings:service-accounts        - 403 403 403 403 200 403 403 403 403 403 403 200
POST bookings:service-accounts        - 403 403 403 403 302 403 403 403 403 403 403 302
GET  bookings:service-account         - 404 404 404 404 200 404 404 404 404 404 404 200
POST bookings:service-account-change  - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:service-account-confirm - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:service-account-end     - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:service-account-token   - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:service-account-token   - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:service-account-token-made   - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:service-account-token-rotate - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:service-account-token-rotate - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:service-account-token-revoke - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:service-account-client  - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:service-account-client  - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:service-account-client-made   - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:service-account-client-delete - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:oauth-authorize         - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:oauth-authorize         - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:oauth-metadata        200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:oauth-token           400 400 400 400 400 400 400 400 400 400 400 400 400
POST bookings:oauth-revoke          400 400 400 400 400 400 400 400 400 400 400 400 400
"""
API = """
GET  api-service-accounts             - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-service-accounts             - 403 403 403 403 201 403 403 403 403 403 403 201
GET  api-service-account              - 404 404 404 404 200 404 404 404 404 404 404 200
PUT  api-service-account              - 404 404 404 404 200 404 404 404 404 404 404 200
POST api-service-account-confirm      - 404 404 404 404 200 404 404 404 404 404 404 200
POST api-service-account-end          - 404 404 404 404 200 404 404 404 404 404 404 200
GET  api-service-account-tokens       - 404 404 404 404 200 404 404 404 404 404 404 200
GET  api-service-account-clients      - 404 404 404 404 200 404 404 404 404 404 404 200
DELETE api-service-account-client     - 404 404 404 404 204 404 404 404 404 404 404 204
DELETE api-service-account-token      - 404 404 404 404 204 404 404 404 404 404 404 204
"""

ARGUMENTS = {
    "service_id": "service-account",
    "service_token_id": "service-token",
    "service_client_id": "service-client",
}
THINGS = {("bookings:service-accounts", "organisation_id"): "ustc"}
ACCOUNT: dict[str, Any] = {
    "name": "LIMS",
    "purpose": "Reports samples",
    "roles": ["operator"],
    "scopes": ["read"],
}
PAGE_BODIES = {
    "bookings:service-accounts": ACCOUNT,
    "bookings:service-account-change": ACCOUNT,
    "bookings:service-account-client": {"label": "machine", "scopes": ["read"], "acts_for": "account"},
    "bookings:service-account-token": {"label": "machine", "scopes": ["read"]},
}
API_BODIES = {
    ("POST", "api-service-accounts"): ACCOUNT | {"organisation": "ustc"},
    ("PUT", "api-service-account"): ACCOUNT,
}


def things(cast: Cast) -> dict[str, str]:
    """Make a service account of USTC with a token."""
    by = By(cast.actor("zhao"), NOW)
    account = account_make(by, organisation_id=cast.ustc.pk, **ACCOUNT)
    token, _ = token_make(by, account_id=account.pk, label="machine", scopes=["read"])
    client, _ = client_make(by, account_id=account.pk, label="machine", scopes=["read"])
    return {
        "service-account": str(account.pk),
        "service-token": str(token.pk),
        "service-client": str(client.pk),
    }
