"""The addresses of *privacy*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:member-end             - 404 200 404 404 404 200 404 404 404 404 404 200
POST bookings:member-end             - 404 302 404 404 404 302 404 404 404 404 404 302
GET  bookings:person-data            - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:person-export          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:person-closed        200 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-own-export                - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-own-erasure               - 200 200 200 200 200 200 200 200 200 200 200 200
"""

PAGE_BODIES = {"bookings:member-end": {"bookings": "keep", "reason": "test"}}
API_BODIES = {("POST", "api-membership-end"): {"bookings": "keep", "reason": "test"}}
# Who has most to see on a page.
SEEN_BY = {"bookings:person-closed": ""}
