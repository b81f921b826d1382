"""The addresses of *usage*, as tests/architecture/permission_table.py reads them."""

PAGES = """
POST bookings:check-in-code          - 404 200 404 404 404 403 403 403 403 404 404 404
GET  bookings:at                   200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:fault-new              - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:fault-new              - 403 302 302 302 302 302 403 403 403 403 403 403
GET  bookings:faults                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:fault                  - 404 200 404 404 200 404 404 200 200 404 404 404
POST bookings:fault                  - 404 403 404 404 302 404 404 403 403 404 404 404
POST bookings:fault-dismiss          - 404 403 404 404 302 404 404 403 403 404 404 404
POST bookings:fault-assign           - 404 403 404 404 302 404 404 403 403 404 404 404
POST bookings:fault-repair           - 404 403 404 404 409 404 404 403 403 404 404 404
GET  bookings:fault-photo            - 404 200 404 404 200 404 404 200 200 404 404 404
GET  bookings:labels                 - 403 403 403 403 200 200 403 403 403 403 403 200
GET  bookings:kiosks                 - 403 403 403 403 200 200 403 403 403 403 403 200
POST bookings:kiosks                 - 403 403 403 403 200 400 403 403 403 403 403 200
POST bookings:kiosk-revoke           - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:kiosk                200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kiosk-enrol          200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:kiosk-enrol          302 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:kiosk-enrol-link     200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kiosk-check-in       404 404 404 404 404 404 404 404 404 404 404 404 404
POST bookings:kiosk-check-in       404 404 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:kiosk-fault          404 404 404 404 404 404 404 404 404 404 404 404 404
POST bookings:kiosk-fault          404 404 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:board                  - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:board-events           - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:board-close            - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:board-close            - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:closures               - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:closures               - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:closure-end            - 404 404 403 404 400 404 404 403 403 403 404 404
POST bookings:closure-delete         - 404 404 403 404 302 404 404 403 403 403 404 404
GET  bookings:money-sessions         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-sessions-complete - 404 200 404 404 200 403 403 403 403 404 404 404
POST bookings:money-sessions-complete - 404 302 404 404 302 403 403 403 403 404 404 404
"""
API = """
GET    api-reservation-questions     - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-reservation-answers       - 404 200 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-answers-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-closures                200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-closures                  - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-closure                 404 404 404 200 404 200 404 404 200 200 200 404 404
DELETE api-closure                   - 404 404 403 404 204 404 404 403 403 403 404 404
POST   api-closure-end               - 404 404 403 404 200 404 404 403 403 403 404 404
POST   api-reservation-check-in      - 404 200 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-house-rules    - 404 403 404 404 404 403 403 403 403 404 404 404
POST   api-reservation-check-in-code - 404 200 404 404 404 403 403 403 403 404 404 404
GET    api-instrument-faults         - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instrument-faults         - 403 201 201 201 201 201 403 403 403 403 403 403
GET    api-faults                    - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-fault                     - 404 200 404 404 200 404 404 200 200 404 404 404
POST   api-fault-confirm             - 404 403 404 404 200 404 404 403 403 404 404 404
POST   api-fault-dismiss             - 404 403 404 404 200 404 404 403 403 404 404 404
POST   api-fault-assign              - 404 403 404 404 200 404 404 403 403 404 404 404
POST   api-fault-repair              - 404 403 404 404 409 404 404 403 403 404 404 404
GET    api-kiosks                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-kiosks                    - 403 403 403 403 201 403 403 403 403 403 403 201
GET    api-kiosk                     - 404 404 404 404 200 404 404 404 404 404 404 200
POST   api-kiosk-pair                - 404 404 404 404 200 404 404 404 404 404 404 200
POST   api-kiosk-revoke              - 404 404 404 404 200 404 404 404 404 404 404 200
POST   api-reservation-check-out     - 404 409 404 404 409 403 403 403 403 404 404 404
POST   api-reservation-rate          - 404 409 404 404 409 403 403 403 403 404 404 404
POST   api-reservation-answer-rating - 404 409 404 404 409 403 403 403 403 404 404 404
GET    api-reservation-rating        - 404 404 404 404 404 404 404 404 404 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-fault-repair                 409 fault-not-confirmed
POST   api-reservation-rate             409 not-used
POST   api-reservation-answer-rating    409 not-used
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"closure_id": "closure", "fault_id": "fault", "note_id": "fault-note", "kiosk_id": "kiosk"}
# And where an address means another.
THINGS = {
    ("api-reservation-answers-attachments", "reservation_id"): "questioned",
    ("api-reservation-answers", "reservation_id"): "questioned",
    ("bookings:kiosk-enrol-link", "token"): "kiosk-code",
    ("bookings:at", "code"): "short-code",
    ("bookings:fault-new", "code"): "short-code",
    ("bookings:check-in-code", "reservation_id"): "present",
    ("api-reservation-check-in-code", "reservation_id"): "present",
    ("bookings:money-sessions-complete", "reservation_id"): "unrecorded",
    ("api-reservation-check-in", "reservation_id"): "present",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:kiosks": "?facility=<facility>",
    "bookings:board-events": "?start=2026-03-02&end=2026-03-09",
}
PAGE_BODIES = {
    "bookings:board-close": {
        "kind": "maintenance",
        "start": "2026-03-10T10:00",
        "end": "2026-03-10T12:00",
        "reason": "",
    },
    "bookings:money-sessions-complete": {"check_in": "2026-03-04T14:00", "check_out": "2026-03-04T15:00"},
    "bookings:fault-new": {"severity": "usable", "text": "The stage drifts."},
    "bookings:fault": {"note": "1", "reason": ""},
    "bookings:fault-dismiss": {"reason": "test"},
    "bookings:fault-assign": {"person": ""},
    "bookings:fault-repair": {"repair": "test"},
    "bookings:kiosks": {"name": "Room 214", "instrument": ["<instrument>"]},
    "bookings:kiosk-enrol": {"code": "<kiosk-code>"},
    "bookings:kiosk-check-in": {"code": "123456"},
    "bookings:kiosk-fault": {"severity": "usable", "text": "The stage drifts."},
    "bookings:closures": {
        "kind": "maintenance",
        "start": "2026-03-10T10:00",
        "end": "2026-03-10T12:00",
        "reason": "",
    },
}
API_BODIES = {
    ("POST", "api-reservation-answers"): {"moment": "before", "answers": {"clean": True}},
    ("POST", "api-reservation-house-rules"): {"version": 1, "means": "paper"},
    ("POST", "api-instrument-faults"): {"severity": "usable", "text": "The stage drifts."},
    ("POST", "api-fault-confirm"): {"reason": ""},
    ("POST", "api-fault-dismiss"): {"reason": "test"},
    ("POST", "api-fault-assign"): {"person": None},
    ("POST", "api-fault-repair"): {"repair": "test"},
    ("POST", "api-kiosks"): {"name": "Room 214", "instruments": ["<instrument>"]},
    ("POST", "api-closures"): {
        "start": "2026-03-10T02:00:00Z",
        "end": "2026-03-10T04:00:00Z",
        "kind": "maintenance",
        "reason": "",
        "displace": False,
    },
    ("POST", "api-closure-end"): {"end": "2026-03-09T03:00:00Z"},
    ("POST", "api-reservation-rate"): {"rating": 4},
    ("POST", "api-reservation-answer-rating"): {"answer": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:at": "wang", "bookings:fault-new": "wang"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {"bookings:at": 9}
