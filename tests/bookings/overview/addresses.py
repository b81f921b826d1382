"""The addresses of *overview*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:choices-organisations   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:choices-people          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:palette              200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:home                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:mine                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:reservation            - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:cancel                 - 404 302 404 404 302 302 403 403 403 404 404 404
POST bookings:strike-no-show         - 404 403 404 404 409 403 403 403 403 404 404 404
GET  bookings:questions              - 404 200 404 404 200 403 403 403 403 404 404 404
POST bookings:questions              - 404 302 404 404 302 403 403 403 403 404 404 404
POST bookings:check-in               - 404 302 404 404 302 403 403 403 403 404 404 404
POST bookings:check-out              - 404 409 404 404 409 403 403 403 403 404 404 404
POST bookings:rate                   - 404 409 404 404 409 403 403 403 403 404 404 404
POST bookings:rating-answer          - 404 409 404 404 409 403 403 403 403 404 404 404
GET  bookings:hosted                 - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:person                 - 403 403 403 403 200 200 403 403 403 403 403 403
POST bookings:block                  - 403 403 403 403 302 400 403 403 403 403 403 403
POST bookings:person-cancel          - 403 403 403 403 302 400 403 403 403 403 403 403
GET  bookings:blocks                 - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:money                  - 200 200 200 200 200 200 200 200 200 200 200 200
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"person_id": "member"}
# And where an address means another.
THINGS = {
    ("bookings:questions", "reservation_id"): "questioned",
    ("bookings:check-in", "reservation_id"): "present",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:choices-organisations": "?q=Fudan",
    "bookings:choices-people": "?q=Wang",
    "bookings:palette": "?q=microscope",
}
PAGE_BODIES = {
    "bookings:rate": {"rating": "4"},
    "bookings:rating-answer": {"answer": "test"},
    "bookings:cancel": {"reason": "test"},
    "bookings:strike-no-show": {"cause": "host_fault", "reason": "test"},
    "bookings:block": {
        "whom": "person",
        "where": "<ustc>",
        "last_day": "2026-04-01",
        "reason": "test",
        "contact": "zhao@ustc.example",
    },
    "bookings:person-cancel": {"chosen": ["<request>:1"], "reason": "test"},
    "bookings:questions": {"answer_clean": "yes"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:mine": "wang", "bookings:reservation": "wang"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # Bookings by fate, time used, debts, courses and their fees, certificates and what replaces them, blocks;
    # whom and where to block.
    "bookings:person": 18,
    # What waits, comes next and was used, kept hours; a manager's requests and the day; the figures,
    # whose hours are read once until the next roll-up.
    "bookings:home": 20,
    # Quote, what pays, its rules, samples, questions, results, second thoughts, its story; what
    # waits for the reader; the conversation, with what a time that was proposed would cost.
    "bookings:reservation": 28,
}
