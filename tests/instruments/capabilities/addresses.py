"""The addresses of *capabilities*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:capabilities        - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:capabilities        - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:capability          - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:capability          - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:capability-remove   - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:question-ask        - 302 302 302 302 302 302 302 302 302 302 302 302
GET  instruments:questions           - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:question            - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:question            - 404 404 404 404 302 404 404 404 404 404 404 404
"""
API = """
GET    api-capabilities            200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-capabilities              - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-capability              200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-capability                - 403 403 403 403 200 403 403 403 403 403 403 403
DELETE api-capability                - 403 403 403 403 204 403 403 403 403 403 403 403
POST   api-instrument-questions      - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-questions                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-question                  - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-question-answer           - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-parameters              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-parameter               200 200 200 200 200 200 200 200 200 200 200 200 200
"""
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"capability_id": "capability", "question_id": "question"}
# And where an address means another.
THINGS = {("api-parameter", "code"): "parameter"}
PAGE_BODIES = {
    "instruments:capabilities": {"parameter": "magnification", "maximum": "100000"},
    "instruments:capability": {"maximum": "20", "unit": "kV"},
    "instruments:question": {"minimum": "2"},
    "instruments:question-ask": {"parameter": "spatial_resolution"},
}
API_BODIES = {
    ("POST", "api-capabilities"): {"parameter": "magnification", "maximum": "100000"},
    ("PATCH", "api-capability"): {"maximum": "20"},
    ("POST", "api-instrument-questions"): {"parameter": "spatial_resolution"},
    ("POST", "api-question-answer"): {"is_available": False},
}
