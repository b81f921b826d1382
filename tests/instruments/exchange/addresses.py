"""The addresses of *exchange*, as tests/architecture/permission_table.py reads them."""

from tests.factories.imports import import_things

HARVEST_AT = {"rhythm": "daily", "hour": "3", "encoding": "utf-8", "hand_changes": "keep"}
HARVEST = {"name": "Register", "address": "https://x.example/list.csv", "format": "table"}

PAGES = """
GET  instruments:imports            - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:imports            - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:import             - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:import-columns     - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-terms       - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-to-columns  - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:import-undoing     - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:import-undo        - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:remembered-value-forget - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:import-photos      - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:import-photos      - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:import-capabilities - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:import-capabilities - 403 403 403 403 200 400 403 403 403 403 403 403
GET  instruments:import-template    - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:import-again       - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-apply       - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-cancel      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-mapping-delete   - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:harvests           - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:harvests           - 403 403 403 403 302 400 403 403 403 403 403 403
GET  instruments:harvest            - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:harvest            - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-fetch      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-pause      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-resume     - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-delete     - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:export             - 404 404 404 404 200 404 404 404 404 404 404 404
"""
API = """
GET    api-instrument-pidinst-xml   200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-datacite      200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-datacite-xml  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-provenance      - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-imports                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-imports                    - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-import                     - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-import-rows                - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-mapping             - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-terms               - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-to-columns          - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-import-undo                - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-undo                - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-remembered-values          - 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-remembered-value           - 404 404 404 404 204 404 404 404 404 404 404 404
POST   api-import-photos              - 415 415 415 415 415 415 415 415 415 415 415 415
POST   api-import-photos-matches      - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-import-capabilities        - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-import-template            - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-again               - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-apply               - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-cancel              - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-import-mappings            - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-import-mappings            - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-import-mapping-one         - 404 404 404 404 200 404 404 404 404 404 404 404
DELETE api-import-mapping-one         - 404 404 404 404 204 404 404 404 404 404 404 404
GET    api-harvests                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-harvests                   - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-harvest                    - 404 404 404 404 200 404 404 404 404 404 404 404
PUT    api-harvest                    - 404 404 404 404 200 404 404 404 404 404 404 404
DELETE api-harvest                    - 404 404 404 404 204 404 404 404 404 404 404 404
POST   api-harvest-fetch              - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-harvest-pause              - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-harvest-resume             - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-harvest-fetchings          - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-exports                    - 404 404 404 404 200 404 404 404 404 404 404 404
"""

# What the world of the tests has of it.
things = import_things
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "import_id": "import",
    "mapping_id": "mapping",
    "harvest_id": "harvest",
    "term_id": "import-term",
}
# And where an address means another.
THINGS = {
    ("instruments:harvest-resume", "harvest_id"): "paused-harvest",
    ("api-harvest-resume", "harvest_id"): "paused-harvest",
    ("instruments:import-columns", "import_id"): "unmapped",
    ("api-import-mapping", "import_id"): "unmapped",
    ("instruments:import-terms", "import_id"): "mapped-import",
    ("api-import-terms", "import_id"): "mapped-import",
    ("instruments:import-to-columns", "import_id"): "mapped-import",
    ("api-import-to-columns", "import_id"): "mapped-import",
    ("instruments:import-undoing", "import_id"): "done-import",
    ("instruments:import-undo", "import_id"): "done-import",
    ("api-import-undo", "import_id"): "done-import",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "instruments:export": "?organisation=ustc&format=uniquip",
    "api-exports": "?organisation=ustc&format=uniquip",
    "instruments:import-template": "?organisation=ustc&format=csv",
    "api-import-template": "?organisation=ustc&format=csv",
}
TABLE = "bnVtYmVyLHBhcmFtZXRlcgo="  # number,parameter
PAGE_BODIES = {
    "instruments:harvests": HARVEST | HARVEST_AT | {"organisation": "<ustc>"},
    "instruments:harvest": HARVEST | HARVEST_AT | {"organisation": "<ustc>"},
    "instruments:import-capabilities": {"act": "preview", "organisation": "<ustc>", "content": TABLE},
    "instruments:import-again": {"header_row": "1"},
    "instruments:import-terms": {"term-0": "dedicated"},
    "instruments:import-columns": {"name": "Lab", "key": "0", "column-1": "name"},
}
API_BODIES = {
    ("POST", "api-harvests"): HARVEST | {"organisation": "ustc"},
    ("PUT", "api-harvest"): HARVEST,
    ("POST", "api-imports"): {"organisation": "ustc", "format": "table", "content": "id,name\n1,SEM\n"},
    ("POST", "api-import-mapping"): {
        "name": "Lab",
        "content": {"source": "lab", "key": "nr", "fields": {"name": "device"}},
    },
    ("POST", "api-import-photos-matches"): {"organisation": "ustc", "names": ["A-1.jpg"]},
    ("POST", "api-import-capabilities"): {"organisation": "ustc", "file": TABLE},
    ("POST", "api-import-terms"): {"terms": [{"field": "kind", "value": "odd", "term": "dedicated"}]},
    ("POST", "api-import-mappings"): {
        "organisation": "ustc",
        "name": "Lab",
        "content": {"source": "lab", "key": "nr", "fields": {"name": "device"}},
    },
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "instruments:import-undoing": 60  # whether any table knows the instruments that would go
}
