"""The addresses of *questions*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:answer-file            - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:questions-owed         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:questionnaires         - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:questionnaires         - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:answers                - 403 403 403 403 200 403 403 403 403 403 403 403
GET  bookings:meters                 - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:instrument-new-meter   - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counters               - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:meter                  - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:meter-read             - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:reading                - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:reading-correct        - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counter-done           - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counter-retire         - 403 403 403 403 302 403 403 403 403 403 403 403
"""
API = """
GET    api-answer-file               - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-questionnaires          200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-questionnaires            - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-instrument-answers        - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-meters                    - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-meters                    - 403 403 403 403 201 403 403 403 403 403 403 403
POST   api-counters                  - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-meter-readings            - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-meter-readings            - 403 403 403 403 201 403 403 403 403 403 403 403
POST   api-meter-reading-correct     - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-counter-done              - 403 403 403 403 200 403 403 403 403 403 403 403
DELETE api-counter                   - 403 403 403 403 204 403 403 403 403 403 403 403
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "file_id": "result-file",
    "moment": "moment",
    "meter_id": "meter",
    "reading_id": "reading",
    "counter_id": "counter",
}
# And where an address means another.
THINGS = {("bookings:answer-file", "file_id"): "answer-file", ("api-answer-file", "file_id"): "answer-file"}
PAGE_BODIES = {
    "bookings:questionnaires": {"rows": "1", "row_0_label": "test", "row_0_kind": "text"},
    "bookings:instrument-new-meter": {"name": "test", "is_monotone": "on"},
    "bookings:counters": {"name": "test", "limit": "500", "warn_percent": "90", "action": "warn"},
    "bookings:meter-read": {"value": "5"},
    "bookings:reading-correct": {"value": "5", "reason": "test"},
    "bookings:counter-done": {"note": "test"},
}
API_BODIES = {
    ("PUT", "api-questionnaires"): {
        "moment": "after",
        "questions": [{"key": "note", "kind": "text", "label": "test"}],
    },
    ("POST", "api-meters"): {"name": "test"},
    ("POST", "api-counters"): {"name": "test", "limit": "500"},
    ("POST", "api-meter-readings"): {"value": "5"},
    ("POST", "api-meter-reading-correct"): {"value": "5", "reason": "test"},
    ("POST", "api-counter-done"): {"note": "test"},
}
