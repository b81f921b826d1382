"""The addresses of *journal*, as tests/architecture/permission_table.py reads them."""

from datetime import timedelta

from accounts.domain.roles import By
from bookings.journal.models import ChartAccount
from bookings.journal.services.charts import AccountTerms, account_add, chart_begin
from tests.factories.cast import NOW, Cast

PAGES = """
GET  bookings:money-journal          - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-journal-close    - 404 404 404 404 404 404 404 302 403 404 404 404
GET  bookings:money-journal-year     - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-journal-year-zip - 404 404 404 404 404 404 200 200 200 404 404 404
GET  bookings:money-journal-accounts - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-journal-accounts - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-journal-accounts-change - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-journal-accounts-retire - 404 404 404 404 404 404 404 302 403 404 404 404
"""
API = """
GET    api-journal               - 404 404 404 404 404 404 200 200 200 404 404 404
GET    api-journal-months        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-journal-months        - 404 404 404 404 404 404 404 201 403 404 404 404
GET    api-chart-accounts        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-chart-accounts        - 404 404 404 404 404 404 404 201 403 404 404 404
POST   api-chart-accounts-begin  - 404 404 404 404 404 404 404 409 403 404 404 404
GET    api-chart-account         - 404 404 404 404 404 404 404 200 200 404 404 404
PATCH  api-chart-account         - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-chart-account-retire  - 404 404 404 404 404 404 404 200 403 404 404 404
GET    api-account-rules         - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-account-rules         - 404 404 404 404 404 404 404 201 403 404 404 404
"""
REFUSED = """
POST api-chart-accounts-begin  409 chart-not-empty
"""
ARGUMENTS = {"account_id": "chart-account"}
THINGS = {
    ("api-chart-account", "id"): "chart-account",
    ("api-chart-account-retire", "id"): "chart-account",
    ("bookings:money-journal-accounts-retire", "id"): "chart-account",
}

MONTH = {"organisation": "ustc", "side": "host", "month": "2026-01"}
ACCOUNT = {"number": "1201", "name": "Other bank"}
RULE = {"organisation": "ustc", "role": "bank", "account": "1200", "valid_from": "2026-03-01"}
PAGE_BODIES = {
    "bookings:money-journal-close": MONTH,
    "bookings:money-journal-accounts": RULE | {"act": "rule"},
    "bookings:money-journal-accounts-change": ACCOUNT,
    "bookings:money-journal-accounts-retire": {},
}
API_BODIES = {
    ("POST", "api-journal-months"): MONTH,
    ("POST", "api-chart-accounts"): ACCOUNT | {"organisation": "ustc"},
    ("POST", "api-chart-accounts-begin"): {"organisation": "ustc", "preset": "eu_generic"},
    ("PATCH", "api-chart-account"): {"name": "Other"},
    ("POST", "api-account-rules"): RULE,
}
QUERIES = {"api-journal": "?period=2026-03"}
SEEN_BY = {
    "bookings:money-journal": "gao",
    "bookings:money-journal-year": "gao",
    "bookings:money-journal-accounts": "gao",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:money-journal": 20,  # entries of the period for sums and of the page, the ledger beside them
    "bookings:money-journal-year": 30,  # all that is open at the end of a year
    "bookings:money-journal-accounts": 12,  # accounts, rules, and what rules can be limited to
}


def things(cast: Cast) -> dict[str, str]:
    """Give USTC a chart of accounts."""
    by = By(cast.actor("gao"), NOW - timedelta(days=1))
    chart_begin(by, organisation="ustc", preset="eu_generic")
    made = account_add(by, organisation="ustc", terms=AccountTerms("9999", "Spare"))
    return {"chart-account": str(ChartAccount.objects.get(pk=made.pk).pk)}
