"""The addresses of *plans*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:chain-new              - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:chain-new              - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:chain                  - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:chain-cancel           - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:import                 - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:import                 - 403 302 302 302 422 422 403 403 403 403 403 403
GET  bookings:waiting                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:waiting-new            - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:waiting-new            - 403 302 302 302 403 403 403 403 403 403 403 403
POST bookings:waiting-withdraw       - 404 302 404 404 403 404 404 404 404 404 404 404
POST bookings:waiting-decline        - 404 302 404 404 404 404 404 404 404 404 404 404
"""
API = """
POST   api-reservations-import       - 400 201 201 201 422 422 403 403 400 400 400 400
GET    api-waiting-list              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-waiting-list              - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-waiting-wish              - 404 200 404 404 200 404 404 404 404 404 404 404
DELETE api-waiting-wish              - 404 204 404 404 403 404 404 404 404 404 404 404
POST   api-chains                    - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-chain                     - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-chain-cancel              - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-chain-cancel              - 404 200 404 404 200 200 403 403 403 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-reservations-import          422 rows-refused
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"chain_id": "chain", "wish_id": "wish"}
# And where an address means another.
THINGS = {("bookings:waiting-decline", "reservation_id"): "offered"}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {"bookings:chain-new": "?instrument=<instrument>&instrument=<asks-first>&find=1"}

FILE = (
    "aW5zdHJ1bWVudCxzdGFydHMsZW5kcwpUcmFuc21pc3Npb24gZWxlY3Ryb24gbWljcm9zY29wZSwyMDI2LTAzLTA2IDE0"
    "OjAwLDIwMjYtMDMtMDYgMTU6MDAK"
)
PAGE_BODIES = {
    "bookings:waiting-new": {
        "earliest": "2026-03-06T08:00",
        "latest": "2026-03-07T08:00",
        "minutes": "60",
        "service_mode": "self",
    },
    "bookings:import": {"content": FILE, "act": "refuse"},
    "bookings:chain-new": {
        "instrument": ["<instrument>", "<asks-first>"],
        "earliest": "2026-03-12T00:00",
        "latest": "2026-03-13T00:00",
    },
    "bookings:chain-cancel": {"reason": "test"},
}
API_BODIES = {
    ("POST", "api-waiting-list"): {
        "instrument": "<instrument>",
        "earliest": "2026-03-06T00:00:00Z",
        "latest": "2026-03-07T00:00:00Z",
        "minutes": 60,
    },
    ("POST", "api-reservations-import"): {"file": FILE},
    ("POST", "api-chains"): {
        "steps": [
            {"instrument": "<instrument>", "minutes": 60, "service_mode": "self"},
            {"instrument": "<asks-first>", "minutes": 60, "service_mode": "self"},
        ],
        "purpose": {"code": "research", "text": ""},
        "earliest": "2026-03-12T00:00:00+08:00",
        "latest": "2026-03-13T00:00:00+08:00",
    },
    ("POST", "api-chain-cancel"): {"reason": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:waiting": "wang"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:chain-new": 18,  # the quotes of all steps and where they fit
    "bookings:chain": 9,  # the steps with what each costs
}
