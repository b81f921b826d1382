"""A record in the words of schema.org."""

from dataclasses import replace

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
