"""The addresses of *needs*, as tests/architecture/permission_table.py reads them."""

from tests.factories.batches import batch_things

PAGES = """
GET  bookings:batches               - 403 403 403 403 403 403 403 403 403 200 200 403
GET  bookings:batch-new             - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:batch-new             - 403 403 403 403 403 403 403 403 403 400 302 403
GET  bookings:batch                 - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:batch-accept          - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:batch-give-back       - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:needs                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:need-new               - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:need-new               - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:need                   - 404 200 404 404 404 200 404 404 404 404 404 404
GET  bookings:need-change            - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:need-change            - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:need-correct           - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:need-share             - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:need-unshare           - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:need-withdraw          - 404 302 404 404 404 404 404 404 404 404 404 404
"""
API = """
GET  api-batches                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-batches                    - 403 403 403 403 403 403 403 403 403 403 201 403
GET  api-batch                      - 404 404 404 404 404 404 404 404 404 404 200 404
GET  api-batch-places               - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-batch-place                - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-batch-place-accept         - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-batch-place-give-back      - 404 200 404 404 404 404 404 404 404 404 404 404
GET    api-needs                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-needs                     - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-need                      - 404 200 404 404 404 200 404 404 404 404 404 404
PUT    api-need                      - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH  api-need                      - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-withdraw             - 404 200 404 404 404 404 404 404 404 404 404 404
POST   api-need-share                - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-unshare              - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-open                 - 404 404 404 404 404 404 404 404 404 404 404 200
GET    api-need-matches              - 404 200 404 404 404 200 404 404 404 404 404 404
"""

# What the world of the tests has of it.
things = batch_things
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"need_id": "need", "batch_id": "batch", "place_id": "batch-place"}

NEED = {
    "text": "grain size",
    "earliest": "2026-03-06T00:00:00Z",
    "latest": "2026-03-20T00:00:00Z",
    "minutes": 60,
}
NEED_FORM = NEED | {"earliest": "2026-03-06T08:00", "latest": "2026-03-20T08:00", "minutes": "60"}
PAGE_BODIES = {
    "bookings:need-new": NEED_FORM,
    "bookings:need-change": NEED_FORM,
    "bookings:batch-new": {"region": "CN-SH", "starts_at": "2026-03-06T08:00", "ends_at": "2026-03-20T20:00"},
    "bookings:need-share": {"person": "sun@ustc.example"},
    "bookings:need-unshare": {"person": "sun@ustc.example"},
    "bookings:need-correct": {"act": "add", "code": "grain-size"},
}
API_BODIES = {
    ("POST", "api-needs"): NEED,
    ("PUT", "api-need"): NEED,
    ("PATCH", "api-need"): {"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    ("POST", "api-batches"): {
        "region": "CN-SH",
        "starts_at": "2026-03-06T08:00:00Z",
        "ends_at": "2026-03-20T20:00:00Z",
    },
    ("POST", "api-need-open"): {"reason": "test"},
    ("POST", "api-need-share"): {"person": "sun@ustc.example"},
    ("POST", "api-need-unshare"): {"person": "sun@ustc.example"},
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # Instruments with time, price, rules, what they can do and how their hosts keep to bookings.
    # The vocabulary, too, where it has changed; what a batch keeps for the reader; whether
    # anybody has a technique.
    "bookings:need": 22
}
