"""The addresses of *audit*, as tests/architecture/permission_table.py reads them."""

from tests.factories.audit import audit_things

PAGES = """
GET  bookings:trail                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:story                  - 404 200 404 404 404 404 404 404 200 404 404 404
GET  bookings:audit                  - 403 403 403 403 403 403 403 403 200 403 403 403
GET  bookings:exceptions             - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:exceptions-decide      - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:exceptions-all         - 403 403 403 403 403 403 403 403 302 403 403 403
POST bookings:exceptions-all         - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:risk-weights           - 403 403 403 403 403 403 403 403 200 403 403 200
POST bookings:risk-weights           - 403 403 403 403 403 403 403 403 403 403 403 302
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
POST bookings:finding-unanswered     - 404 404 404 404 403 404 404 403 302 404 404 404
POST bookings:finding-follow-up      - 404 404 404 404 403 404 404 403 302 404 404 404
POST bookings:finding-agree          - 404 404 404 404 302 404 404 302 302 404 404 404
POST bookings:finding-attach         - 404 404 404 404 400 404 404 400 400 404 404 404
GET  bookings:actions                - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:action-done            - 404 404 302 404 302 404 404 302 403 404 404 404
POST bookings:action-change          - 404 404 403 404 302 404 404 302 302 404 404 404
POST bookings:action-verify          - 404 404 403 404 403 404 404 403 302 404 404 404
POST bookings:action-return          - 404 404 403 404 403 404 404 403 302 404 404 404
POST bookings:action-withdraw        - 404 404 403 404 403 404 404 403 302 404 404 404
GET  bookings:finding-file           - 404 404 200 404 200 404 404 200 200 404 404 404
GET  bookings:audit-report           - 403 403 403 403 403 403 403 403 200 403 403 403
GET  bookings:papers                 - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:papers-new             - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:paper                  - 404 404 404 404 404 404 404 404 200 404 404 404
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
POST   api-audit-exceptions-decide-all - 403 403 403 403 403 403 403 403 200 403 403 403
GET    api-risk-weights              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-risk-weights              - 403 403 403 403 403 403 403 403 403 403 403 201
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
POST   api-audit-finding-unanswered  - 404 404 404 404 403 404 404 403 200 404 404 404
POST   api-audit-finding-follow-up   - 404 404 404 404 403 404 404 403 200 404 404 404
POST   api-audit-finding-actions     - 404 404 404 404 201 404 404 201 201 404 404 404
POST   api-audit-finding-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-audit-actions             - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-audit-action              - 404 404 200 404 200 404 404 200 200 404 404 404
POST   api-audit-action-done         - 404 404 200 404 200 404 404 200 403 404 404 404
POST   api-audit-action-change       - 404 404 403 404 200 404 404 200 200 404 404 404
POST   api-audit-action-verify       - 404 404 403 404 403 404 404 403 200 404 404 404
POST   api-audit-action-return       - 404 404 403 404 403 404 404 403 200 404 404 404
POST   api-audit-action-withdraw     - 404 404 403 404 403 404 404 403 200 404 404 404
GET    api-audit-finding-file        - 404 404 200 404 200 404 404 200 200 404 404 404
GET    api-audit-report              - 403 403 403 403 403 403 403 403 200 403 403 403
POST   api-audit-papers              - 403 403 403 403 403 403 403 403 202 403 403 403
GET    api-audit-paper               - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-audit-paper-file          - 404 404 404 404 404 404 404 404 200 404 404 404
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
    "action_id": "action",
    "bundle_id": "bundle",
    "paper_id": "paper",
    "exception_id": "exception",
    "finding_id": "finding",
    "sample_id": "sample",
    "object_id": "reservation",
}
# And where an address means another.
THINGS = {
    ("bookings:finding-return", "finding_id"): "answered-finding",
    ("api-audit-finding-return", "finding_id"): "answered-finding",
    ("bookings:finding-close", "finding_id"): "answered-finding",
    ("api-audit-finding-close", "finding_id"): "answered-finding",
    ("bookings:finding-unanswered", "finding_id"): "late-finding",
    ("api-audit-finding-unanswered", "finding_id"): "late-finding",
    **{
        (f"{prefix}action-{word}", "action_id"): "done-action"
        for word in ("verify", "return")
        for prefix in ("bookings:", "api-audit-")
    },
    ("bookings:finding-file", "file_id"): "finding-file",
    ("api-audit-finding-file", "file_id"): "finding-file",
    ("bookings:finding-file", "size"): "size-of-document",
    ("api-audit-finding-file", "size"): "size-of-document",
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
WEIGHT = {"rule": "overrides", "weight": 55, "valid_from": "2026-12-31", "reason": "test"}
QUERIES = {"bookings:exceptions-all": "?rule=overrides&organisation=ustc"}
AGREED = {"text": "Test", "owner": "sun@ustc.example", "due_date": "2026-04-01"}
PAPER = {"subject": "year", "format": "pdf", "region": "CN-AH"}
PAGE_BODIES = {
    "bookings:exception-decide": {"state": "review"},
    "bookings:exceptions-decide": {"state": "review", "chosen": ["<exception>:1"]},
    "bookings:exceptions-all": {"state": "explained", "reason": "test", "count": "1"},
    "bookings:risk-weights": WEIGHT,
    "bookings:exception-confirm": {"severity": "low", "title": "Test", "text": "Test"},
    "bookings:findings": FINDING,
    "bookings:finding-reply": {"reply": "test"},
    "bookings:finding-return": {"note": "test"},
    "bookings:finding-close": {"evidence": "test"},
    "bookings:finding-unanswered": {"statement": "test"},
    "bookings:finding-follow-up": {"follow_up_date": "2026-05-01"},
    "bookings:finding-agree": AGREED,
    "bookings:action-done": {"note": "test"},
    "bookings:action-change": {"owner": "sun@ustc.example"},
    "bookings:action-return": {"reason": "test"},
    "bookings:action-withdraw": {"reason": "test"},
    "bookings:papers-new": PAPER | {"year": "2026"},
    "bookings:samples": SAMPLE,
}
QUERIES = {"bookings:audit-report": "?region=CN-AH&year=2026", "api-audit-report": "?region=CN-AH&year=2026"}
API_BODIES = {
    ("PATCH", "api-audit-exception"): {"state": "review"},
    ("POST", "api-audit-exceptions-decide"): {"exceptions": [{"id": "<exception>"}], "state": "review"},
    ("POST", "api-audit-exceptions-decide-all"): {
        "rule": "overrides",
        "organisation": "ustc",
        "state": "explained",
        "reason": "test",
        "count": 1,
    },
    ("POST", "api-risk-weights"): WEIGHT,
    ("POST", "api-audit-samples"): SAMPLE,
    ("POST", "api-audit-findings"): FINDING,
    ("POST", "api-audit-finding-reply"): {"reply": "test"},
    ("POST", "api-audit-finding-return"): {"note": "test"},
    ("POST", "api-audit-finding-close"): {"evidence": "test"},
    ("POST", "api-audit-finding-unanswered"): {"statement": "test"},
    ("POST", "api-audit-finding-follow-up"): {"follow_up_date": "2026-05-01"},
    ("POST", "api-audit-finding-actions"): AGREED,
    ("POST", "api-audit-papers"): PAPER | {"year": 2026},
    ("POST", "api-audit-action-done"): {"note": "test"},
    ("POST", "api-audit-action-change"): {"owner": "sun@ustc.example"},
    ("POST", "api-audit-action-return"): {"reason": "test"},
    ("POST", "api-audit-action-withdraw"): {"reason": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:trail": "auditor"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # Each table of the report, the first and the last seal, and what waits.
    "bookings:audit-report": 36,
    "bookings:exceptions": 12,  # its people, their parts, and what each is about
    "bookings:exception": 13,  # the same, and what may be done with it
    "bookings:audit": 12,  # what waits, the hours of each region, and whether the trail holds
}
