"""The addresses of *catalogue*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:choose               200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:calendar               - 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-availability            200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-availability-feed       200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-quotes                  200 200 200 200 200 200 200 200 200 200 200 200 200
"""

# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:choose": "?start=2026-03-06T06:00:00Z&minutes=60",
    "api-availability": "?from=2026-03-06T00:00:00Z&until=2026-03-07T00:00:00Z&minutes=60",
}
API_BODIES = {
    ("POST", "api-quotes"): {
        "instrument": "<instrument>",
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
    }
}
# Who has most to see on a page.
SEEN_BY = {"bookings:calendar": "wang"}
