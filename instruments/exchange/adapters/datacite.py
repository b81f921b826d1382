"""Write records of DataCite 4.5 as XML. What is written here is never read here."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from instruments.exchange.domain.datacite import SCHEMA_VERSION
from instruments.exchange.domain.fields import speakable

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LOCATION = f"{SCHEMA_VERSION} http://schema.datacite.org/meta/kernel-4.5/metadata.xsd"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# List of the JSON -> its elements, and the property that is their text.
_LISTS = {
    "titles": ("title", "title"),
    "subjects": ("subject", "subject"),
    "dates": ("date", "date"),
    "alternateIdentifiers": ("alternateIdentifier", "alternateIdentifier"),
    "relatedIdentifiers": ("relatedIdentifier", "relatedIdentifier"),
    "descriptions": ("description", "description"),
}


def xml_of(record: Mapping[str, Any]) -> bytes:
    """Return a record, given as DataCite's JSON, as a `resource` element."""
    root = etree.Element(_tag("resource"), nsmap={None: SCHEMA_VERSION, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", _LOCATION)
    is_doi = "doi" in record
    _add(root, "identifier", record["doi" if is_doi else "url"], identifierType="DOI" if is_doi else "URL")
    creators = etree.SubElement(root, _tag("creators"))
    for item in record["creators"]:
        _party(etree.SubElement(creators, _tag("creator")), "creatorName", item)
    _list(root, "titles", record)
    _add(root, "publisher", record["publisher"]["name"])
    _add(root, "publicationYear", record["publicationYear"])
    kind = record["types"]
    _add(root, "resourceType", kind["resourceType"], resourceTypeGeneral=kind["resourceTypeGeneral"])
    _list(root, "subjects", record)
    contributors = etree.SubElement(root, _tag("contributors"))
    for item in record["contributors"]:
        element = etree.SubElement(contributors, _tag("contributor"))
        element.set("contributorType", item["contributorType"])
        _party(element, "contributorName", item)
    for name in ("dates", "alternateIdentifiers", "relatedIdentifiers", "descriptions"):
        _list(root, name, record)
    if rights := record.get("rightsList"):
        inner = etree.SubElement(root, _tag("rightsList"))
        for item in rights:
            _add(inner, "rights", "", rightsURI=item["rightsUri"])
    return bytes(etree.tostring(root, encoding="utf-8"))


def _tag(name: str) -> str:
    return f"{{{SCHEMA_VERSION}}}{name}"


def _add(parent: Any, name: str, text: str, **attributes: str) -> Any:
    element = etree.SubElement(parent, _tag(name))
    element.text = speakable(text)
    for key, value in attributes.items():
        element.set(_LANG if key == "lang" else key, speakable(value))
    return element


def _party(element: Any, name: str, item: Mapping[str, Any]) -> None:
    _add(element, name, item["name"], nameType=item["nameType"])
    for known in item.get("nameIdentifiers", ()):
        scheme = known["nameIdentifierScheme"]
        _add(element, "nameIdentifier", known["nameIdentifier"], nameIdentifierScheme=scheme)


def _list(root: Any, name: str, record: Mapping[str, Any]) -> None:
    if name not in record:
        return
    inner, (element, text) = etree.SubElement(root, _tag(name)), _LISTS[name]
    for item in record[name]:
        _add(inner, element, item[text], **{key: value for key, value in item.items() if key != text})
