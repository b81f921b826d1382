"""The addresses of *board*, as tests/architecture/permission_table.py reads them."""

from tests.factories.board import board_things

PAGES = """
GET  bookings:enquiries             - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:enquiry-new           - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-new           - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:enquiry               - 404 200 404 404 404 200 404 404 404 404 404 404
GET  bookings:enquiry-accept        - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-accept        - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-close         - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-withdraw      - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:bid-decline           - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:open-enquiries        - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:bids                  - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:bid                   - 404 200 404 404 200 200 404 404 404 404 404 404
POST bookings:open-enquiry-put-aside - 404 404 404 404 302 404 404 404 404 404 404 404
POST bookings:open-enquiry-take-back - 404 404 404 404 302 404 404 404 404 404 404 404
GET  bookings:enquiry-answer        - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:enquiry-answer        - 404 404 404 404 409 404 404 404 404 404 404 404
GET  bookings:bid-amend             - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:bid-amend             - 404 404 404 404 302 404 404 404 404 404 404 404
POST bookings:bid-withdraw          - 404 404 404 404 302 404 404 404 404 404 404 404
GET  bookings:clusters              - 403 403 403 403 403 403 403 403 403 200 200 403
GET  bookings:alarms                 - 403 403 403 403 200 200 403 403 200 200 200 200
GET  bookings:alarm                  - 404 404 404 404 200 404 404 404 200 200 404 404
POST bookings:alarm-answer           - 404 404 404 404 302 404 404 404 403 403 404 404
GET  bookings:alarm-thresholds       - 403 403 403 403 200 200 403 403 200 200 200 200
POST bookings:alarm-thresholds       - 403 403 403 403 403 403 403 403 403 302 400 302
"""
API = """
GET    api-alarms                    - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-alarm                     - 404 404 404 404 200 404 404 404 200 200 404 404
POST   api-alarm-answer              - 404 404 404 404 200 404 404 404 403 403 404 404
GET    api-alarm-thresholds          - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-alarm-thresholds          - 403 403 403 403 403 403 403 403 403 201 403 201
GET  api-enquiries                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-enquiries                  - 404 201 404 404 404 404 404 404 404 404 404 404
GET  api-enquiry                    - 404 200 404 404 404 200 404 404 404 404 404 404
POST api-enquiry-accept             - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-enquiry-close              - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-enquiry-withdraw           - 404 200 404 404 404 404 404 404 404 404 404 404
GET  api-open-enquiries             - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-open-enquiry-put-aside     - 404 404 404 404 200 404 404 404 404 404 404 404
POST api-open-enquiry-take-back     - 404 404 404 404 200 404 404 404 404 404 404 404
GET  api-open-enquiry               - 404 404 404 404 200 404 404 404 404 404 404 404
GET  api-bids                       - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-bids                       - 404 404 404 404 409 404 404 404 404 404 404 404
GET  api-bid                        - 404 200 404 404 200 200 404 404 404 404 404 404
PUT  api-bid                        - 404 404 404 404 200 404 404 404 404 404 404 404
POST api-bid-withdraw               - 404 404 404 404 200 404 404 404 404 404 404 404
POST api-bid-decline                - 404 200 404 404 404 404 404 404 404 404 404 404
GET  api-clusters                   - 200 200 200 200 200 200 200 200 200 200 200 200
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-bids                         409 already-bid
"""

# What the world of the tests has of it.
things = board_things
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"alarm_id": "alarm", "enquiry_id": "enquiry", "bid_id": "bid"}

THRESHOLD = {
    "region": "CN-AH",
    "parameter": "idle_percent",
    "value": "15",
    "valid_from": "2026-04-01",
    "source": "test",
}
BID = {"starts": ["2026-03-24T05:00:00Z"], "service_mode": "assisted"}
QUERIES = {"bookings:enquiry-accept": "?slot=<slot>"}
PAGE_BODIES = {
    "bookings:alarm-answer": {"reason": "repair", "due_date": "2026-05-01"},
    "bookings:alarm-thresholds": THRESHOLD,
    "bookings:enquiry-new": {"closes_at": "2026-03-12T08:00"},
    "bookings:enquiry-accept": {"slot": "<slot>"},
    "bookings:enquiry-close": {"reason": "price"},
    "bookings:enquiry-answer": {
        "instrument": "<instrument>",
        "starts": "2026-03-24T05:00:00+00:00",
        "service_mode": "assisted",
    },
    "bookings:bid-amend": {
        "instrument": "<instrument>",
        "starts": "2026-03-24T05:00:00+00:00",
        "service_mode": "assisted",
    },
}
API_BODIES = {
    ("POST", "api-enquiries"): {"need": "<need>"},
    ("POST", "api-enquiry-accept"): {"slot": "<slot>"},
    ("POST", "api-enquiry-close"): {"reason": "price"},
    ("POST", "api-bids"): BID | {"enquiry": "<enquiry>", "instrument": "<instrument>"},
    ("PUT", "api-bid"): BID,
    ("POST", "api-alarm-answer"): {"reason": "repair", "due_date": "2026-05-01"},
    ("POST", "api-alarm-thresholds"): THRESHOLD | {"value": 15},
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # Enquiries with their audiences, and bids with the times they keep.
    "bookings:enquiries": 10,
    "bookings:enquiry": 10,
    "bookings:bids": 16,
    # And its conversation.
    "bookings:bid": 10,
    # And hosts: those that match, and those found by name.
    "bookings:enquiry-new": 12,
    # And what it books: card, agreements, vouchers, holidays, house rules.
    "bookings:enquiry-accept": 16,
    # And the free times and the price group of who asks; whether a bid stands; its own times.
    "bookings:enquiry-answer": 24,
    "bookings:bid-amend": 26,
}
