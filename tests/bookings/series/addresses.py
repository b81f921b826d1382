"""The addresses of *series*, as tests/architecture/permission_table.py reads them."""

from tests.bookings.reserving.addresses import RESERVATION

PAGES = """
GET  bookings:series-new             - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:series-new             - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:series                 - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:series-cancel          - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:series-cancel          - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:series-move            - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:series-move            - 404 302 404 404 400 302 403 403 403 404 404 404
"""
API = """
POST   api-series                    - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-series-one                - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-series-cancel             - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-series-cancel             - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-series-move               - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-series-move               - 404 200 404 404 200 200 403 403 403 404 404 404
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"series_id": "series"}
# And where an address means another.
THINGS = {
    ("bookings:series-cancel", "reservation_id"): "occurrence",
    ("bookings:series-move", "reservation_id"): "occurrence",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:series-new": "?start=2026-03-06T06:00:00Z&minutes=60",
    "api-series-cancel": "?scope=all",
    "api-series-move": "?scope=all&reservation=<occurrence>&start=2026-03-12T10:00:00Z"
    "&end=2026-03-12T11:00:00Z",
}
PAGE_BODIES = {
    "bookings:series-new": {
        "start": "2026-03-06T06:00:00Z",
        "minutes": "60",
        "service_mode": "self",
        "purpose": "research",
        "frequency": "DAILY",
        "every": "3",
        "ends": "times",
        "times": "2",
        "act": "refuse",
    },
    "bookings:series-cancel": {"scope": "all", "reason": "test"},
    "bookings:series-move": {
        "scope": "all",
        "start": "2026-03-11T13:00",
        "end": "2026-03-11T14:00",
        "act": "move",
    },
}
API_BODIES = {
    ("POST", "api-series"): RESERVATION | {"rule": "FREQ=DAILY;INTERVAL=3;COUNT=2"},
    ("POST", "api-series-cancel"): {"scope": "all", "reason": "test"},
    ("POST", "api-series-move"): {
        "scope": "all",
        "reservation": "<occurrence>",
        "start": "2026-03-11T13:00:00+08:00",
        "end": "2026-03-11T14:00:00+08:00",
        "reason": "test",
    },
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:series-move": 9,
    # The quote and the rules, the first date and all of them, the week; what waits.
    "bookings:series-new": 23,
    "bookings:series-cancel": 9,  # the dates with what each costs, and those before
}
