"""The addresses of *statistics*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:hours                200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-weeks            - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-days             - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-idle             - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-report           - 403 403 403 403 200 404 404 200 200 200 404 200
GET  bookings:hours-behind           - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-payers         200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-flows          200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-demand         200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-definitions    200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:hours-definitions      - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:hours-download       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-exports          - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:hours-export-new       - 403 403 403 403 302 302 302 302 302 302 302 302
GET  bookings:hours-export-file      - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:hours-rows             - 404 404 404 404 200 404 404 200 200 200 404 200
"""
API = """
GET    api-statistics-hours        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-idle           - 403 403 403 403 200 200 200 200 200 200 200 200
GET    api-statistics-report         - 403 403 403 403 200 404 404 200 200 200 404 200
GET    api-dcat                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-payers       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-bookings     200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-demand       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-flows        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-concentration 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-norms        200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statistics-norms          - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-statistics-exports        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statistics-exports        - 403 403 403 403 202 202 202 202 202 202 202 202
GET    api-statistics-export         - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-statistics-export-file    - 404 404 404 404 404 404 404 404 200 404 404 404
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"export_id": "export"}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "api-statistics-hours": "?from=2026-03-01&until=2026-04-01&by=region",
    "api-statistics-idle": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-report": "?year=2026&instrument=<instrument>",
    "bookings:hours-report": "?year=2026&instrument=<instrument>",
    "api-statistics-payers": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-bookings": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-demand": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-flows": "?from=2026-03-01&until=2026-04-01",
    "bookings:hours-export-new": "?table=days&since=2026-03-01&until=2026-04-01",
    "bookings:hours-rows": "?instrument=<instrument>&since=2026-03-04",
}

HOURS = "since=2026-02-10&until=2026-03-05"
PAGE_BODIES = {
    "bookings:hours-definitions": {
        "scheme": "nrii",
        "kind": "general",
        "hours": "1500",
        "valid_from": "2100-01-01",
    }
}
API_BODIES = {
    ("POST", "api-statistics-exports"): {"table": "days", "from": "2026-03-01", "until": "2026-04-01"},
    ("POST", "api-statistics-norms"): {
        "scheme": "nrii",
        "kind": "general",
        "hours": 1500,
        "valid_from": "2100-01-01",
    },
}
# Who has most to see on a page.
SEEN_BY = {
    "bookings:hours": "admin",
    "bookings:hours-weeks": "admin",
    "bookings:hours-payers": "admin",
    "bookings:hours-flows": "admin",
    "bookings:hours-demand": "admin",
    "bookings:hours-days": "admin",
    "bookings:hours-behind": "admin",
    "bookings:hours-idle": "admin",
    "bookings:hours-report": "admin",
}
# What a browser asks a page.
ASKED = {
    "bookings:hours": f"?{HOURS}",
    "bookings:hours-weeks": f"?by=instrument&{HOURS}",
    "bookings:hours-payers": f"?{HOURS}",
    "bookings:hours-flows": f"?{HOURS}",
    "bookings:hours-days": f"?state=sessions&{HOURS}",
    "bookings:hours-behind": f"?of=booked&{HOURS}",
    "bookings:hours-idle": f"?{HOURS}",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:hours-rows": 15,  # one day with all that made it what it was, and its story
    "bookings:hours-report": 80,  # all figures of a year, and of the one before
    "bookings:hours-idle": 16,  # all that can be a reason
    "bookings:hours": 12,  # today's figures, the year's, both by place and over time; what waits
}
