"""The addresses of *privacy*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:holding-periods        - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:holding-periods        - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:member-end             - 404 200 404 404 404 200 404 404 404 404 404 200
POST bookings:member-end             - 404 302 404 404 404 302 404 404 404 404 404 302
GET  bookings:person-data            - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:person-export          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:person-closed        200 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-holding-periods           - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-holding-periods           - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-own-export                - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-own-erasure               - 200 200 200 200 200 200 200 200 200 200 200 200
"""

PERIOD = {"kind": "messages", "days": 90, "valid_from": "2026-12-31", "reason": "test"}
PAGE_BODIES = {
    "bookings:member-end": {"bookings": "keep", "reason": "test"},
    "bookings:holding-periods": PERIOD,
}
API_BODIES = {
    ("POST", "api-membership-end"): {"bookings": "keep", "reason": "test"},
    ("POST", "api-holding-periods"): PERIOD,
}
# Who has most to see on a page.
SEEN_BY = {"bookings:person-closed": ""}
