"""The command: what it says, and with which exit code."""

import importlib
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

import instruments
from accounts.models import Organisation, Region, TrailEntry
from instruments.exchange import messages
from instruments.exchange.services import jobs
from instruments.register.models import Facility, Instrument

command = importlib.import_module("instruments.management.commands.import_instruments")

MAPPING = "source: lab\nkey: no\nfields: {name: device, room: room}\n"


@pytest.fixture
def organisation(db: None) -> Organisation:
    region = Region.objects.create(
        scheme="ISO 3166-2", code="GB-SCT", name="Scotland", time_zone="Europe/London",
        currency="GBP", shares=True,
    )  # fmt: skip
    return Organisation.objects.create(code="hill", name="Hill University", kind="university", region=region)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("Name,Building\nSEM,B1\n,B2\nTEM\n", encoding="utf-8")
    return path


def run(capsys, *arguments) -> list[str]:
    call_command("import_instruments", *map(str, arguments))
    return capsys.readouterr().out.splitlines()


def refused(*arguments) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("import_instruments", *map(str, arguments))
    assert caught.value.returncode == 2
    assert not Instrument.objects.exists()
    assert not TrailEntry.objects.exists()
    return str(caught.value)


def test_it_counts_and_names_each_refused_row(organisation, file, capsys):
    assert run(capsys, file, "--organisation", "hill") == [
        "3 rows: 1 created, 0 changed, 0 unchanged, 2 refused.",
        "line 3: no-name - it has no usable name or description",
        "line 4: wrong-cells - its number of cells (1) differs from that of the header (2)",
    ]
    assert Instrument.objects.get().name == "SEM"


def test_a_dry_run_says_the_same_and_writes_nothing(organisation, file, capsys):
    dry = run(capsys, file, "--organisation", "hill", "--dry-run")
    assert dry[-1] == "Dry run: nothing was saved."
    assert not Instrument.objects.exists()
    assert not Facility.objects.exists()
    assert run(capsys, file, "--organisation", "hill") == dry[:-1]


def test_a_table_needs_no_more_than_its_mapping(organisation, tmp_path, capsys):
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "t.csv").write_bytes("no,device,room\n1,Müller,\n2,y,\n2,x,\n".encode("cp1252"))
    lines = run(
        capsys, tmp_path / "t.csv", "--organisation", "hill", "--mapping", tmp_path / "map.yaml",
        "--encoding", "cp1252", "--facility", " Instrument  centre ",
    )  # fmt: skip
    assert lines == [
        "3 rows: 1 created, 0 changed, 0 unchanged, 2 refused.",
        "line 3: key-comes-again - its key 2 is used again on line 4",
        "line 4: duplicate-key - its key 2 is already used on line 3",
    ]
    instrument = Instrument.objects.select_related("facility").get()
    assert (instrument.name, instrument.source) == ("Müller", "table:lab")
    assert instrument.facility.name == "Instrument centre"


def test_what_stays_is_said(organisation, tmp_path, file, capsys):
    run(capsys, file, "--organisation", "hill")
    file.write_text("Name,Building\nAFM,B1\n", encoding="utf-8")
    assert run(capsys, file, "--organisation", "hill") == [
        "1 rows: 1 created, 0 changed, 0 unchanged, 0 refused.",
        "1 instruments from earlier imports are not among the accepted rows of this file; "
        "they do not change.",
    ]


def test_a_stray_quotation_mark_is_pointed_at(organisation, file, capsys):
    file.write_text('Name,Building\nSEM,"B1\nTEM,"B2\nAFM,B3\n', encoding="utf-8")
    assert run(capsys, file, "--organisation", "hill")[1] == (
        "line 2: malformed-quotes - its quotation marks do not match; it runs on to line 3, "
        "perhaps from a stray quotation mark"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b",\nA,B\n", "The file has no header: its first line should name the columns."),
        (b"Name,name\nA,B\n", "Two columns are called name."),
        (b"Titel\nA\n", "The file has no column Name or Description; its columns are: titel."),
        (
            b"Name\nM\xfcller\n",
            "The file is not utf-8 text: byte 6 cannot be read. "
            "Say how it is encoded, for instance cp1252 or gb18030.",
        ),
        (
            b"Name\x00\n",
            "Line 1 has a NUL byte, so this is not a text file. Save a spreadsheet as CSV or XLSX first.",
        ),
        (b"PK\x03\x04\x00", "The file is not a readable workbook (XLSX): it is damaged or locked."),
        (b'Name\nA\n"B\nC\n', "The quotation mark opened on line 3 is never closed."),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(organisation, file, content, sentence):
    file.write_bytes(content)
    assert refused(file, "--organisation", "hill") == sentence


def test_a_file_that_is_too_large(organisation, file, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_BYTES", 10)
    assert refused(file, "--organisation", "hill") == "The file is larger than 50 MB."


def test_what_is_not_there_is_refused(organisation, file, tmp_path):
    assert refused(file, "--organisation", "dale") == "There is no organisation dale."
    there = ("--organisation", "hill")
    assert refused(tmp_path, *there) == f"There is no file {tmp_path}."
    assert refused(tmp_path / "x.csv", *there) == f"There is no file {tmp_path / 'x.csv'}."
    assert refused(file, *there, "--mapping", "none") == (
        "There is no mapping none; the platform's own are: emsl, pnnl, xas."
    )
    assert refused(file, *there, "--mapping", "pnnl") == (
        "The mapping names a column that the file does not have: instrument_id."
    )
    assert refused(file, *there, "--encoding", "klingon") == ("There is no character encoding klingon.")


def test_options_that_do_not_fit(organisation, file):
    there = ("--organisation", "hill")
    assert refused(file, *there, "--format", "table") == ("Map the columns: the table needs a mapping.")
    assert refused(file, *there, "--format", "uniquip", "--mapping", "pnnl") == (
        "Only --format table takes a --mapping."
    )
    assert "200 characters" in refused(file, *there, "--facility", "x" * 201)


def test_another_import_under_way_is_said(organisation, file, monkeypatch):
    def busy(*_by, **_options):
        raise OperationalError from LockNotAvailable()

    monkeypatch.setattr(command, "import_start", busy)
    assert refused(file, "--organisation", "hill") == (
        "The organisation's records are in use, perhaps by another import: try again later."
    )


def test_every_code_has_a_sentence():
    code = re.compile(r'(?:(?:FileRefused|RowProblem)\(\s*|(?="undo-))"([a-z-]+)"')
    root = Path(instruments.__file__).parent
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("*/domain", "*/adapters", "*/services", "management/commands")
        for path in sorted(root.glob(f"{folder}/*.py"))
    )
    known = messages.FILE_SENTENCES.keys() | messages.ROW_SENTENCES.keys()
    raised = set(code.findall(source))
    assert known <= raised <= known | messages.REFUSALS.keys()
