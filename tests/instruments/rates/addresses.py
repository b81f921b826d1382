"""The addresses of *rates*, as tests/architecture/permission_table.py reads them."""

API = """
GET    api-rate-cards              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-rate-cards                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-rate-card               404 404 404 404 404 200 404 404 200 200 404 404 404
PUT    api-rate-card                 - 404 404 404 404 200 404 404 403 403 404 404 404
DELETE api-rate-card                 - 404 404 404 404 204 404 404 403 403 404 404 404
"""
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {"version": "draft-card"}
API_BODIES = {
    ("POST", "api-rate-cards"): {
        "currency": "CNY",
        "valid_from": "2027-01-01",
        "rates": {"internal": "1.00"},
    },
    ("PUT", "api-rate-card"): {"currency": "CNY", "valid_from": "2027-01-01", "rates": {"internal": "1.00"}},
}
