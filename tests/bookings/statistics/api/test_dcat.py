"""What can be downloaded, as portals of open data read it."""

import pytest
from django.test import Client

from bookings.statistics.domain.dcat import DataSet, Download, dcat_catalogue

NEEDED = {
    "dcat:Catalog": {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"},
    "dcat:Dataset": {"dct:title", "dct:description", "dcat:distribution"},
    "dcat:Distribution": {"dcat:accessURL"},
    "dcat:DataService": {"dct:title", "dcat:endpointURL"},
    "foaf:Agent": {"foaf:name"},
}


def nodes(value):
    """Every node of a document that says what it is."""
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, dict):
        if "@type" in value:
            yield value
        for inner in value.values():
            yield from nodes(inner)


@pytest.mark.django_db
def test_everything_listed_is_there_for_strangers(shared_cast, settings):
    answer = Client().get("/api/v1/dcat/")
    assert answer["Content-Type"] == "application/ld+json" and "public" in answer["Cache-Control"]
    catalogue = answer.json()
    prefixes = catalogue["@context"]
    names = []
    for node in nodes(catalogue):
        assert NEEDED[node["@type"]] <= {key for key, value in node.items() if value}, node
        assert all(key[0] == "@" or key.partition(":")[0] in prefixes for key in node)
        names.append(node["@id"])
    assert len(names) == len(set(names))
    addresses = [
        node[key]["@id"]
        for node in nodes(catalogue)
        for key in ("dcat:accessURL", "dcat:endpointURL", "dcat:landingPage", "dcat:endpointDescription")
        if key in node
    ]
    assert len(addresses) > 15
    for address in addresses:
        assert address.startswith(settings.SITE_URL)
        assert Client().get(address.removeprefix(settings.SITE_URL)).status_code == 200, address
    titles = {t["@language"] for one in catalogue["dcat:dataset"] for t in one["dct:title"]}
    assert titles == {"en", "zh"}


@pytest.mark.django_db
def test_a_licence_is_named_where_the_installation_states_one(shared_cast, settings):
    assert "dct:license" not in Client().get("/api/v1/dcat/").content.decode()
    settings.OPEN_DATA_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
    for node in nodes(Client().get("/api/v1/dcat/").json()):
        is_licensed = node["@type"] in {"dcat:Catalog", "dcat:Distribution", "dcat:DataService"}
        assert (node.get("dct:license") == {"@id": settings.OPEN_DATA_LICENCE}) is is_licensed


def test_texts_that_are_empty_are_left_out():
    one = DataSet(
        "a", {"en": "A", "zh": ""}, {"en": "B"}, "https://x/a", [Download("https://x/a", "CSV", "text/csv")]
    )
    told = dcat_catalogue("https://x/dcat", "https://x", {"en": "X", "zh": ""}, {"en": "Y"}, [one])
    assert told["dct:title"] == [{"@value": "X", "@language": "en"}]
    assert told["dcat:service"] == []
    assert told["dcat:dataset"][0]["dct:title"] == [{"@value": "A", "@language": "en"}]
