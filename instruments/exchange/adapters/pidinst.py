"""Read and write PIDINST 1.0 records as XML or JSON, one record or many, checked against the schema files.

Many records are an array in JSON, and children of a root element of any name in XML. They are read one by
one, so the file may be as large as any upload, and a single record up to a million characters.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, BinaryIO
from xml.parsers import expat

import jsonschema
from lxml import etree

from instruments.exchange.domain.fields import speakable
from instruments.exchange.domain.imports import Row
from instruments.exchange.domain.pidinst import pidinst_values
from instruments.reading.domain.delimited import MAX_BYTES, MAX_ROWS, FileRefused, RowProblem

SOURCE = "pidinst"
SCHEMAS = Path(__file__).parent / "schemas"
MAX_RECORD = 1_000_000
MAX_AROUND, _AROUND = 1000, 10  # elements around records: of a file, and of each record
_DEEPEST = 12
_CHUNK = 1 << 16
_LISTS = {
    "owners": "owner",
    "manufacturers": "manufacturer",
    "instrumentTypes": "instrumentType",
    "measuredVariables": "measuredVariable",
    "dates": "date",
    "relatedIdentifiers": "relatedIdentifier",
    "alternateIdentifiers": "alternateIdentifier",
}
_SPACE = " \t\r\n"


def read(stream: BinaryIO, *, site: str) -> Iterator[Row]:
    """Yield the records of a file, numbered from 1. `site` is the address of this platform, by which records
    that it exported itself are recognised.

    `FileRefused`: file-too-large, empty-file, not-pidinst, not-text, xml-doctype, xml-too-deep, xml-too-many,
    xml-malformed, json-malformed, record-too-large, too-many-rows.
    """
    if stream.seek(0, 2) > MAX_BYTES:
        raise FileRefused("file-too-large", most=MAX_BYTES // 1000)
    stream.seek(0)
    start = stream.read(1024).removeprefix(codecs.BOM_UTF8).lstrip()
    stream.seek(0)
    if not start:
        raise FileRefused("empty-file")
    if start[:1] in (b"{", b"["):
        return _numbered(_json_records(stream), _json_problem, site)
    if start[:1] == b"<" or start[:2] in (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE):
        _check_xml(stream)
        stream.seek(0)
        return _numbered(_xml_records(stream), lambda record: None, site)
    raise FileRefused("not-pidinst")


def _numbered(records: Iterator[Any], problem_of: Any, site: str) -> Iterator[Row]:
    for number, record in enumerate(records, start=1):
        if number > MAX_ROWS:
            raise FileRefused("too-many-rows", most=MAX_ROWS)
        if isinstance(record, RowProblem):
            yield number, record
        else:
            yield number, problem_of(record) or pidinst_values(record, site=site)


# JSON


@cache
def _validator() -> Any:
    schema = json.loads((SCHEMAS / "pidinst-schema-1_0.schema.json").read_text("utf-8"))
    return jsonschema.Draft7Validator(schema)


def _json_problem(record: Any) -> RowProblem | None:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, written as an escape
        return RowProblem("schema", {"where": "the record", "problem": "a lone surrogate"})
    error = jsonschema.exceptions.best_match(_validator().iter_errors(record))
    if error is None:
        return None
    where = error.json_path.removeprefix("$.").removeprefix("$") or "the record"
    return RowProblem("schema", {"where": where[:80], "problem": _short(error.message)})


def _short(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:80]} … {message[-60:]}"


def _json_records(stream: BinaryIO) -> Iterator[Any]:
    """Yield the one object of a file, or those of its array, as soon as each is decoded."""
    text = TextIOWrapper(stream, encoding="utf-8-sig")
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    buffer, at_end, is_array, is_first = "", False, None, True
    try:
        while True:
            buffer = buffer.lstrip(_SPACE)
            if is_array is None and buffer:
                is_array = buffer[0] == "["
                buffer = buffer[1:].lstrip(_SPACE) if is_array else buffer
            if is_array and buffer and not is_first and buffer[0] == ",":
                buffer = buffer[1:].lstrip(_SPACE)
                if buffer[:1] == "]" or (not buffer and at_end):
                    raise FileRefused("json-malformed")
            if is_array and buffer[:1] == "]":
                if (buffer[1:] + text.read(_CHUNK)).strip(_SPACE):
                    raise FileRefused("json-malformed")
                return
            try:
                record, end = decoder.raw_decode(buffer) if buffer else (None, 0)
            except RecursionError:
                raise FileRefused("json-malformed") from None
            except ValueError:
                end = 0
            rest = buffer[end:].lstrip(_SPACE)
            # A number or word may continue in the part that has not been read yet; an object has an end.
            if end and (rest or at_end or buffer[end - 1] in "}]"):
                if not rest and not at_end and is_array:
                    more = text.read(_CHUNK)
                    at_end, rest = not more, more.lstrip(_SPACE)
                if is_array and rest[:1] not in (",", "]"):
                    raise FileRefused("json-malformed")
                if not is_array and (rest + text.read(_CHUNK)).strip(_SPACE):
                    raise FileRefused("json-malformed")
                yield record
                if not is_array:
                    return
                buffer, is_first = rest, False
                continue
            if at_end or len(buffer) > MAX_RECORD:
                code = "json-malformed" if at_end else "record-too-large"
                raise FileRefused(code, **({} if at_end else {"most": MAX_RECORD}))
            more = text.read(_CHUNK)
            at_end, buffer = not more, buffer + more
            if "\0" in more:
                raise FileRefused("json-malformed")
    except UnicodeDecodeError as error:
        raise FileRefused("not-text", encoding="utf-8", offset=error.start) from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


# XML


@cache
def _schema() -> Any:
    return etree.XMLSchema(etree.parse(SCHEMAS / "pidinst-schema-1_0.xsd"))


def _check_xml(stream: IO[bytes]) -> None:
    """Read the whole file once without keeping anything. Raise `FileRefused` for a document type (which alone
    can define entities), for nesting that is too deep, and for records that are too many or too large."""
    parser = expat.ParserCreate()
    depth, begun, records, others, is_inside = 0, 0, 0, 0, False

    def doctype(*_args: Any) -> None:
        raise FileRefused("xml-doctype")

    def start(name: str, _attributes: Any) -> None:
        nonlocal depth, begun, records, others, is_inside
        depth += 1
        if depth > _DEEPEST:
            raise FileRefused("xml-too-deep", most=_DEEPEST)
        if name.rpartition(":")[2] == "instrument":
            begun, is_inside, records = parser.CurrentByteIndex, True, records + 1
        elif not is_inside:
            others += 1  # these stay in memory, while records are read one by one
            if others > MAX_AROUND + _AROUND * records:
                raise FileRefused("xml-too-many", most=MAX_AROUND)

    def end(name: str) -> None:
        nonlocal depth, is_inside
        depth -= 1
        if name.rpartition(":")[2] == "instrument":
            measure()
            is_inside = False

    def measure(*_args: Any) -> None:
        if begun and parser.CurrentByteIndex - begun > MAX_RECORD:
            raise FileRefused("record-too-large", most=MAX_RECORD)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = measure
    try:
        parser.ParseFile(stream)
    except expat.ExpatError as error:
        raise FileRefused("xml-malformed", line=error.lineno) from None
    except (LookupError, ValueError):
        raise FileRefused("xml-malformed", line=1) from None


def _xml_records(stream: BinaryIO) -> Iterator[Any]:
    """Yield each `instrument` element, checked against the schema, in the shape of its JSON."""
    events = etree.iterparse(
        stream,
        events=("end",),
        tag="{*}instrument",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    count = 0
    try:
        for _event, element in events:
            count += 1
            yield _xml_record(element)
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise FileRefused("xml-malformed", line=error.lineno or 1) from None
    if not count:
        raise FileRefused("not-pidinst")


def _xml_record(element: Any) -> Any:
    for node in element.iter():
        node.tag = etree.QName(node).localname  # the schema has no namespace
    etree.cleanup_namespaces(element)  # or a default one would be written again
    alone = etree.fromstring(etree.tostring(element, with_tail=False), _plain_parser())
    schema = _schema()
    if not schema.validate(alone):
        error = schema.error_log[0]
        where = re.sub(r"^/instrument/?", "", error.path or "") or "the record"
        return RowProblem("schema", {"where": where[:80], "problem": _short(error.message)})
    return _from_xml(alone)


def _plain_parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _from_xml(root: Any) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for child in root:
        if child.tag in _LISTS:
            record[child.tag] = [_item(item) for item in child]
        else:
            has_parts = child.tag in ("identifier", "model")
            record[child.tag] = _item(child) if has_parts else _text(child)
    return record


def _item(element: Any) -> Any:
    """Convert an element: one with child elements to a dict of them, one with attributes to a dict of these
    and its text (under the element's name), any other to its text."""
    if len(element):
        return {child.tag: _item(child) for child in element}
    if element.attrib or element.tag == "date":
        return {element.tag: _text(element), **element.attrib}
    return _text(element)


def _text(element: Any) -> str:
    return (element.text or "").strip()


def xml_of(record: Mapping[str, Any], namespace: str = "") -> bytes:
    """Return one record, given in the shape of its JSON, as an `instrument` element. The schema has no
    namespace; where elements must have one, they can be given it."""
    root = etree.Element("instrument")
    for name, value in record.items():
        if name in _LISTS:
            inner = etree.SubElement(root, name)
            for item in value:
                _put(inner, _LISTS[name], item)
        else:
            _put(root, name, value)
    if namespace:
        alone, root = root, etree.Element("instrument", nsmap={None: namespace})
        root.extend(alone)
        for element in root.iter():
            element.tag = f"{{{namespace}}}{element.tag}"
    return bytes(etree.tostring(root, encoding="utf-8", pretty_print=True))


def _put(parent: Any, name: str, value: Any) -> None:
    element = etree.SubElement(parent, name)
    if not isinstance(value, Mapping):
        element.text = speakable(str(value))
        return
    for key, inner in value.items():
        if key == name:
            element.text = speakable(str(inner))
        elif isinstance(inner, Mapping) or key in _ELEMENTS:
            _put(element, key, inner)
        else:
            element.set(key, speakable(str(inner)))


# In other elements the name is an attribute.
_ELEMENTS = {"ownerName", "ownerContact", "manufacturerName", "modelName", "instrumentTypeName"}
