"""Describe a record in the terms of schema.org, which search engines and data catalogues read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# PIDINST's types of identifiers -> the beginning of an address that resolves them.
_RESOLVERS = {"DOI": "https://doi.org/", "Handle": "https://hdl.handle.net/"}


@dataclass(frozen=True)
class Described:
    """The facts of an instrument that its page gives to machines. `identifiers` are (type, value); `position`
    is latitude and longitude in degrees."""

    page: str
    name: str
    name_zh: str
    description: str
    model: str
    makers: Sequence[str]
    identifiers: Sequence[tuple[str, str]]
    techniques: Sequence[str]
    images: Sequence[str]
    host: str
    host_ror: str
    facility: str
    address: str
    position: tuple[str, str] | None
    is_bookable: bool


def json_ld(described: Described) -> dict[str, Any]:
    """Return the instrument as a schema.org `Product` that is leased out, without empty properties."""
    host = {"@type": "Organization", "name": described.host}
    if described.host_ror:
        ror = described.host_ror
        host["sameAs"] = ror if ror.startswith("http") else f"https://ror.org/{ror}"
    product = {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": described.page,
        "url": described.page,
        "name": described.name,
        "alternateName": described.name_zh if described.name_zh != described.name else "",
        "description": described.description,
        "image": list(described.images),
        "model": described.model,
        "manufacturer": [{"@type": "Organization", "name": maker} for maker in described.makers if maker],
        "category": list(described.techniques),
        "identifier": [
            {"@type": "PropertyValue", "propertyID": kind or "Other", "value": value}
            for kind, value in described.identifiers
        ],
        "sameAs": [
            value if value.startswith("http") else _RESOLVERS[kind] + value
            for kind, value in described.identifiers
            if kind in _RESOLVERS
        ],
        "offers": {
            "@type": "Offer",
            "url": described.page,
            "businessFunction": "http://purl.org/goodrelations/v1#LeaseOut",
            "availability": "https://schema.org/" + ("InStock" if described.is_bookable else "OutOfStock"),
            "offeredBy": host,
            "availableAtOrFrom": _place(described),
        },
    }
    return {name: value for name, value in product.items() if value}


def _place(described: Described) -> dict[str, Any]:
    place: dict[str, Any] = {"@type": "Place", "name": described.facility}
    if described.address:
        place["address"] = described.address
    if described.position:
        latitude, longitude = described.position
        place["geo"] = {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude}
    return place
