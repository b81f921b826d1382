"""The addresses of *results*, as tests/architecture/permission_table.py reads them."""

from tests.factories.cast import Cast
from tests.factories.collecting import collecting_things
from tests.factories.results import result_things

PAGES = """
GET  bookings:result-package          - 404 200 404 404 200 200 403 403 403 404 404 404
GET  bookings:result-file             - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:result-link             - 404 302 404 404 302 302 403 403 403 404 404 404
POST bookings:result-link-revoke      - 404 302 404 404 302 302 404 404 404 404 404 404
POST bookings:result-confirm          - 404 302 404 404 403 302 403 403 403 404 404 404
POST bookings:result-keep             - 404 302 404 404 302 302 403 403 403 404 404 404
POST bookings:result-keep-answer      - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-hold             - 404 403 404 404 302 403 403 403 302 404 404 302
POST bookings:result-lift             - 404 403 404 404 403 403 403 403 409 404 404 404
GET  bookings:collect               200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:collect-package       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:collect-file          200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:results                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:result                 - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:result-upload          - 404 403 404 404 200 403 403 403 403 404 404 404
POST bookings:result-file-remove     - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-seal            - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-release         - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-point           - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-withdraw        - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-announce        - 404 403 404 404 302 403 403 403 403 404 404 404
GET  bookings:result-terms           - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:result-terms           - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:result-storage         - 403 403 403 403 200 403 403 403 403 403 403 200
POST bookings:result-storage-change  - 403 403 403 403 403 403 403 403 403 403 403 302
"""
API = """
GET    api-result-package            - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-result-content            - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-result-receipts           - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-result-confirm            - 404 200 404 404 403 200 403 403 403 404 404 404
POST   api-result-keep               - 404 403 404 404 204 403 403 403 403 404 404 404
POST   api-result-keep-requests      - 404 201 404 404 403 201 403 403 403 404 404 404
POST   api-result-hold               - 404 403 404 404 204 403 403 403 204 404 404 204
DELETE api-result-hold               - 404 403 404 404 403 403 403 403 409 404 404 409
GET    api-result-links              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-result-links              - 404 201 404 404 201 201 403 403 403 404 404 404
GET    api-result-link               - 404 200 404 404 200 200 404 404 404 404 404 404
DELETE api-result-link               - 404 204 404 404 204 204 404 404 404 404 404 404
GET    api-keep-requests             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-keep-request-decide       - 404 403 404 404 200 403 403 403 403 404 404 404
GET    api-results                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-results                   - 404 403 404 404 201 403 403 403 403 404 404 404
GET    api-result                    - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-result-files              - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-result-seal               - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-release            - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-point              - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-withdraw           - 404 403 404 404 200 403 403 403 403 404 404 404
GET    api-result-terms            200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-result-terms              - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-result-storages           - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-result-storage            - 404 404 404 404 404 200 404 404 404 404 404 200
PATCH  api-result-storage            - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-uploads                   - 400 400 400 400 400 400 400 400 400 400 400 400
HEAD   api-upload                    - 404 403 404 404 200 403 403 403 403 404 404 404
PATCH  api-upload                    - 404 403 404 404 415 403 403 403 403 404 404 404
DELETE api-upload                    - 404 403 404 404 204 403 403 403 403 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
DELETE api-result-hold                  409 not-on-hold
"""


def things(cast: Cast) -> dict[str, str]:
    """What the world of the tests has of it."""
    return {**collecting_things(cast), **result_things(cast)}


# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"hand_off_id": "expected-results"}
# And where an address means another.
THINGS = {
    ("bookings:result-package", "hand_off_id"): "released-result",
    ("bookings:result-file", "hand_off_id"): "released-result",
    ("bookings:result-link", "hand_off_id"): "released-result",
    ("bookings:result-confirm", "hand_off_id"): "released-result",
    ("bookings:result-keep", "hand_off_id"): "released-result",
    ("bookings:result-hold", "hand_off_id"): "released-result",
    ("bookings:result-lift", "hand_off_id"): "released-result",
    ("api-result-package", "hand_off_id"): "released-result",
    ("api-result-content", "hand_off_id"): "released-result",
    ("api-result-receipts", "hand_off_id"): "released-result",
    ("api-result-confirm", "hand_off_id"): "released-result",
    ("api-result-keep", "hand_off_id"): "released-result",
    ("api-result-keep-requests", "hand_off_id"): "released-result",
    ("api-result-hold", "hand_off_id"): "released-result",
    ("bookings:result-file", "file_id"): "released-file",
    ("api-result-content", "file_id"): "released-file",
    ("bookings:collect-file", "file_id"): "released-file",
    ("bookings:result-link-revoke", "link_id"): "result-link",
    ("api-result-link", "link_id"): "result-link",
    ("bookings:collect", "token"): "collect-token",
    ("bookings:collect-package", "token"): "collect-token",
    ("bookings:collect-file", "token"): "collect-token",
    ("bookings:result-keep-answer", "request_id"): "keep-request",
    ("api-keep-request-decide", "request_id"): "keep-request",
    ("bookings:result-seal", "hand_off_id"): "uploading-results",
    ("api-result-seal", "hand_off_id"): "uploading-results",
    ("bookings:result-file-remove", "hand_off_id"): "uploading-results",
    ("bookings:result-release", "hand_off_id"): "sealed-results",
    ("api-result-release", "hand_off_id"): "sealed-results",
}
PAGE_BODIES = {
    "bookings:result-point": {"protocol": "sftp", "host": "data.example", "path": "/runs/1"},
    "bookings:result-withdraw": {"reason": "test"},
    "bookings:result-terms": {"due_days": "7", "keep_days": "30", "modes": "entrusted"},
    "bookings:result-storage-change": {"quota": "10"},
    "bookings:result-link": {"label": "Li", "days": "3"},
    "bookings:result-confirm": {"manifest_digest": "<manifest>"},
    "bookings:result-keep": {"days": "30"},
    "bookings:result-keep-answer": {"act": "grant"},
    "bookings:result-hold": {"reason": "dispute"},
}
API_BODIES = {
    # Of a piece that is none: a body must be of the protocol's own type.
    ("POST", "api-uploads"): "",
    ("PATCH", "api-upload"): "",
    ("POST", "api-result-confirm"): {"manifest_digest": "<manifest>"},
    ("POST", "api-result-keep"): {"days": 30},
    ("POST", "api-result-keep-requests"): {"days": 30},
    ("POST", "api-result-hold"): {"reason": "dispute"},
    ("POST", "api-result-links"): {
        "result": "<released-result>",
        "label": "Li",
        "expires_at": "2026-03-20T00:00:00Z",
    },
    ("POST", "api-keep-request-decide"): {"grant": True},
    ("POST", "api-results"): {"reservation": "<reservation>"},
    ("POST", "api-result-point"): {"protocol": "sftp", "host": "data.example", "path": "/runs/1"},
    ("POST", "api-result-withdraw"): {"reason": "test"},
    ("PUT", "api-result-terms"): {"due_days": 7, "keep_days": 30, "modes": ["entrusted"]},
    ("PATCH", "api-result-storage"): {"quota": 10},
}
