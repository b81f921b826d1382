"""The addresses of *house_rules*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:house-rules       200 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:house-rules         - 302 302 302 302 302 302 302 302 302 302 302 302
GET  instruments:house-rules-edit    - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:house-rules-edit    - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:facility-house-rules  - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:facility-house-rules  - 403 403 403 403 302 403 403 403 403 403 403 403
"""
API = """
GET    api-house-rules             200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-house-rules               - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-house-rules-versions    200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-house-rules-accept        - 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-facility-house-rules      - 403 403 403 403 200 403 403 403 403 403 403 403
"""
# And where an address means another.
THINGS = {
    ("instruments:house-rules", "instrument_id"): "ruled",
    ("instruments:house-rules-edit", "instrument_id"): "ruled",
    ("api-house-rules", "instrument_id"): "ruled",
    ("api-house-rules-accept", "instrument_id"): "ruled",
}
PAGE_BODIES = {
    "instruments:house-rules": {"house_rules": "1"},
    "instruments:house-rules-edit": {"version": "1", "text": "test"},
    "instruments:facility-house-rules": {"text": "test"},
}
API_BODIES = {
    ("PUT", "api-house-rules"): {"text": "test"},
    ("PUT", "api-facility-house-rules"): {"text": "test"},
    ("POST", "api-house-rules-accept"): {"version": 1},
}
