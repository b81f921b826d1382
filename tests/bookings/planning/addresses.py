"""The addresses of *planning*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:planning-map           - 403 403 403 403 403 403 403 403 200 200 200 200
GET  bookings:planning-cell          - 403 403 403 403 403 403 403 403 200 200 200 200
GET  bookings:review-pdf             - 200 200 404 404 404 200 404 404 404 404 200 200
GET  bookings:register-decision    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:register             200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:plans                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:plan-new               - 403 403 403 403 200 200 403 403 403 200 200 403
POST bookings:plan-new               - 403 403 403 403 302 400 403 403 403 302 400 403
GET  bookings:plan                   - 404 404 404 404 200 200 200 200 200 200 200 200
GET  bookings:plan-change            - 404 404 404 404 200 403 403 403 403 200 403 403
POST bookings:plan-change            - 404 404 404 404 302 403 403 403 403 302 403 403
POST bookings:plan-case              - 404 404 404 404 400 403 403 403 403 400 403 403
POST bookings:plan-drop              - 404 404 404 404 302 403 403 403 403 302 403 403
"""
API = """
GET    api-planning-map             - 403 403 403 403 403 403 403 403 200 200 200 200
GET    api-purchase-case-pdf        - 200 200 404 404 404 200 404 404 404 404 200 200
GET    api-review-register-decision 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-review-register-decision-figures 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-review-register        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-planned-purchases        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-planned-purchases        - 403 403 403 403 201 403 403 403 403 201 403 403
GET    api-planned-purchase         - 404 404 404 404 200 200 200 200 200 200 200 200
PUT    api-planned-purchase         - 404 404 404 404 200 403 403 403 403 200 403 403
POST   api-planned-purchase-drop    - 404 404 404 404 200 403 403 403 403 200 403 403
POST   api-planned-purchase-case    - 404 404 404 404 400 403 403 403 403 400 403 403
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"plan_id": "plan", "decision": "decision-key"}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {"bookings:planning-cell": "?technique=PaNET01198&region=CN-AH"}

PLAN = {
    "technique": "PaNET01198",
    "name": "Microscope",
    "year": 2027,
    "price": "6500000",
    "currency": "CNY",
    "hours": 1400,
    "confidence": "likely",
}
PAGE_BODIES = {
    "bookings:plan-new": PLAN | {"organisation": "ustc"},
    "bookings:plan-change": PLAN,
    "bookings:plan-drop": {"reason": "test"},
    "bookings:plan-case": {"case": "<absent>"},
}
API_BODIES = {
    ("POST", "api-planned-purchases"): PLAN | {"organisation": "ustc"},
    ("PUT", "api-planned-purchase"): PLAN,
    ("POST", "api-planned-purchase-drop"): {"reason": "test"},
    ("POST", "api-planned-purchase-case"): {"case": "<absent>"},
}
# What a browser asks a page.
ASKED = {"bookings:planning-cell": "?technique=PaNET01198&region=CN-AH"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # Figures of two years, kept for some minutes, and plans of the regions around; what waits.
    "bookings:planning-map": 14,
    "bookings:planning-cell": 15,
}
