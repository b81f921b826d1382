"""The addresses of *opening*, as tests/architecture/permission_table.py reads them."""

API = """
GET    api-opening-hours           200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-opening-hours             - 403 403 403 403 200 403 403 403 403 403 403 403
"""
API_BODIES = {
    ("PUT", "api-opening-hours"): {
        "weekly": [{"weekday": 1, "opens": "08:00", "closes": "12:00"}],
        "overrides": [],
        "observes_holidays": False,
    }
}
