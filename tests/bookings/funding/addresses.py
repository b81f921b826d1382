"""The addresses of *funding*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:spending               - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:default-source         - 403 200 200 200 200 200 200 200 403 403 403 403
POST bookings:default-source         - 403 302 302 302 302 302 302 302 403 403 403 403
GET  bookings:money-funding          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-funding-new      - 403 403 403 403 403 403 200 200 403 403 403 403
POST bookings:money-funding-new      - 403 403 403 403 403 403 302 400 403 403 403 403
GET  bookings:money-funding-source   - 404 200 404 404 404 200 200 404 404 404 404 404
GET  bookings:money-funding-change   - 404 403 404 404 404 403 200 404 404 404 404 404
POST bookings:money-funding-change   - 404 403 404 404 404 403 302 404 404 404 404 404
POST bookings:money-funding-suspend  - 404 403 404 404 404 403 302 404 404 404 404 404
POST bookings:money-funding-default  - 404 302 404 404 404 403 302 404 404 404 404 404
POST bookings:money-funding-resume   - 404 403 404 404 404 403 409 404 404 404 404 404
GET  bookings:money-vouchers         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-vouchers-programme-new   - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:money-vouchers-programme-new   - 403 403 403 403 403 403 403 403 403 400 302 403
GET  bookings:money-vouchers-programme   - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:money-vouchers-programme   - 404 404 404 404 404 404 404 404 404 404 302 404
GET  bookings:money-vouchers-programme-change   - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:money-vouchers-programme-change   - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:money-vouchers-programme-suspend   - 404 404 404 404 404 404 404 404 404 404 302 404
GET  bookings:money-vouchers-grant   - 404 200 404 404 404 200 200 404 404 404 200 404
POST bookings:money-vouchers-grant-change   - 404 403 404 404 404 403 403 404 404 404 302 404
POST bookings:money-vouchers-grant-suspend   - 404 403 404 404 404 403 403 404 404 404 302 404
POST bookings:money-vouchers-grant-resume    - 404 403 404 404 404 403 403 404 404 404 409 404
"""
API = """
GET    api-programmes                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-programmes                - 403 403 403 403 403 403 403 403 403 403 201 403
GET    api-programme                 - 404 404 404 404 404 404 404 404 404 404 200 404
PATCH  api-programme                 - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-programme-suspend         - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-programme-resume          - 404 404 404 404 404 404 404 404 404 404 409 404
GET    api-grants                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-grants                    - 400 400 400 400 400 400 400 400 400 400 201 400
GET    api-grant                     - 404 200 404 404 404 200 200 404 404 404 200 404
PATCH  api-grant                     - 404 403 404 404 404 403 403 404 404 404 200 404
POST   api-grant-suspend             - 404 403 404 404 404 403 403 404 404 404 200 404
POST   api-grant-resume              - 404 403 404 404 404 403 403 404 404 404 409 404
GET    api-grant-uses                - 404 200 404 404 404 200 200 404 404 404 200 404
GET    api-funding-sources           - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-funding-sources           - 403 403 403 403 403 403 201 403 403 403 403 403
GET    api-funding-source            - 404 200 404 404 404 200 200 404 404 404 404 404
PATCH  api-funding-source            - 404 403 404 404 404 403 200 404 404 404 404 404
POST   api-funding-source-suspend    - 404 403 404 404 404 403 200 404 404 404 404 404
POST   api-funding-source-resume     - 404 403 404 404 404 403 409 404 404 404 404 404
POST   api-funding-source-default    - 404 200 404 404 404 403 200 404 404 404 404 404
GET    api-funding-source-spent      - 404 200 404 404 404 200 200 404 404 404 404 404
GET    api-funding-source-entries    - 404 200 404 404 404 200 200 404 404 404 404 404
GET    api-own-default                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-own-default                - 403 200 200 200 200 200 200 200 403 403 403 403
GET    api-spending                  - 200 200 200 200 200 200 200 200 200 200 200 200
"""
REFUSED = """
POST   api-own-default                   403 join-first
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"programme_id": "programme", "grant_id": "grant", "source_id": "source"}

SOURCE = {
    "organisation": "fudan",
    "code": "NEW-1",
    "name": "New",
    "owner": "wang@fudan.example",
    "currency": "CNY",
    "budget": "1000",
    "valid_from": "2026-03-05",
}
PROGRAMME = {
    "name": "Vouchers",
    "code": "two",
    "percent": "40",
    "currency": "CNY",
    "valid_from": "2026-01-01",
    **dict.fromkeys(("budget_none", "cap_per_booking_none"), "on"),
}
PAGE_BODIES = {
    "bookings:money-funding-new": SOURCE,
    "bookings:money-funding-change": SOURCE,
    "bookings:money-funding-default": {"people": "wang@fudan.example"},
    "bookings:money-funding-suspend": {"reason": "test"},
    "bookings:money-funding-resume": {"reason": "test"},
    "bookings:money-vouchers-programme-new": PROGRAMME | {"region": "<shanghai>"},
    "bookings:money-vouchers-programme-change": PROGRAMME | {"code": "sh-vouchers"},
    "bookings:money-vouchers-programme": {
        "organisation": "<fudan>",
        "amount": "10",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
    "bookings:money-vouchers-programme-suspend": {"act": "suspend"},
    "bookings:money-vouchers-grant-change": {
        "amount": "2000",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
}
API_BODIES = {
    ("POST", "api-programmes"): {
        "region": "CN-SH",
        "code": "two",
        "name": "Vouchers",
        "percent": "50",
        "valid_from": "2026-01-01",
    },
    ("PATCH", "api-programme"): {"percent": "20"},
    ("POST", "api-grants"): {
        "programme": "<programme>",
        "organisation": "fudan",
        "amount": "10.00",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
    ("PATCH", "api-grant"): {"amount": "2000.00"},
    ("POST", "api-funding-sources"): SOURCE,
    ("PATCH", "api-funding-source"): {"name": "New"},
    ("POST", "api-funding-source-default"): {"people": ["wang@fudan.example"]},
    ("POST", "api-own-default"): {"funding": []},
    ("POST", "api-funding-source-suspend"): {"reason": "test"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:money-funding": "lin", "bookings:money-vouchers": "xu"}
MORE_STATEMENTS = {"bookings:money-funding": 9, "bookings:spending": 12}
