"""The addresses of *reviews*, as tests/architecture/permission_table.py reads them."""

from tests.factories.reviews import review_things

PAGES = """
GET  bookings:reviews                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:review-schemes         - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:review-schemes         - 403 403 403 403 403 403 403 403 403 403 403 400
GET  bookings:review-new             - 404 200 200 200 200 200 404 404 404 404 404 404
POST bookings:review-new             - 404 302 400 400 400 302 404 404 404 404 404 404
GET  bookings:review                 - 200 200 404 404 200 200 404 404 404 404 200 200
GET  bookings:review-change          - 404 200 404 404 404 200 404 404 404 404 404 404
POST bookings:review-change          - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:review-check            - 404 403 404 404 404 302 404 404 404 404 404 404
POST bookings:review-reopen           - 404 403 404 404 404 302 404 404 404 404 404 404
POST bookings:review-submit           - 404 403 404 404 404 302 404 404 404 404 404 404
POST bookings:review-withdraw         - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:review-hosts            - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-review           - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-ordered          - 403 403 404 404 404 302 404 404 404 404 403 403
POST bookings:review-experts         - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-decide          - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-appeal          - 403 403 404 404 404 302 404 404 404 404 403 403
POST bookings:review-service         - 403 403 404 404 404 400 404 404 404 404 403 403
GET  bookings:review-pledge          - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:review-pledge-answer   - 404 404 404 404 302 404 404 404 404 404 404 404
GET  bookings:review-opinion         - 200 404 404 404 404 404 404 404 404 404 404 404
POST bookings:review-opinion         - 302 404 404 404 404 404 404 404 404 404 404 404
"""
API = """
GET    api-review-schemes              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-review-schemes             - 403 403 403 403 403 403 403 403 403 403 403 400
POST   api-review-schemes-check       - 403 403 403 403 403 403 403 403 403 403 403 400
GET    api-review-scheme               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-purchase-cases              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-purchase-cases              - 400 201 400 400 400 201 403 403 400 400 400 400
GET    api-purchase-case               - 404 200 404 404 404 200 404 404 404 404 404 404
PUT    api-purchase-case               - 404 200 404 404 404 200 404 404 404 404 404 404
GET    api-purchase-case-comparison    - 200 200 404 404 404 200 404 404 404 404 200 200
POST   api-purchase-case-check         - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-reopen        - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-submit        - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-withdraw      - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-hosts         - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-experts       - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-review        - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-decide        - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-appeal        - 403 403 404 404 404 200 404 404 404 404 403 403
POST   api-purchase-case-ordered       - 403 403 404 404 404 200 404 404 404 404 403 403
POST   api-purchase-case-in-service    - 403 403 404 404 404 409 404 404 404 404 403 403
GET    api-host-pledges                - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-host-pledge                 - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-host-pledge-answer          - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-case-opinions               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-case-opinion                - 200 404 404 404 404 404 404 404 404 404 404 404
POST   api-case-opinion-declare        - 409 404 404 404 404 404 404 404 404 404 404 404
POST   api-case-opinion-give           - 200 404 404 404 404 404 404 404 404 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-purchase-case-in-service     409 case-not-so-far
POST   api-case-opinion-declare         409 opinion-given
"""

# What the world of the tests has of it.
things = review_things
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"case_id": "case", "pledge_id": "pledge", "expert_id": "expert", "scheme_id": "scheme"}
# And where an address means another.
THINGS = {
    ("bookings:review-change", "case_id"): "case-draft",
    ("bookings:review-check", "case_id"): "case-draft",
    ("bookings:review-reopen", "case_id"): "case-checked",
    ("bookings:review-submit", "case_id"): "case-checked",
    ("bookings:review-withdraw", "case_id"): "case-draft",
    ("bookings:review-hosts", "case_id"): "case-submitted",
    ("bookings:review-review", "case_id"): "case-submitted",
    ("bookings:review-ordered", "case_id"): "case-approved",
    ("bookings:review-appeal", "case_id"): "case-refused",
    ("bookings:review-service", "case_id"): "case-approved",
    ("api-purchase-case-check", "case_id"): "case-draft",
    ("api-purchase-case-reopen", "case_id"): "case-checked",
    ("api-purchase-case-submit", "case_id"): "case-checked",
    ("api-purchase-case-withdraw", "case_id"): "case-draft",
    ("api-purchase-case-hosts", "case_id"): "case-submitted",
    ("api-purchase-case-review", "case_id"): "case-submitted",
    ("api-purchase-case-appeal", "case_id"): "case-refused",
    ("api-purchase-case-ordered", "case_id"): "case-approved",
    ("api-purchase-case-in-service", "case_id"): "case-approved",
    ("api-purchase-case", "case_id"): "case-draft",
}

CASE = {
    "scheme": "cn-shanghai",
    "money": "regional",
    "techniques": ["PaNET01198"],
    "name": "Microscope",
    "reason": "Our students wait.",
    "price": "2000000.00",
    "currency": "CNY",
    "years": 5,
    "hours": 400,
    "place": "Campus",
}
DECISION = {"decision": "approved", "grounds": ["area-full"], "reason": "As the figures say."}
PAGE_BODIES = {
    "bookings:review-new": CASE | {"organisation": "fudan", "upkeep_percent": "6"},
    "bookings:review-change": CASE | {"organisation": "fudan", "upkeep_percent": "6"},
    "bookings:review-experts": {"person": "hu@optics.example"},
    "bookings:review-decide": DECISION,
    "bookings:review-appeal": {"reason": "We disagree."},
    "bookings:review-service": {"instrument": "<instrument>", "in_service_on": "2026-03-01"},
    "bookings:review-pledge-answer": {"answer": "denial", "reason": "other"},
    "bookings:review-opinion": {"act": "give", "advice": "share", "text": "As before."},
}
API_BODIES = {
    ("POST", "api-review-schemes"): {"text": "{}", "reason": "New rules."},
    ("POST", "api-review-schemes-check"): {"text": "{}"},
    ("POST", "api-purchase-cases"): CASE,
    ("PUT", "api-purchase-case"): CASE,
    ("POST", "api-purchase-case-experts"): {"person": "hu@optics.example"},
    ("POST", "api-purchase-case-decide"): DECISION,
    ("POST", "api-purchase-case-appeal"): {"reason": "We disagree."},
    ("POST", "api-purchase-case-in-service"): {"instrument": "<instrument>", "in_service_on": "2026-03-01"},
    ("POST", "api-host-pledge-answer"): {"answer": "denial", "reason": "other"},
    ("POST", "api-case-opinion-declare"): {"interest": ""},
    ("POST", "api-case-opinion-give"): {"advice": "share", "text": "As before."},
}
# Who has most to see on a page.
SEEN_BY = {
    "bookings:reviews": "xu",
    "bookings:review": "xu",
    "bookings:review-new": "wang",
    "bookings:review-change": "wang",
    "bookings:review-opinion": "alice",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:review": 11  # its steps, evidence, answers, opinions, what to pool with; what waits
}
