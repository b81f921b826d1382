"""The addresses of *config*, as tests/architecture/permission_table.py reads them."""

from tests.factories.cast import Cast

PAGES = """
GET  robots                        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  healthz                       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  metrics                       404 404 404 404 404 404 404 404 404 404 404 404 404
GET  readyz                        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  readyz-web                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  components                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  docs                          200 200 200 200 200 200 200 200 200 200 200 200 200
GET  doc                           200 200 200 200 200 200 200 200 200 200 200 200 200
GET  doc-picture                   200 200 200 200 200 200 200 200 200 200 200 200 200
GET  mail                            - 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
GET    api-schema                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-docs                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-unknown                 404 404 404 404 404 404 404 404 404 404 404 404 404
"""
THINGS = {("doc", "name"): "doc", ("doc-picture", "name"): "doc-picture"}


def things(cast: Cast) -> dict[str, str]:
    return {"doc": "api", "doc-picture": "booking.png"}
