"""The addresses of *pricing*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:what-if                - 403 403 403 403 200 403 403 200 200 403 403 403
GET  bookings:money-agreements       - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-agreements-new   - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:money-agreements-new   - 403 403 403 403 403 403 403 403 403 302 302 403
GET  bookings:money-agreements-one   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-agreements-change   - 404 404 404 404 404 404 404 404 403 200 200 404
POST bookings:money-agreements-change   - 404 404 404 404 404 404 404 404 403 302 302 404
POST bookings:money-agreements-sign   - 404 404 404 404 404 404 404 404 403 302 403 404
POST bookings:money-agreements-end   - 404 404 404 404 404 404 404 404 403 302 302 404
"""
API = """
POST   api-what-if                   - 403 403 403 403 200 403 403 200 200 403 403 403
GET    api-what-if-version           - 403 403 403 403 200 403 403 200 200 403 403 403
GET    api-agreements                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-agreements                - 403 403 403 403 403 403 403 403 403 201 201 403
GET    api-agreement                 - 404 404 404 404 404 404 404 404 200 200 200 404
PATCH  api-agreement                 - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-agreement-sign            - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-agreement-end             - 404 404 404 404 404 404 404 404 403 200 200 404
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"agreement_id": "agreement"}

AGREEMENT = {
    "name": "Anhui and Shanghai",
    "code": "two",
    "regions": ["<anhui>", "<shanghai>"],
    "valid_from": "2027-01-01",
    "discount_percent": "5",
}
PAGE_BODIES = {
    "bookings:money-agreements-new": AGREEMENT,
    "bookings:money-agreements-change": AGREEMENT,
    "bookings:money-agreements-sign": {"region": "<anhui>"},
}
API_BODIES = {
    ("POST", "api-what-if"): {"currency": "CNY", "valid_from": "2027-01-01", "rates": {"internal": "1.00"}},
    ("POST", "api-agreements"): {
        "code": "two",
        "name": "Anhui and Shanghai",
        "regions": ["CN-AH", "CN-SH"],
        "valid_from": "2027-01-01",
    },
    ("PATCH", "api-agreement"): {"discount_percent": "20", "valid_from": "2027-01-01", "valid_until": None},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:money-agreements": "coordinator"}
