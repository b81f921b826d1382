"""The addresses of *browsing*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:catalogue            200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:compare              200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:compare-choose       302 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:map                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:lists                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:lists                  - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:list                   - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:list                   - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:list-entry             - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:keep                   - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:searches               - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:searches               - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:search-change          - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:instrument           200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:week                 200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:ratings                - 403 403 403 403 200 403 403 403 403 403 403 403
GET  oai                           200 200 200 200 200 200 200 200 200 200 200 200 200
POST oai                           200 200 200 200 200 200 200 200 200 200 200 200 200
GET  sitemap                       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  sitemap-part                  200 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-lists                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-lists                     - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-list                      - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH  api-list                      - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-list                      - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-list-entries              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-list-entries              - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-list-entry                - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH  api-list-entry                - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-list-entry                - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-searches                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-searches                  - 201 201 201 201 201 201 201 201 201 201 201 201
PATCH  api-search                    - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-search                    - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-instrument-facets       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instruments             200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instruments               - 403 403 201 403 201 403 403 403 403 403 403 403
GET    api-ratings                   - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-rating                  200 200 200 200 200 200 200 200 200 200 200 200 200
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"section": "section", "search_id": "search", "list_id": "list", "entry_id": "absent"}
# And where an address means another.
THINGS = {("bookings:list-entry", "entry_id"): "list-entry", ("api-list-entry", "entry_id"): "list-entry"}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:compare-choose": "?id=<instrument>",
    "bookings:compare": "?id=<instrument>&id=<asks-first>",
}
PAGE_BODIES = {
    "bookings:compare-choose": {"act": "add"},
    "bookings:lists": {"name": "Another"},
    "bookings:list": {"act": "rename", "name": "Renamed"},
    "bookings:list-entry": {"act": "note", "note": "Ask for Zhao"},
    "bookings:keep": {"act": "add"},
    "bookings:searches": {"name": "mine", "q": "microscope"},
    "bookings:search-change": {"act": "pause"},
}
API_BODIES = {
    ("POST", "api-instruments"): {
        "facility": "<facility>",
        "name": "New",
        "manufacturers": [{"name": "Maker"}],
        "description": "Words.",
        "service_modes": ["self"],
    },
    ("POST", "api-lists"): {"name": "Another"},
    ("PATCH", "api-list"): {"name": "Renamed"},
    ("POST", "api-list-entries"): {"instrument": "<instrument>"},
    ("PATCH", "api-list-entry"): {"note": "Ask for Zhao"},
    ("POST", "api-searches"): {"name": "mine", "q": "microscope"},
    ("PATCH", "api-search"): {"is_paused": True},
}
# Who has most to see on a page.
SEEN_BY = {
    "bookings:catalogue": "wang",
    "bookings:compare": "wang",
    "bookings:lists": "wang",
    "bookings:list": "wang",
    "bookings:map": "wang",
    "bookings:instrument": "wang",
    "bookings:searches": "wang",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    # What the reader pays, vouchers included, holds and keeps, who blocks them; once a minute, what waits.
    # Of words that find nothing: what they may mean, and each way out.
    "bookings:catalogue": 18,
    "bookings:compare": 12,  # prices, free times and certificates of all; what waits
    # The record, what it can do, its files, the week, the own price; the vocabulary where it has
    # changed.
    "bookings:instrument": 20,
}
