"""The addresses of *settlement*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:money-statements        - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-statements-one    - 404 404 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-statements-pdf    - 404 404 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-statements-csv    - 404 404 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-statements-e-invoice - 404 404 404 404 404 404 404 404 404 404 404 404
POST bookings:money-statements-remind-many - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-remind - 404 404 404 404 403 403 403 409 403 404 404 404
POST bookings:money-statements-order-number - 404 404 404 404 403 403 302 302 403 404 404 404
POST bookings:money-statements-invoice-number - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-pay    - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-void   - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-notice - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-notices          - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-notices-match    - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-notices-refuse   - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-notices-withdraw - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-payments         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-postings         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-ageing           - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-statements-rate   - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-settlements       - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-settlements-balance - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-settlements-one   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-settlements-pdf   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-settlements-csv   - 404 404 404 404 404 404 404 404 200 200 200 404
POST bookings:money-settlements-confirm   - 404 404 404 404 404 404 404 404 403 302 302 404
POST bookings:money-settlements-pay   - 404 404 404 404 404 404 404 404 403 302 403 404
GET  bookings:money-rates             - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-rates             - 403 403 403 403 403 403 302 400 403 403 403 403
"""
API = """
GET    api-statements                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statement                    - 404 404 404 404 200 200 200 200 200 404 404 404
GET    api-statement-pdf                - 404 404 404 404 200 200 200 200 200 404 404 404
GET    api-statement-csv                - 404 404 404 404 200 200 200 200 200 404 404 404
GET    api-statement-e-invoice          - 404 404 404 404 404 404 404 404 404 404 404 404
POST   api-statements-remind            - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-statement-remind             - 404 404 404 404 403 403 403 409 403 404 404 404
POST   api-statement-order-number       - 404 404 404 404 403 403 200 200 403 404 404 404
POST   api-statement-invoice-number     - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-statement-void               - 404 404 404 404 403 403 403 201 403 404 404 404
POST   api-statement-payments           - 404 404 404 404 403 403 403 201 403 404 404 404
GET    api-statement-notices            - 404 404 404 404 200 200 200 200 200 404 404 404
POST   api-statement-notices            - 404 404 404 404 403 403 201 403 403 404 404 404
GET    api-payment-notices              - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-payment-notice               - 404 404 404 404 200 200 200 200 200 404 404 404
POST   api-payment-notice-match         - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-payment-notice-refuse        - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-payment-notice-withdraw      - 404 404 404 404 403 403 200 403 403 404 404 404
GET    api-payments                     - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-payments-csv                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-postings                     - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-posting-sums                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-ageing                       - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statement-exchange-rate      - 404 404 404 404 403 403 200 403 403 404 404 404
GET    api-settlements                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-settlements-balance          - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-settlement                   - 404 404 404 404 404 404 404 404 200 200 200 404
GET    api-settlement-pdf               - 404 404 404 404 404 404 404 404 200 200 200 404
GET    api-settlement-csv               - 404 404 404 404 404 404 404 404 200 200 200 404
POST   api-settlement-confirm           - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-settlement-payments          - 404 404 404 404 404 404 404 404 403 201 403 404
GET    api-exchange-rates               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-exchange-rates               - 403 403 403 403 403 403 201 201 403 403 403 403
"""
# Refusals with another code than the usual of their kind.
REFUSED = """
POST api-statement-remind  409 not-overdue
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"statement_id": "statement", "notice_id": "notice", "settlement_id": "settlement"}
# And where an address means another.
THINGS = {
    ("bookings:money-settlements-pay", "settlement_id"): "confirmed-settlement",
    ("api-settlement-payments", "settlement_id"): "confirmed-settlement",
}

PAYMENT = {"amount": "10.00", "paid_on": "2026-03-04", "reference": "Bank 1"}
RATE = {"base": "GBP", "quote": "CNY", "rate": "9.2", "valid_on": "2026-03-01", "source": "Bank of China"}
NOTICE = {"amount": "0.50", "paid_on": "2026-03-01", "reference": "T 2"}
PAGE_BODIES = {
    "bookings:money-statements-pay": PAYMENT | {"act": "paid"},
    "bookings:money-statements-remind-many": {"chosen": "<statement>"},
    "bookings:money-statements-void": {"reason": "test"},
    "bookings:money-statements-notice": NOTICE,
    "bookings:money-statements-order-number": {"order_number": "PO 1"},
    "bookings:money-statements-invoice-number": {"invoice_number": "F 1"},
    "bookings:money-notices-refuse": {"reason": "test"},
    "bookings:money-statements-rate": {"exchange_rate": "<rate>"},
    "bookings:money-settlements-confirm": {},
    "bookings:money-settlements-pay": PAYMENT | {"act": "paid"},
    "bookings:money-rates": RATE | {"organisation": "fudan"},
}
API_BODIES = {
    ("POST", "api-statement-void"): {"reason": "test"},
    ("POST", "api-statements-remind"): {"statements": ["<statement>"]},
    ("POST", "api-statement-payments"): PAYMENT,
    ("POST", "api-statement-notices"): NOTICE,
    ("POST", "api-statement-order-number"): {"order_number": "PO 1"},
    ("POST", "api-statement-invoice-number"): {"invoice_number": "F 1"},
    ("POST", "api-payment-notice-refuse"): {"reason": "test"},
    ("POST", "api-statement-exchange-rate"): {"exchange_rate": "<rate>"},
    ("POST", "api-settlement-confirm"): {},
    ("POST", "api-settlement-payments"): PAYMENT,
    ("POST", "api-exchange-rates"): RATE,
}
QUERIES = {"api-settlements-balance": "?year=2026"}
# Who has most to see on a page.
SEEN_BY = {
    "bookings:money-postings": "gao",
    "bookings:money-settlements": "coordinator",
    "bookings:money-settlements-balance": "coordinator",
    "bookings:money-statements": "gao",
    "bookings:money-rates": "lin",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:money-settlements-one": 9,  # both regions' figures, and what waits, counted anew
    "bookings:money-statements-one": 11,  # lines, taxes, payments, notices and the ledger
}
