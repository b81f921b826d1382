"""The addresses of *availability*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:kept-hours             - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kept-hours-manage      - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:kept-hours-manage      - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:kept-hours-change      - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:kept-hours-end         - 404 403 404 404 302 403 403 403 403 404 404 404
"""
API = """
GET    api-kept-hours                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-kept-hours                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-kept                      - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-kept-change               - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-kept-end                  - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-misfits                   - 403 403 403 403 200 403 403 403 403 403 403 403
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"kept_id": "kept"}
PAGE_BODIES = {
    "bookings:kept-hours-manage": {
        "organisation": "fudan",
        "hours": "1",
        "first_day": "2026-07-06",
        "last_day": "2026-07-10",
        "released_hours": "0",
        "reason": "test",
    },
    "bookings:kept-hours-change": {"hours": "2", "reason": "test"},
    "bookings:kept-hours-end": {"reason": "test"},
}
API_BODIES = {
    ("POST", "api-kept-hours"): {
        "instrument": "<instrument>",
        "organisation": "fudan",
        "minutes": 60,
        "start": "2026-07-06T00:00:00Z",
        "end": "2026-07-10T00:00:00Z",
        "reason": "test",
    },
    ("POST", "api-kept-change"): {"minutes": 120, "reason": "test"},
    ("POST", "api-kept-end"): {"reason": "test"},
    ("POST", "api-misfits"): {"policy": {"slot_minutes": 60}},
}
