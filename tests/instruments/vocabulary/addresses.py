"""The addresses of *vocabulary*, as tests/architecture/permission_table.py reads them."""

PAGES = """
GET  instruments:measurands        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:measurand         200 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:measurand           - 403 403 403 403 403 403 403 403 403 403 403 302
GET  instruments:measurand-new       - 403 403 403 403 403 403 403 403 403 403 403 200
POST instruments:measurand-new       - 403 403 403 403 403 403 403 403 403 403 403 302
"""
API = """
GET    api-technique               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-techniques              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-measurands              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-measurand               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-need-terms              200 200 200 200 200 200 200 200 200 200 200 200 200
"""
# And where an address means another.
THINGS = {
    ("api-technique", "code"): "technique",
    ("instruments:measurand", "code"): "measurand",
    ("api-measurand", "code"): "measurand",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {"api-need-terms": "?text=grain"}
PAGE_BODIES = {
    "instruments:measurand": {
        "version": "1",
        "name": "Grain size",
        "name_zh": "晶粒尺寸",
        "techniques": "PaNET01198",
    },
    "instruments:measurand-new": {
        "version": "0",
        "code": "texture",
        "name": "Texture",
        "name_zh": "织构",
        "techniques": "PaNET01198",
    },
}
