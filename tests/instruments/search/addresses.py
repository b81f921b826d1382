"""The addresses of *search*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:techniques        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:technique         200 200 200 200 200 200 200 200 200 200 200 200 200
"""
# And where an address means another.
THINGS = {("instruments:technique", "code"): "technique"}
