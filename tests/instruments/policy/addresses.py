"""The addresses of *policy*, as tests/architecture/permission_table.py reads them."""

from tests.factories.blocks import block
from tests.factories.cast import Cast

PAGES = """
POST instruments:block-lift          - 403 404 404 404 302 404 404 404 404 404 404 404
"""
API = """
GET    api-policy                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-policy-versions         200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-policy                    - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-blocks                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-blocks                    - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-block                     - 200 404 404 404 200 404 404 404 404 404 404 404
POST   api-block-lift                - 403 404 404 404 200 404 404 404 404 404 404 404
"""
ARGUMENTS = {"block_id": "block"}
PAGE_BODIES = {"instruments:block-lift": {"reason": "test"}}
API_BODIES = {
    ("PUT", "api-policy"): {"slot_minutes": 60},
    ("POST", "api-blocks"): {
        "host": "ustc",
        "user": "<member>",
        "reason": "test",
        "contact": "zhao@ustc.example",
        "last_day": "2026-04-01",
    },
    ("POST", "api-block-lift"): {"reason": "test"},
}


def things(cast: Cast) -> dict[str, str]:
    return {"block": str(block(cast, "alice").pk)}
