"""The addresses of *samples*, as tests/architecture/permission_table.py reads them."""

from bookings.models import SampleReceiving
from tests.factories.cast import Cast

PAGES = """
GET  bookings:sample-items           - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:sample-new             - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:sample-new             - 400 302 302 302 403 403 403 403 400 400 400 400
GET  bookings:sample-queue           - 403 403 403 403 200 200 403 403 403 403 403 403
POST bookings:sample-steps           - 404 403 404 404 302 409 404 404 404 404 404 404
POST bookings:sample-own-steps       - 404 302 404 404 409 302 404 404 404 404 404 404
GET  bookings:sample-labels          - 404 200 404 404 200 200 404 404 404 404 404 404
POST bookings:sample-labels          - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:sample-item            - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:sample-change          - 404 200 404 404 404 200 404 404 404 404 404 404
POST bookings:sample-change          - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-step            - 404 302 404 404 409 302 404 404 404 404 404 404
POST bookings:sample-join            - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-join-many       - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-photo-new       - 404 400 404 404 400 400 404 404 404 404 404 404
GET  bookings:sample-receiving       - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:sample-receiving       - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:sample-photo-remove    - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:sample-sheet           - 404 302 404 404 404 302 404 404 404 404 404 404
GET  bookings:sample-sheet-file      - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:sample-photo           - 404 200 404 404 200 200 404 404 404 404 404 404
"""
API = """
GET    api-samples                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-samples                     - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-sample                      - 404 200 404 404 200 200 404 404 404 404 404 404
PUT    api-sample                      - 404 200 404 404 404 200 404 404 404 404 404 404
PATCH  api-sample                      - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-sample-steps                - 404 200 404 404 409 200 404 404 404 404 404 404
POST   api-sample-join                 - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-sample-leave                - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-samples-steps               - 404 409 404 404 200 409 404 404 404 404 404 404
GET    api-sample-receiving            - 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-sample-receiving            - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-sample-sheet                - 415 415 415 415 415 415 415 415 415 415 415 415
DELETE api-sample-sheet                - 404 204 404 404 404 204 404 404 404 404 404 404
GET    api-sample-sheet-file           - 404 200 404 404 200 200 404 404 404 404 404 404
GET    api-sample-labels               - 404 200 404 404 200 200 404 404 404 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-sample-steps                 409 sample-step
POST   api-samples-steps                409 sample-step
"""


RECEIVING = {"recipient": "Sample office", "address": "96 Jinzhai Road, Hefei"}


def things(cast: Cast) -> dict[str, str]:
    """Let the facility of the test's world say how it receives samples."""
    SampleReceiving.objects.create(facility=cast.facility, **RECEIVING)
    return {}


# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"reservation_id": "reservation", "item_id": "sample-item", "photo_id": "sample-photo"}
THINGS = {
    ("bookings:sample-sheet", "sample_id"): "sample-item",
    ("bookings:sample-sheet-file", "file_id"): "sample-sheet",
    ("bookings:sample-sheet-file", "size"): "size-of-document",
    ("api-sample-sheet-file", "file_id"): "sample-sheet",
    ("api-sample-sheet-file", "size"): "size-of-document",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "bookings:sample-labels": "?layout=sheet&sample=<sample-item>",
    "api-sample-labels": "?samples=<sample-item>",
}

SAMPLE_ITEM = {"name": "Film", "afterwards": "return"}
PAGE_BODIES = {
    "bookings:sample-new": SAMPLE_ITEM,
    "bookings:sample-change": SAMPLE_ITEM,
    "bookings:sample-receiving": {"version": "1", **RECEIVING},
    "bookings:sample-own-steps": {"state": "shipped", "sample": ["<sample-item>"]},
    "bookings:sample-steps": {"state": "received", "condition": "intact", "sample": ["<sample-item>"]},
    "bookings:sample-labels": {"layout": "roll", "sample": ["<sample-item>"]},
    "bookings:sample-step": {"state": "shipped"},
    "bookings:sample-sheet": {"act": "remove"},
    "bookings:sample-join": {"act": "join", "booking": "<reservation>"},
    "bookings:sample-join-many": {"sample": ["<sample-item>"]},
}
API_BODIES = {
    ("POST", "api-samples"): SAMPLE_ITEM,
    ("PUT", "api-sample"): SAMPLE_ITEM,
    ("PATCH", "api-sample"): {"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    ("PUT", "api-sample-receiving"): RECEIVING,
    ("POST", "api-sample-steps"): {"state": "shipped"},
    ("POST", "api-samples-steps"): {"state": "received", "samples": ["<sample-item>"]},
    ("POST", "api-sample-join"): {"reservation": "<reservation>"},
    ("POST", "api-sample-leave"): {"reservation": "<reservation>"},
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:sample-item": 9  # its steps, photos, bookings and conversation
}
