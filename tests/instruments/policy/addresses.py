"""The addresses of *policy*, as tests/architecture/permission_table.py reads them."""

API = """
GET    api-policy                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-policy-versions         200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-policy                    - 403 403 403 403 200 403 403 403 403 403 403 403
"""
API_BODIES = {("PUT", "api-policy"): {"slot_minutes": 60}}
