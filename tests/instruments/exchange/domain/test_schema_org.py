"""A record in the words of schema.org."""

import json
from dataclasses import replace
from importlib.resources import files

import pytest

from instruments.exchange.domain.schema_org import Described, json_ld

MICROSCOPE = Described(
    page="https://commons.example/instruments/1/",
    name="Microscope",
    name_zh="显微镜",
    description="Images.",
    model="Titan",
    makers=["Thermo Fisher", ""],
    identifiers=[("DOI", "10.5072/1"), ("SerialNumber", "4711"), ("", "x")],
    techniques=["electron microscopy"],
    images=["https://commons.example/files/1/large/"],
    host="USTC",
    host_ror="04c4dkn09",
    facility="Centre",
    address="96 Jinzhai Road",
    position=("31.84", "117.26"),
    is_bookable=True,
)


def test_everything_that_is_known():
    found = json_ld(MICROSCOPE)
    assert (found["@type"], found["url"]) == ("Product", MICROSCOPE.page)
    assert found["alternateName"] == "显微镜"
    assert found["manufacturer"] == [{"@type": "Organization", "name": "Thermo Fisher"}]
    assert found["sameAs"] == ["https://doi.org/10.5072/1"]
    assert [i["propertyID"] for i in found["identifier"]] == ["DOI", "SerialNumber", "Other"]
    offer = found["offers"]
    assert offer["availability"] == "https://schema.org/InStock"
    assert offer["offeredBy"]["sameAs"] == "https://ror.org/04c4dkn09"
    assert offer["availableAtOrFrom"]["geo"]["latitude"] == "31.84"


def test_what_is_not_known_is_left_out():
    bare = replace(
        MICROSCOPE, name_zh="", description="", model="", makers=[], identifiers=[], techniques=[],
        images=[], host_ror="", address="", position=None, is_bookable=False,
    )  # fmt: skip
    assert json_ld(bare).keys() == {"@context", "@type", "@id", "url", "name", "offers"}
    offer = json_ld(bare)["offers"]
    assert offer["availability"] == "https://schema.org/OutOfStock"
    assert offer["availableAtOrFrom"] == {"@type": "Place", "name": "Centre"}


@pytest.fixture(scope="module")
def vocabulary():
    """What the published vocabulary of schema.org defines, by name; a library of others carries it."""
    text = (files("rocrate") / "data" / "schema.jsonld").read_text("utf-8")
    return {node["@id"]: node for node in json.loads(text)["@graph"]}


def named(node, key):
    values = node.get(key, [])
    return {value["@id"] for value in (values if isinstance(values, list) else [values])}


def kinds(vocabulary, name):
    """A class and all above it."""
    return {name}.union(*(kinds(vocabulary, above) for above in named(vocabulary[name], "rdfs:subClassOf")))


def wrong(vocabulary, node):
    """The properties of a node, and of those in it, that the vocabulary does not have for its class, or whose
    value is of another class."""
    mine = kinds(vocabulary, "schema:" + node["@type"])
    for key, value in node.items():
        if key.startswith("@"):
            continue
        told = vocabulary.get(f"schema:{key}", {})
        if not named(told, "schema:domainIncludes") & mine:
            yield node["@type"], key
        wanted = named(told, "schema:rangeIncludes")
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from wrong(vocabulary, each)
                fits = wanted & kinds(vocabulary, "schema:" + each["@type"])
            elif each.startswith("https://schema.org/"):
                fits = wanted & {vocabulary["schema:" + each.rpartition("/")[2]]["@type"]}
            else:  # an address stands for a thing
                fits = wanted & {"schema:Text", "schema:URL", "schema:Number"} or each.startswith("http")
            if not fits:
                yield key, str(each)


def test_the_vocabulary_has_every_word(vocabulary):
    assert list(wrong(vocabulary, json_ld(MICROSCOPE))) == []
    bad = json_ld(MICROSCOPE) | {"postalCode": "1", "offers": {"@type": "Place", "price": "1"}}
    assert {("Product", "postalCode"), ("Place", "price")} <= set(wrong(vocabulary, bad))
