"""The addresses of *conversation*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  bookings:conversations          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:conversation           - 404 200 404 404 200 200 200 200 404 404 404 404
POST bookings:conversation-write     - 404 302 404 404 302 302 302 302 404 404 404 404
POST bookings:conversation-resolve   - 404 302 404 404 302 302 302 302 404 404 404 404
POST bookings:conversation-read      - 404 204 404 404 204 204 204 204 404 404 404 404
GET  bookings:conversation-propose   - 404 200 404 404 200 200 403 403 404 404 404 404
POST bookings:conversation-propose   - 404 302 404 404 302 302 403 403 404 404 404 404
POST bookings:comment-withdraw       - 404 302 404 404 403 403 403 403 404 404 404 404
POST bookings:proposal-answer        - 404 302 404 404 403 302 403 403 404 404 404 404
GET  bookings:comment-file           - 404 200 404 404 200 200 200 200 404 404 404 404
"""
API = """
GET    api-reservation-conversation   - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation   - 404 201 404 404 201 201 201 201 404 404 404 404
POST   api-reservation-conversation-resolve     - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation-reopen      - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
POST   api-reservation-proposals     - 404 201 404 404 201 201 403 403 404 404 404 404
GET    api-proposal                  - 404 200 404 404 200 200 200 200 404 404 404 404
GET    api-proposal-move             - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-proposal-accept           - 404 200 404 404 403 200 403 403 404 404 404 404
POST   api-proposal-decline          - 404 200 404 404 403 200 403 403 404 404 404 404
POST   api-comment-withdraw          - 404 200 404 404 403 403 403 403 404 404 404 404
GET    api-comment-file              - 404 200 404 404 200 200 200 200 404 404 404 404
GET    api-need-conversation         - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation         - 404 201 404 404 404 201 404 404 404 404 404 404
POST   api-need-conversation-resolve - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation-reopen  - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-sample-conversation         - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation         - 404 201 404 404 201 201 404 404 404 404 404 404
POST   api-sample-conversation-resolve - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation-reopen  - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-bid-conversation         - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-bid-conversation         - 404 201 404 404 201 201 404 404 404 404 404 404
POST   api-bid-conversation-resolve - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-bid-conversation-reopen  - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-bid-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"kind": "kind", "subject_id": "reservation", "comment_id": "comment", "proposal_id": "proposal"}
# And where an address means another.
THINGS = {
    ("bookings:comment-file", "file_id"): "comment-file",
    ("api-comment-file", "file_id"): "comment-file",
}
PAGE_BODIES = {
    "bookings:conversation-write": {"text": "Is the holder there?"},
    "bookings:conversation-resolve": {"act": "resolve"},
    "bookings:conversation-propose": {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00"},
    "bookings:proposal-answer": {"act": "accept"},
}
API_BODIES = {
    ("POST", "api-reservation-conversation"): {"text": "Is the holder there?"},
    ("POST", "api-need-conversation"): {"text": "Which steel?"},
    ("POST", "api-sample-conversation"): {"text": "Was it lost?"},
    ("POST", "api-bid-conversation"): {"text": "Is the holder there?"},
    ("POST", "api-reservation-proposals"): {
        "start": "2026-03-06T14:00:00+08:00",
        "end": "2026-03-06T16:00:00+08:00",
    },
}
