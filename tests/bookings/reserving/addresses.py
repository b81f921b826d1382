"""The addresses of *reserving*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:book                   - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:book                   - 403 302 302 302 400 400 403 403 403 403 403 403
POST bookings:hold                   - 400 200 200 200 403 403 403 403 400 400 400 400
POST bookings:release                - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:quote                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:move                   - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:move                   - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:requests               - 403 403 403 403 200 200 403 403 403 403 403 403
POST bookings:decide-many            - 403 403 403 403 302 400 403 403 403 403 403 403
POST bookings:decide                 - 404 403 404 404 302 403 403 403 403 404 404 404
"""
API = """
GET    api-reservations              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-reservations              - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-reservation               - 404 200 404 404 200 200 200 200 200 404 404 404
PATCH  api-reservation               - 404 200 404 404 403 200 403 403 403 404 404 404
POST   api-reservation-cancel        - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-holds                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-holds                     - 400 201 201 201 403 403 403 403 400 400 400 400
DELETE api-hold                      - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-reservation-move          - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-reservation-move          - 404 200 404 404 200 200 403 403 403 404 404 404
POST   api-reservation-approve       - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-reject        - 404 403 404 404 200 403 403 403 403 404 404 404
GET    api-reservation-cancellation   - 404 200 404 404 200 200 200 200 200 404 404 404
"""

# And where an address means another.
THINGS = {
    ("api-hold", "reservation_id"): "held",
    ("bookings:decide", "reservation_id"): "request",
    ("api-reservation-approve", "reservation_id"): "request",
    ("api-reservation-reject", "reservation_id"): "request",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:book": "?start=2026-03-06T06:00:00Z&minutes=60",
    "bookings:quote": "?start=2026-03-06T06:00:00Z&minutes=60&service_mode=self&purpose=research",
    "api-reservation-move": "?start=2026-03-06T06:00:00Z&end=2026-03-06T07:00:00Z",
}

RESERVATION = {
    "instrument": "<instrument>",
    "start": "2026-03-06T06:00:00Z",
    "end": "2026-03-06T07:00:00Z",
    "service_mode": "self",
    "purpose": {"code": "research", "text": ""},
}
PAGE_BODIES = {
    "bookings:book": {
        "start": "2026-03-06T06:00:00Z",
        "minutes": "60",
        "service_mode": "self",
        "purpose": "research",
    },
    "bookings:hold": {"start": "2026-03-06T06:00:00Z", "minutes": "60"},
    "bookings:release": {"hold": "00000000-0000-0000-0000-000000000000"},
    "bookings:move": {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00", "reason": "test"},
    "bookings:decide-many": {"approve": "1", "reason": "", "chosen": ["<request>:1"]},
    "bookings:decide": {"approve": "1", "reason": "", "version": "1"},
}
API_BODIES = {
    ("POST", "api-reservations"): RESERVATION,
    ("POST", "api-holds"): {
        "instrument": "<instrument>",
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
    },
    ("POST", "api-reservation-move"): {
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
        "reason": "test",
    },
    ("PATCH", "api-reservation"): {"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    ("POST", "api-reservation-cancel"): {"reason": "test"},
    ("POST", "api-reservation-approve"): {},
    ("POST", "api-reservation-reject"): {"reason": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:book": "wang", "bookings:move": "wang"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:requests": 12,  # with the moves and the answers of the one that is open
    "bookings:move": 9,
    # The quote, the rules, whether a slot is kept for the reader already, own samples; what waits.
    "bookings:book": 22,  # one of them where the host blocks anybody
}
