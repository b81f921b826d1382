"""Write the answers of OAI-PMH 2.0 as XML, and read the lists of other repositories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from lxml import etree

from instruments.exchange.domain.fields import speakable
from instruments.reading.domain.delimited import FileRefused

_OAI = "http://www.openarchives.org/OAI/2.0/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_ELEMENTS = "http://purl.org/dc/elements/1.1/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Header:
    """The header of a record, and its metadata as XML if they are asked for and it is not deleted."""

    identifier: str
    datestamp: str
    sets: Sequence[str]
    is_deleted: bool
    metadata: bytes | None = None


def _tag(name: str) -> str:
    return f"{{{_OAI}}}{name}"


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    element = etree.SubElement(parent, _tag(name))
    if text:
        element.text = speakable(text)
    for key, value in attributes.items():
        element.set(key, speakable(value))
    return element


def answer(base: str, at: str, arguments: Mapping[str, str], content: Iterable[Any]) -> bytes:
    """Return an answer given at a second of UTC to a request with these arguments. `base`: the address of the
    repository; `content`: elements of the functions below."""
    root = etree.Element(_tag("OAI-PMH"), nsmap={None: _OAI, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{_OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd")
    _add(root, "responseDate", at)
    _add(root, "request", base, **arguments)
    root.extend(content)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def error(code: str, message: str) -> Any:
    element = etree.Element(_tag("error"), code=code)
    element.text = message
    return element


def identify(name: str, base: str, mail: str, earliest: str) -> Any:
    element = etree.Element(_tag("Identify"))
    _add(element, "repositoryName", name)
    _add(element, "baseURL", base)
    _add(element, "protocolVersion", "2.0")
    _add(element, "adminEmail", mail)
    _add(element, "earliestDatestamp", earliest)
    _add(element, "deletedRecord", "persistent")
    _add(element, "granularity", "YYYY-MM-DDThh:mm:ssZ")
    return element


def metadata_formats(formats: Mapping[str, tuple[str, str]]) -> Any:
    element = etree.Element(_tag("ListMetadataFormats"))
    for prefix, (schema, namespace) in formats.items():
        inner = _add(element, "metadataFormat")
        _add(inner, "metadataPrefix", prefix)
        _add(inner, "schema", schema)
        _add(inner, "metadataNamespace", namespace)
    return element


def sets(named: Iterable[tuple[str, str]]) -> Any:
    element = etree.Element(_tag("ListSets"))
    for spec, name in named:
        inner = _add(element, "set")
        _add(inner, "setSpec", spec)
        _add(inner, "setName", name)
    return element


def records(verb: str, rows: Iterable[Header], token: str | None = None, cursor: int = 0) -> Any:
    """Return the answer to GetRecord, ListIdentifiers or ListRecords. `token` is empty on the last part of a
    list that came in parts, None if it came whole."""
    element = etree.Element(_tag(verb))
    for row in rows:
        parent = element if verb == "ListIdentifiers" else _add(element, "record")
        header = _add(parent, "header", **({"status": "deleted"} if row.is_deleted else {}))
        _add(header, "identifier", row.identifier)
        _add(header, "datestamp", row.datestamp)
        for name in row.sets:
            _add(header, "setSpec", name)
        if row.metadata is not None:
            _add(parent, "metadata").append(etree.fromstring(row.metadata, _parser()))
    if token is not None:
        _add(element, "resumptionToken", token, cursor=str(cursor))
    return element


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def dublin_core_xml(told: Iterable[tuple[str, str, str]]) -> bytes:
    """Return elements of Dublin Core, with their texts and languages, as an `oai_dc:dc` element."""
    root = etree.Element(f"{{{_DC}}}dc", nsmap={"oai_dc": _DC, "dc": _ELEMENTS, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{_DC} http://www.openarchives.org/OAI/2.0/oai_dc.xsd")
    for name, text, language in told:
        element = etree.SubElement(root, f"{{{_ELEMENTS}}}{name}")
        element.text = speakable(text)
        if language:
            element.set(_LANG, language)
    return bytes(etree.tostring(root, encoding="utf-8"))


def is_list(stream: BinaryIO) -> bool:
    """Say whether a file is an answer of OAI-PMH, by its first element."""
    stream.seek(0)
    start = stream.read(4096)
    stream.seek(0)
    return b"OAI-PMH" in start and _OAI.encode() in start


def copy_records(stream: BinaryIO, out: BinaryIO, name: str) -> str:
    """Write the metadata elements called `name` in one part of a list to a file, and return the token of the
    next part; empty after the last. `FileRefused`: xml-doctype, xml-malformed, not-pidinst."""
    token = ""
    events = etree.iterparse(
        stream,
        events=("end",),
        tag=(f"{{*}}{name}", _tag("record"), _tag("resumptionToken"), _tag("error")),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _event, element in events:
            if element.getroottree().docinfo.internalDTD is not None:
                raise FileRefused("xml-doctype")
            if element.tag == _tag("error"):
                raise FileRefused("not-pidinst")
            if element.tag == _tag("resumptionToken"):
                token = (element.text or "").strip()
            elif element.tag == _tag("record"):
                element.clear()  # what is written need not be kept
            else:
                out.write(etree.tostring(element, with_tail=False) + b"\n")
    except etree.XMLSyntaxError as error:
        raise FileRefused("xml-malformed", line=error.lineno or 1) from None
    return token
