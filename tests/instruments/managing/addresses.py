"""The addresses of *managing*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:manage              - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:drafts              - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:drafts              - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:facilities          - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:facility-edit       - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:facility-edit       - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:facility-new        - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:facility-new        - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:instrument-new      - 403 200 200 200 200 200 403 403 403 403 403 403
POST instruments:instrument-new      - 403 400 400 400 400 400 403 403 403 403 403 403
GET  instruments:instrument-manage   - 403 403 200 403 200 403 403 403 403 403 403 403
GET  instruments:instrument-edit     - 403 403 403 403 200 403 403 403 403 403 403 403
GET  instruments:instrument-copy     - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:instrument-copy     - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:instrument-edit     - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:opening             - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:opening             - 403 403 403 403 409 403 403 403 403 403 403 403
GET  instruments:policy              - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:policy              - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:rate-cards          - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:rate-cards          - 403 403 403 403 400 403 403 403 403 403 403 403
POST instruments:rate-card-delete    - 404 404 404 404 302 404 404 403 403 404 404 404
POST instruments:confirm             - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:publication         - 404 404 302 404 302 404 404 403 403 403 404 404
"""
API = """
GET    api-facilities              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-facilities                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-facility                200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-facility                  - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-catalogue-records       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instrument-copy           - 403 403 403 403 201 403 403 403 403 403 403 403
PATCH  api-instrument                - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-instrument-pidinst      200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instrument-submit         - 404 404 200 404 200 404 404 403 403 403 404 404
POST   api-instrument-return         - 404 404 403 404 200 404 404 403 403 403 404 404
POST   api-instrument-confirm        - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-instrument-publish        - 404 404 403 404 200 404 404 403 403 403 404 404
POST   api-instrument-suspend        - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-instrument-retire         - 404 404 403 404 200 404 404 403 403 403 404 404
"""
# And where an address means another.
THINGS = {
    ("instruments:publication", "instrument_id"): "draft",
    ("api-instrument-publish", "instrument_id"): "draft",
    ("api-instrument-submit", "instrument_id"): "draft",
    ("api-instrument-return", "instrument_id"): "submitted",
    ("api-instrument-retire", "instrument_id"): "draft",
}
PAGE_BODIES = {
    "instruments:publication": {"act": "submit", "version": "", "reason": ""},
    "instruments:instrument-copy": {"name": "Second"},
}
API_BODIES = {
    ("POST", "api-facilities"): {"organisation": "ustc", "name": "Second site", "time_zone": "Asia/Shanghai"},
    ("PATCH", "api-facility"): {"contact_name": "test"},
    ("PATCH", "api-instrument"): {"room": "101"},
    ("POST", "api-instrument-copy"): {"name": "Second"},
}
