"""The addresses of *charging*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:money-charges          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-charges-replay   - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-charges-one      - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:money-charges-dispute  - 404 302 404 404 403 302 302 403 403 404 404 404
POST bookings:money-charges-withdraw - 404 302 404 404 403 302 302 403 403 404 404 404
POST bookings:money-charges-reject   - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-correct  - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-recode   - 404 403 404 404 403 403 302 403 403 404 404 404
POST bookings:money-charges-check    - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-uncheck  - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-check-many - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:money-charges-correction-agree    - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:money-charges-correction-refuse   - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:money-charges-correction-withdraw - 404 403 404 404 403 403 403 302 403 404 404 404
"""
API = """
GET    api-charge-sums               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-charges                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-charge-replay             - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-charge                    - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-charge-dispute            - 404 200 404 404 403 200 200 403 403 404 404 404
POST   api-charge-withdraw           - 404 200 404 404 403 200 200 403 403 404 404 404
POST   api-charge-recode             - 404 403 404 404 403 403 200 403 403 404 404 404
POST   api-charge-check              - 404 403 404 404 200 403 403 200 403 404 404 404
POST   api-charge-uncheck            - 404 403 404 404 200 403 403 200 403 404 404 404
POST   api-charge-settle             - 404 403 404 404 200 403 403 200 403 404 404 404
POST   api-charge-corrections        - 404 403 404 404 201 403 403 201 403 404 404 404
POST   api-correction-agree          - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-correction-refuse         - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-correction-withdraw       - 404 403 404 404 403 403 403 200 403 404 404 404
GET    api-sessions-to-complete      - 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-reservation-usage         - 404 200 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-strike-no-show - 404 403 404 404 409 403 403 403 403 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-correction-withdraw          403 not-your-proposal
POST   api-correction-refuse            403 own-correction
POST   api-correction-agree             403 own-correction
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"charge_id": "charge", "correction_id": "correction"}
# And where an address means another.
THINGS = {
    ("bookings:money-charges-withdraw", "charge_id"): "disputed",
    ("bookings:money-charges-reject", "charge_id"): "disputed",
    ("api-charge-withdraw", "charge_id"): "disputed",
    ("api-charge-settle", "charge_id"): "disputed",
    ("api-reservation-usage", "reservation_id"): "unrecorded",
    ("bookings:money-charges-replay", "charge_id"): "replayed",
    ("api-charge-replay", "charge_id"): "replayed",
}
PAGE_BODIES = {
    "bookings:money-charges-dispute": {"reason": "test"},
    "bookings:money-charges-reject": {"reason": "test"},
    "bookings:money-charges-recode": {"funding": "NSFC-17", "reason": "test"},
    "bookings:money-charges-correct": {"waive_percent": "50", "reason": "test"},
    "bookings:money-charges-correction-refuse": {"reason": "test"},
}
API_BODIES = {
    ("POST", "api-charge-dispute"): {"reason": "test"},
    ("POST", "api-charge-recode"): {"funding": [{"source": "NSFC-17", "percent": "100"}], "reason": "test"},
    ("POST", "api-charge-settle"): {"verdict": "reject", "answer": "test"},
    ("POST", "api-charge-corrections"): {"waive_percent": "50", "reason": "test"},
    ("POST", "api-correction-refuse"): {"reason": "test"},
    ("POST", "api-reservation-strike-no-show"): {"cause": "host_fault", "reason": "test"},
    ("PUT", "api-reservation-usage"): {
        "check_in": "2026-03-04T14:00:00+08:00",
        "check_out": "2026-03-04T15:00:00+08:00",
    },
}
# Who has most to see on a page.
SEEN_BY = {"bookings:money-charges-one": "lin"}
MORE_STATEMENTS = {"bookings:money-charges-one": 9}  # the payer's sources
