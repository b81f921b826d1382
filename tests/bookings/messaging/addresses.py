"""The addresses of *messaging*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:feed                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:instrument-feed       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:feeds                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:access                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:access                  - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:feed-make               - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:feed-revoke             - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:busy-calendar           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:webhooks                - 403 403 403 403 200 200 403 403 403 403 403 200
POST bookings:webhooks                - 403 403 403 403 302 400 403 403 403 403 403 302
GET  bookings:webhook                 - 404 404 404 404 200 404 404 404 404 404 404 200
POST bookings:webhook-change          - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-rotate          - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-ping            - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-replay          - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-replay-range    - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-delete          - 404 404 404 404 302 404 404 404 404 404 404 302
"""
API = """
GET  api-feeds                        - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-feeds                        - 201 201 201 201 201 201 201 201 201 201 201 201
DELETE api-feed                         - 404 204 404 404 404 404 404 404 404 404 404 404
GET  api-busy-calendar                - 404 200 404 404 404 404 404 404 404 404 404 404
PUT  api-busy-calendar                - 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-busy-calendar                - 404 204 404 404 404 404 404 404 404 404 404 404
GET  api-webhooks                     - 403 403 403 403 200 200 403 403 403 403 403 200
POST api-webhooks                     - 403 403 403 403 201 403 403 403 403 403 403 201
GET  api-webhook                      - 404 404 404 404 200 404 404 404 404 404 404 200
PUT  api-webhook                      - 404 404 404 404 200 404 404 404 404 404 404 200
DELETE api-webhook                      - 404 404 404 404 204 404 404 404 404 404 404 204
POST api-webhook-rotate               - 404 404 404 404 200 404 404 404 404 404 404 200
POST api-webhook-ping                 - 404 404 404 404 202 404 404 404 404 404 404 202
GET  api-webhook-deliveries           - 404 404 404 404 200 404 404 404 404 404 404 200
GET  api-events                       - 403 403 403 403 200 200 403 403 403 403 403 200
GET  api-deletions                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-webhook-replay-range         - 404 404 404 404 202 404 404 404 404 404 404 202
POST api-webhook-replay               - 404 404 404 404 202 404 404 404 404 404 404 202
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"feed_id": "feed", "endpoint_id": "webhook", "delivery_id": "delivery"}
# And where an address means another.
THINGS = {("bookings:feed", "token"): "feed-token"}
PAGE_BODIES = {
    "bookings:webhooks": {
        "organisation": "<ustc>",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    },
    "bookings:webhook-change": {
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
        "is_active": "on",
    },
    "bookings:webhook-replay-range": {"since": "2026-03-01T00:00", "until": "2026-03-02T00:00"},
    "bookings:busy-calendar": {"act": "set", "address": "https://calendar.example/me.ics"},
}
API_BODIES = {
    ("POST", "api-webhooks"): {
        "organisation": "ustc",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    },
    ("PUT", "api-webhook"): {"address": "https://lab.example/hooks", "events": ["reservation.confirmed"]},
    ("POST", "api-webhook-replay-range"): {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"},
    ("POST", "api-feeds"): {"instrument": "<instrument>"},
    ("PUT", "api-busy-calendar"): {"address": "https://calendar.example/me.ics"},
}
# Who has most to see on a page.
SEEN_BY = {"bookings:feeds": "wang"}
