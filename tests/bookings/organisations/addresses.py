"""The addresses of *organisations*, as tests/architecture/permission_table.py reads them."""

from tests.accounts.addresses import MISSING

PAGES = """
GET  bookings:duplicates             - 403 403 403 403 200 200 403 403 403 200 200 403
POST bookings:duplicates-decide      - 403 403 403 403 302 403 403 403 403 302 403 403
GET  bookings:regions                - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:region-new             - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:region-new             - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:region                 - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:region                 - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:regions-import         - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:regions-import         - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:organisations-all      - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:organisation-new       - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:organisation-new       - 403 403 403 403 403 403 403 403 403 400 302 302
GET  bookings:organisation           - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:organisation-change    - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-change    - 403 403 403 403 403 403 403 403 403 403 302 302
GET  bookings:organisation-import    - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:organisation-import    - 403 403 403 403 403 403 403 403 403 422 302 302
GET  bookings:organisation-missing   - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:organisation-missing   - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:organisation-request-withdraw - 302 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:organisation-requests  - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:organisation-request   - 403 404 404 404 404 404 404 404 404 404 200 200
POST bookings:organisation-request   - 403 404 404 404 404 404 404 404 404 404 302 302
GET  bookings:organisation-merge     - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-merge     - 403 403 403 403 403 403 403 403 403 403 403 422
GET  bookings:organisation-close     - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-close     - 403 403 403 403 403 403 403 403 403 403 422 422
GET  bookings:people-import           - 403 403 403 403 200 200 403 403 403 200 200 200
POST bookings:people-import           - 403 403 403 403 200 200 403 403 403 200 200 200
GET  bookings:members-import          - 403 403 403 403 403 200 403 403 403 403 200 200
POST bookings:members-import          - 403 403 403 403 403 200 403 403 403 403 200 200
GET  bookings:member-limits           - 403 403 403 403 403 200 403 403 403 403 403 200
POST bookings:member-limits           - 403 403 403 403 403 400 403 403 403 403 403 400
"""
API = """
POST   api-organisations-import      - 403 403 403 403 403 403 403 403 403 422 200 200
POST   api-regions-import            - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisation-merge        - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisation-close        - 403 403 403 403 403 403 403 403 403 403 422 422
POST   api-people-import             - 422 422 422 422 422 201 422 422 422 422 422 201
GET    api-duplicates                - 403 403 403 403 200 200 403 403 403 200 200 403
GET    api-duplicate-verdicts        - 403 403 403 403 200 200 403 403 403 200 200 403
POST   api-duplicate-verdicts        - 403 403 403 403 201 403 403 403 403 201 403 403
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-organisations-import         422 register-rows-refused
POST   api-people-import                422 people-refused
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"region_id": "anhui"}
# And where an address means another.
THINGS = {
    ("bookings:organisation-request", "request_id"): "missing",
    ("bookings:organisation-request-withdraw", "request_id"): "missing",
}

# instrument,starts,ends / Transmission electron microscope,2026-03-06 14:00,2026-03-06 15:00
PEOPLE_FILE = "ZW1haWwKbmV3QG5vd2hlcmUuZXhhbXBsZQo="  # email, new@nowhere.example
# code,name,kind,region / third,Third,university,CN-SH
ORGANISATIONS_FILE = "Y29kZSxuYW1lLGtpbmQscmVnaW9uCnRoaXJkLFRoaXJkLHVuaXZlcnNpdHksQ04tU0gK"
PAGE_BODIES = {
    "bookings:organisation-merge": {"into": "optics", "code": "fudan"},
    "bookings:organisation-close": {"code": "fudan"},
    "bookings:people-import": {"content": PEOPLE_FILE, "act": "preview"},
    "bookings:members-import": {"content": PEOPLE_FILE, "act": "preview"},
    "bookings:member-limits": {"role": "operator"},  # Fudan has no instruments to tick
    "bookings:duplicates-decide": {
        "first": "<instrument>",
        "second": "<asks-first>",
        "act": "apart",
        "note": "test",
    },
    "bookings:organisation-missing": MISSING | {"region": "<anhui>"},
    "bookings:organisation-request": {"act": "reject", "reason": "It is a part of Fudan."},
    "bookings:region-new": {
        "act": "own",
        "scheme": "Ours",
        "code": "EAST",
        "name": "East",
        "time_zone": "UTC",
        "currency": "CNY",
    },
    "bookings:region": {
        "act": "change",
        "code": "CN-AH",
        "name": "Another name",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "shares": "on",
    },
    "bookings:regions-import": {"act": "import", "content": "Y29kZQpDTi1KUwo="},
    "bookings:organisation-new": {
        "act": "enter",
        "code": "third",
        "name": "Third University",
        "kind": "university",
        "region": "<shanghai>",
    },
    "bookings:organisation-change": {"code": "fudan", "name": "Another name", "kind": "university"},
    "bookings:organisation-import": {"act": "import", "content": ORGANISATIONS_FILE},
}
API_BODIES = {
    ("POST", "api-organisations-import"): {"file": ORGANISATIONS_FILE},
    ("POST", "api-regions-import"): {"file": "Y29kZQpDTi1KUwo="},
    ("POST", "api-organisation-merge"): {"into": "optics", "dry_run": True},
    ("POST", "api-duplicate-verdicts"): {
        "first": "<instrument>",
        "second": "<asks-first>",
        "verdict": "kept",
        "note": "test",
    },
    ("POST", "api-people-import"): {"file": PEOPLE_FILE, "organisation": "fudan"},
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:organisation-close": 12  # what keeps it open, each counted; what waits
}
