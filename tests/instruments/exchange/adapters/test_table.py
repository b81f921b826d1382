"""Tables through mappings: the files of mappings, and bad ones."""

import io
from pathlib import Path

import pytest

from instruments.exchange.adapters import table
from instruments.exchange.domain.imports import RowValues
from instruments.exchange.domain.mappings import parse_mapping
from instruments.reading.domain.delimited import FileRefused, RowProblem, read_records

MAPPING = """
source: lab
key: no
delimiter: ;
fields:
  name: device
  kind: {column: state, values: {on: general, off: dedicated, 1: general}}
opening_hours: {column: hours, opens: 08:00, weekdays: [1, 2, 3, 4, 5]}
"""


def load(folder: Path, content: str | bytes) -> table.TableMapping:
    path = folder / "mapping.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return parse_mapping(table.load_entries(str(path)))


def read(content: bytes, mapping: table.TableMapping):
    records = read_records(io.BytesIO(content), delimiter=mapping.delimiter)
    return table.rows_of(mapping, *records)


def test_words_that_yaml_takes_for_numbers_and_booleans_stay_words(tmp_path):
    mapping = load(tmp_path, MAPPING)
    content = b"No;Device;State;Hours\n1;SEM;off;10\n2;TEM;1;24\n3;AFM;maybe;\n"
    (first, second, third) = [row for _line, row in read(content, mapping)]
    assert isinstance(first, RowValues)
    assert isinstance(second, RowValues)
    assert (first.key, first.record) == ("1", {"name": "SEM", "kind": "dedicated"})
    assert first.hours is not None
    assert first.hours["weekly"][0] == {"weekday": 1, "opens": "08:00", "closes": "18:00"}
    assert second.record["kind"] == "general"
    assert third == RowProblem("bad-value", {"field": "kind", "value": "maybe"})
    assert table.source_of(mapping) == "table:lab"


@pytest.mark.parametrize("path", sorted(table.MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_platform_s_own_mappings_are_sound(path):
    mapping = parse_mapping(table.load_entries(path.stem))
    assert mapping.source == path.stem
    assert len(table.source_of(mapping)) <= 40


@pytest.mark.parametrize(
    ("name", "code"), [("nothing-like-it", "no-mapping"), ("../../secret", "no-mapping"), ("/", "no-mapping")]
)
def test_a_mapping_that_is_not_there(name, code):
    with pytest.raises(FileRefused) as caught:
        table.load_entries(name)
    assert caught.value.code == code
    assert caught.value.numbers["known"] == "emsl, pnnl, xas"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("source: [", "mapping-unreadable"),
        (b"\xff\xfe\xff", "mapping-unreadable"),
        ("a: !!python/object:os.system x", "mapping-unknown-entry"),
        ("x: " + "[" * 3000, "mapping-unreadable"),
        ("#" * 100_001, "mapping-unreadable"),
        ("", "mapping-bad-entry"),
        ("- a\n- b\n", "mapping-bad-entry"),
        ("{[a]: b}", "mapping-unreadable"),
    ],
)
def test_a_mapping_that_is_no_mapping(tmp_path, content, code):
    with pytest.raises(FileRefused) as caught:
        load(tmp_path, content)
    assert caught.value.code == code


def test_a_column_the_table_lacks_refuses_the_file(tmp_path):
    with pytest.raises(FileRefused) as caught:
        read(b"no;device;state\n1;SEM;on\n", load(tmp_path, MAPPING))
    assert (caught.value.code, caught.value.numbers) == ("mapping-absent-column", {"column": "hours"})


def test_unreadable_rows_pass_through(tmp_path):
    content = b"no;device;state;hours\n1;SEM\n"
    rows = list(read(content, load(tmp_path, MAPPING)))
    assert rows == [(2, RowProblem("wrong-cells", {"cells": 2, "columns": 4}))]
