"""UNIQUIP files, good and bad."""

import io

import pytest

from instruments.exchange.adapters import uniquip
from instruments.exchange.domain.imports import FacilityValues, RowValues
from instruments.reading.domain.delimited import FileRefused, RowProblem, read_records


def read(content: str | bytes, **options):
    raw = content.encode() if isinstance(content, str) else content
    return list(uniquip.rows_of(*read_records(io.BytesIO(raw), **options)))


def one(content: str) -> RowValues:
    ((_line, row),) = read(content)
    assert isinstance(row, RowValues)
    return row


def test_a_full_row():
    header = (
        "Type,Name,Description,Related Facility ID,Technique (:N8),Location,Contact Name,"
        "Contact Telephone,Contact URL,Contact Email,Secondary Contact Name,"
        "Secondary Contact Telephone,Secondary Contact URL,Secondary Contact Email,ID,Photo,"
        "Department,Site Location,Building,Service Level,Web Address"
    )
    cells = (
        "Equipment,SEM 1,<p>A &amp; B</p>,F1,Microscopy,https://en.wikipedia.org/wiki/X,"
        "Reception,01334 1,physics.example.ac.uk,mailto:sem@example.ac.uk,Someone,2,,s@x.org,"
        "E-1,https://example.ac.uk/p.jpg,Physics,North Haugh,Main building,Open to all,"
        "https://example.ac.uk/sem"
    )
    assert read(f"{header}\n{cells}\n") == [
        (
            2,
            RowValues(
                "E-1",
                {
                    "name": "SEM 1",
                    "description": "A & B\nService level: Open to all",
                    "landing_page": "https://example.ac.uk/sem",
                    "instrument_types": [{"name": "Microscopy"}],
                    "alternate_identifiers": [{"identifier": "E-1", "identifier_type": "InventoryNumber"}],
                    "room": "Main building",
                },
                FacilityValues(
                    "Physics",
                    "",
                    {
                        "address": "North Haugh",
                        "contact_name": "Reception",
                        "contact_email": "sem@example.ac.uk",
                        "contact_phone": "01334 1",
                        "website": "https://physics.example.ac.uk",
                    },
                ),
            ),
        )
    ]


def test_order_case_mark_and_further_columns_do_not_matter():
    row = one("\ufeffcolour, DEPARTMENT ,web_address,nAmE\nred,Physics,,SEM\n")
    assert (row.record["name"], row.facility.name) == ("SEM", "Physics")


def test_a_description_stands_in_for_a_name():
    row = one("Description,Department\nZEISS MICROSCOPE RP,Medicine\n")
    assert row.record["name"] == row.record["description"] == "ZEISS MICROSCOPE RP"
    row = one("Name,Description\nUNKNOWN,ZEISS MICROSCOPE\n")
    assert row.record["name"] == "ZEISS MICROSCOPE"


def test_a_name_made_of_a_long_description_is_cut_at_a_word():
    row = one("Description\n" + "word " * 100 + "\n")
    name = str(row.record["name"])
    assert len(name) <= 250
    assert name.endswith("word …")
    assert len(str(row.record["description"])) == 499


@pytest.mark.parametrize("description", ["UNKNOWN", "97108", "", "-", "n/a", "<br/>"])
def test_a_row_that_names_nothing_is_refused(description):
    content = f"Description,Department\n{description},Physics\n"
    assert read(content) == [(2, RowProblem("no-name"))]


def test_what_is_no_tag_stays():
    assert one("Name\nLaser <5 nm & more\n").record["name"] == "Laser <5 nm & more"


def test_a_facility_is_no_instrument():
    content = "Type,Name\nFacility,NMR centre\nEquipment,NMR 600\n"
    assert next(row for _line, row in read(content)) == RowProblem("facility-row")


def test_the_site_stands_in_for_a_department():
    row = one("Name,Site Location,Department\nSEM,North Haugh,N/A\n")
    assert row.facility.name == "North Haugh"


def test_rows_without_an_id_are_known_by_what_they_are_about():
    header = "Description,Department,Contact Telephone,Service Level,Technique\n"
    first = one(header + "SEM,Physics,1,,\n")
    assert first.repeats
    assert first.key.startswith("row-")
    assert one(header + "SEM,Physics,2,Open,X-ray\n").key == first.key
    assert one(header + "TEM,Physics,1,,\n").key != first.key
    assert one(header + "SEM,Chemistry,1,,\n").key != first.key


def test_two_columns_of_techniques_are_read_together():
    row = one("Name,Technique (:N8),Technique(:cpv)\nSEM,Microscopy,38510000\n")
    assert row.record["instrument_types"] == [{"name": "Microscopy"}, {"name": "38510000"}]


def test_columns_that_differ_only_in_their_remarks_are_duplicates():
    with pytest.raises(FileRefused) as caught:
        read("Name (long),Name (short)\nA,B\n")
    assert (caught.value.code, caught.value.numbers) == ("duplicate-header", {"column": "name"})


def test_a_file_without_names_and_descriptions_is_refused():
    with pytest.raises(FileRefused) as caught:
        read("Titel;Ort\nSEM;Hier\n")
    assert (caught.value.code, caught.value.numbers) == ("no-name-column", {"columns": "titel;ort"})


def test_bad_rows_are_refused_one_by_one():
    long = "x" * 81
    content = (
        f"Name,Building,Web Address\nA,{long},\nB,,javascript:x\nC\n,,\n"
        + f'D,{"y" * 10_001},\n"E"e,,\nF,1,\n'
    )
    problems = [(line, row.reason) for line, row in read(content) if isinstance(row, RowProblem)]
    assert problems == [
        (2, "too-long"),
        (4, "wrong-cells"),
        (5, "no-name"),
        (6, "cell-too-long"),
        (7, "malformed-quotes"),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"Name,Name\nA,B\n", "duplicate-header"),
        (b"Name\nM\xfcller\n", "not-text"),
        (b"Name\nA\x00\n", "nul-byte"),
        (b'Name\n"A\n', "unclosed-quote"),
    ],
)
def test_bad_files_are_refused_whole(content, code):
    with pytest.raises(FileRefused) as caught:
        read(content)
    assert caught.value.code == code


def test_another_encoding():
    ((_line, row),) = read("Name\nMüller-Mühle\n".encode("cp1252"), encoding="cp1252")
    assert isinstance(row, RowValues)
    assert row.record["name"] == "Müller-Mühle"
