"""The addresses of *audit*, as tests/architecture/permission_table.py reads them."""

from tests.factories.audit import audit_things

PAGES = """
GET  bookings:trail                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:story                  - 404 200 404 404 404 404 404 404 200 404 404 404
GET  bookings:audit                  - 403 403 403 403 403 403 403 403 200 403 403 403
GET  bookings:exceptions             - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:exceptions-decide      - 403 403 403 403 403 403 403 403 302 403 403 403
POST bookings:exceptions-run         - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:exception              - 404 404 404 404 404 404 404 404 200 404 404 404
POST bookings:exception-decide       - 404 404 404 404 404 404 404 404 302 404 404 404
POST bookings:exception-confirm      - 404 404 404 404 404 404 404 404 302 404 404 404
GET  bookings:findings               - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:findings               - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:finding                - 404 404 404 404 200 404 404 200 200 404 404 404
POST bookings:finding-reply          - 404 404 404 404 302 404 404 302 403 404 404 404
POST bookings:finding-return         - 404 404 404 404 403 404 404 403 302 404 404 404
POST bookings:finding-close          - 404 404 404 404 403 404 404 403 302 404 404 404
GET  bookings:samples                - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:samples                - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:sample                 - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:population             - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:seals                  - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:seal-now               - 403 403 403 403 403 403 403 403 302 403 403 403
POST bookings:bundle                 - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:bundle-later           - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:bundle-file            - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:proof                  - 404 200 404 404 404 404 404 404 200 404 404 404
"""
API = """
GET    api-trail-entries             - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-audit-exceptions          - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-exceptions-decide   - 403 403 403 403 403 403 403 403 200 403 403 403
GET    api-audit-exception           - 404 404 404 404 404 404 404 404 200 404 404 404
PATCH  api-audit-exception           - 404 404 404 404 404 404 404 404 200 404 404 404
POST   api-audit-runs                - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-samples             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-samples             - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-sample              - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-audit-sample-population   - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-audit-findings            - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-findings            - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-finding             - 404 404 404 404 200 404 404 200 200 404 404 404
POST   api-audit-finding-reply       - 404 404 404 404 200 404 404 200 403 404 404 404
POST   api-audit-finding-return      - 404 404 404 404 403 404 404 403 200 404 404 404
POST   api-audit-finding-close       - 404 404 404 404 403 404 404 403 200 404 404 404
GET    api-trail-seals               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-trail-seals               - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-trail-proof               - 404 200 404 404 404 404 404 404 200 404 404 404
POST   api-trail-bundles             - 403 403 403 403 403 403 403 403 202 403 403 403
GET    api-trail-bundle-one          - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-trail-bundle-file         - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-trail-bundle              - 403 403 403 403 403 403 403 403 200 403 403 403
"""

# What the world of the tests has of it.
things = audit_things
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "bundle_id": "bundle",
    "exception_id": "exception",
    "finding_id": "finding",
    "sample_id": "sample",
    "object_id": "reservation",
}
# And where an address means another.
THINGS = {
    ("bookings:finding-return", "finding_id"): "answered-finding",
    ("api-audit-finding-return", "finding_id"): "answered-finding",
    ("bookings:proof", "entry_id"): "trail-entry",
    ("api-trail-proof", "entry_id"): "trail-entry",
}

SAMPLE = {
    "subject": "reservations",
    "method": "random",
    "since": "2026-03-01",
    "until": "2026-04-01",
    "size": 2,
}
FINDING = {"severity": "low", "title": "Test", "text": "Test", "organisation": "ustc"}
PAGE_BODIES = {
    "bookings:exception-decide": {"state": "review"},
    "bookings:exceptions-decide": {"state": "review", "chosen": ["<exception>:1"]},
    "bookings:exception-confirm": {"severity": "low", "title": "Test", "text": "Test"},
    "bookings:findings": FINDING,
    "bookings:finding-reply": {"reply": "test"},
    "bookings:finding-return": {"note": "test"},
    "bookings:finding-close": {"evidence": "test"},
    "bookings:samples": SAMPLE,
}
API_BODIES = {
    ("PATCH", "api-audit-exception"): {"state": "review"},
    ("POST", "api-audit-exceptions-decide"): {"exceptions": [{"id": "<exception>"}], "state": "review"},
    ("POST", "api-audit-samples"): SAMPLE,
    ("POST", "api-audit-findings"): FINDING,
    ("POST", "api-audit-finding-reply"): {"reply": "test"},
    ("POST", "api-audit-finding-return"): {"note": "test"},
    ("POST", "api-audit-finding-close"): {"evidence": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:trail": "auditor"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:audit": 12  # what waits, the hours of each region, and whether the trail holds
}
