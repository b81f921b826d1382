"""Imports as stored jobs: bad files, hand-made changes, stopping and going on."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import openpyxl
import pytest

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from bookings.organisations.services.duplicates import duplicates_merge
from instruments.exchange.domain.fields import suggested_fields
from instruments.exchange.domain.imports import Result
from instruments.exchange.models import Import, ImportChunk, ImportMapping, ImportRow
from instruments.exchange.selectors.imports import load_provenance, load_report
from instruments.exchange.services import jobs
from instruments.exchange.services import jobs as import_jobs
from instruments.managing.services.registry import instrument_update
from instruments.reading.domain import delimited
from instruments.register.models import Facility, Instrument, Provenance
from tests.factories.cast import NOW, Cast
from tests.factories.imports import bring, keep

pytestmark = pytest.mark.django_db
HEAD = "id,name,room,manufacturers\n"
BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
ENTITIES = f"{BOMB}<x/>".encode()
EXTERNAL = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(content: bytes, name: str, part: bytes) -> bytes:
    """A workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for info in old.infolist():
            new.writestr(info.filename, part if info.filename == name else old.read(info))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = workbook(["id", "name"], ["1", "SEM"])
RECORD = {
    "identifier": {"identifier": "1", "identifierType": "Handle"},
    "schemaVersion": "1.0",
    "landingPage": "https://example.org/1",
    "name": "SEM",
    "owners": [{"ownerName": "Hill"}],
    "manufacturers": [{"manufacturerName": "Zeiss"}],
}


def record(identifier: str, *related: tuple[str, str], **changes: Any) -> dict[str, Any]:
    own = {"identifier": {"identifier": identifier, "identifierType": "Handle"}}
    relations = [
        {"relatedIdentifier": to, "relatedIdentifierType": "Handle", "relationType": relation}
        for relation, to in related
    ]
    return RECORD | own | {"relatedIdentifiers": relations} | changes


BAD = {
    "wrong encoding": ("table", HEAD.encode() + b"1,M\xfcller,,\n", "not-text"),
    "one endless line": ("table", b"id,name\n1," + b"x" * 1_100_000, "line-too-long"),
    "NUL": ("table", b"id,name\n1,\x00\n", "nul-byte"),
    "no table": ("uniquip", b"\x89PNG\r\n\x1a\n" + bytes(range(128, 256)), "not-text"),
    "a zip that is no workbook": ("table", b"PK\x03\x04" + b"x" * 100, "not-a-workbook"),
    "zip bomb": ("table", repacked(PLAIN, SHEET, b"<x>" + b" " * 30_000_000 + b"</x>"), "zip-bomb"),
    "entities in a workbook": ("table", repacked(PLAIN, SHEET, ENTITIES), "xml-doctype"),
    "an abyss in a workbook": ("table", repacked(PLAIN, SHEET, b"<x>" * 90), "xml-too-deep"),
    "entities": ("pidinst", f"{BOMB}<instrument><name>&b;</name></instrument>", "xml-doctype"),
    "a file from outside": ("pidinst", f"{EXTERNAL}<instrument>&a;</instrument>", "xml-doctype"),
    "an abyss": ("pidinst", "<a>" * 50, "xml-too-deep"),
    "broken XML": ("pidinst", "<instrument><name></instrument>", "xml-malformed"),
    "other XML": ("pidinst", "<html><p/></html>", "not-pidinst"),
    "broken JSON": ("pidinst", '[{"name": 1}, {"name"', "json-malformed"),
    "deep JSON": ("pidinst", "[" * 100_000, "json-malformed"),
    "more than JSON": ("pidinst", "{} {}", "json-malformed"),
    "a giant record": ("pidinst", '{"name": "' + "x" * 1_200_000, "record-too-large"),
    "no PIDINST": ("pidinst", "name,id\n", "not-pidinst"),
    "columns twice": ("table", "id,name,Name\n1,2,3\n", "duplicate-header"),
    "a quote without an end": ("table", 'id,name\n1,"SEM\n2,TEM\n', "unclosed-quote"),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(shared_cast: Cast) -> Cast:
    return shared_cast


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_its_reason_and_nothing_is_written(home: Cast, what: str) -> None:
    format, content, code = BAD[what]
    before = Instrument.objects.count(), Facility.objects.count()
    given = content.encode() if isinstance(content, str) else content
    job = keep(home.ustc.pk, given, format=format)
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem["code"]) == ("refused", code)
    assert not ImportRow.objects.filter(job=job).exists()
    assert (Instrument.objects.count(), Facility.objects.count()) == before


def test_a_file_too_large_is_not_even_kept(home: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(import_jobs, "MAX_BYTES", 10)
    with pytest.raises(delimited.FileRefused):
        keep(home.ustc.pk, b"x" * 11)
    assert not Import.objects.exists() or not ImportChunk.objects.filter(job__size=0).exists()


def read(home: Cast, content: Any, format: str = "table", **options: Any) -> Import:
    """A file read, to be looked at."""
    given = content.encode() if isinstance(content, str) else content
    job = keep(home.ustc.pk, given, format=format, **options)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    return job


def problems(job: Import) -> list[tuple[int, str]]:
    refused = job.rows.filter(result="refused").order_by("position")
    return [(row.line, row.problem["code"]) for row in refused]


def test_marks_of_unicode_are_no_text(home: Cast) -> None:
    for content in (b"\xef\xbb\xbf" + HEAD.encode() + b"1,SEM,,\n", (HEAD + "1,SEM,,\n").encode("utf-16")):
        job = read(home, content)
        assert (job.counts["created"], job.counts["refused"]) == (1, 0)
    as_json = read(home, b"\xef\xbb\xbf" + json.dumps(RECORD).encode(), "pidinst")
    assert as_json.counts["created"] == 1


def test_a_formula_is_neither_computed_nor_believed(home: Cast) -> None:
    job = read(home, workbook(["id", "name"], ["1", '=HYPERLINK("x","SEM")'], ["2", "TEM"]))
    assert problems(job) == [(2, "formula-cell")]
    assert job.counts["created"] == 1
    # In text it is text, and leaves as text (test_formats).
    job = read(home, 'id,name\n1,"=HYPERLINK(""x"",""SEM"")"\n')
    assert job.rows.get().name == '=HYPERLINK("x","SEM")'


def test_both_rows_of_a_key_are_refused(home: Cast) -> None:
    job = read(home, HEAD + "1,SEM,,\n2,TEM,,\n1,AFM,,\n")
    assert problems(job) == [(2, "key-comes-again"), (4, "duplicate-key")]
    assert job.counts == {"created": 1, "changed": 0, "unchanged": 0, "refused": 2}


def test_relations_in_a_circle_are_refused(home: Cast) -> None:
    records = [
        record("a", ("IsComponentOf", "b")),
        record("b", ("IsComponentOf", "c")),
        record("c", ("IsComponentOf", "a"), ("HasComponent", "b")),
        record("d", ("IsComponentOf", "a")),  # leads into the circle, lies on none
        record("e", ("HasComponent", "f")),
        record("f", ("IsComponentOf", "e")),  # one relation, told from both sides
    ]
    job = read(home, json.dumps(records), "pidinst")
    assert problems(job) == [(n, "cyclic-relation") for n in (1, 2, 3)]


def test_half_a_character_is_refused_in_whatever_way_it_is_written(home: Cast) -> None:
    half = json.dumps([RECORD, record("2")]).replace('"SEM"', '"SEM \\ud800"', 1)
    assert problems(read(home, half, "pidinst")) == [(1, "schema")]
    for encoding in ("unicode_escape", "utf-7", "idna"):
        job = keep(home.ustc.pk, b"id,name\n1,\\ud800+2AA-\n", format="table", encoding=encoding)
        jobs.imports_work(now=NOW)
        job.refresh_from_db()
        assert (job.state, job.problem["code"]) == ("refused", "unknown-encoding")


def test_a_record_that_does_not_fit_the_schema_is_refused_alone(home: Cast) -> None:
    wrong = {name: value for name, value in RECORD.items() if name != "owners"}
    job = read(home, json.dumps([wrong, RECORD, 7]), "pidinst")
    assert problems(job) == [(1, "schema"), (3, "schema")]
    xml = "<x><instrument><name>SEM</name></instrument></x>"
    assert problems(read(home, xml, "pidinst")) == [(1, "schema")]


def merged(home: Cast, keeper: Instrument, loser: Instrument) -> None:
    duplicates_merge(By(home.actor("zhao"), NOW), keeper_id=keeper.pk, loser_id=loser.pk, note="twice")


def test_what_was_merged_away_is_followed_or_reported(home: Cast) -> None:
    bring(home.ustc.pk, (HEAD + "1,SEM,B1,\n2,SEM again,B1,\n3,TEM,B2,\n").encode(), format="table")
    first, second, third = Instrument.objects.filter(source_key__in="123").order_by("source_key")
    merged(home, home.microscope, third)  # it was entered by hand: its source has no other row
    waiting = read(home, HEAD + "2,SEM anew,B5,\n")
    merged(home, first, second)  # after the preview
    job = read(home, HEAD + "1,SEM,B1,\n2,SEM again,B5,\n3,TEM,B9,\n", hand_changes="overwrite")
    assert problems(job) == [(3, "merged-away")]
    assert job.rows.get(key="2").problem["numbers"] == {"into": "SEM", "key": "2"}
    assert job.rows.get(key="3").instrument == home.microscope
    assert job.absent == 0
    for one in (waiting, job):
        jobs.import_apply(By(PLATFORM, NOW), import_id=one.pk)
        jobs.import_carry_out(import_id=one.pk, now=NOW)
    assert problems(waiting) == [(2, "merged-away")]
    load_report(waiting)
    for gone, was in ((second, "SEM again"), (third, "TEM")):
        gone.refresh_from_db()
        assert (gone.name, gone.publication) == (was, "retired")
    first.refresh_from_db()
    home.microscope.refresh_from_db()
    assert (first.room, home.microscope.room) == ("B1", "B9")
    # An export of before names both by their ids.
    old = read(home, HEAD + f"{home.microscope.pk},TEM,B7,\n{third.pk},old,B8,\n")
    assert problems(old) == [(3, "merged-away")]


def by_hand(home: Cast, instrument: Instrument, **changes: Any) -> None:
    instrument_update(
        By(home.actor("zhao"), NOW), instrument_id=instrument.pk, changes=changes, techniques=None
    )


def test_what_a_person_wrote_stays_and_the_preview_says_so(home: Cast) -> None:
    bring(home.ustc.pk, (HEAD + "1,SEM,B1,Zeiss\n").encode(), format="table")
    instrument = Instrument.objects.get(source_key="1")
    by_hand(home, instrument, room="B2")
    assert {f.field: f.origin.by for f in load_provenance(instrument)} == {
        "name": "import",
        "manufacturers": "import",
        "room": "hand",
        "facility": "import",
    }
    # The source says the same as ever: nothing to report.
    assert read(home, HEAD + "1,SEM,B1,Zeiss\n").counts["unchanged"] == 1
    # It says something new of what a person wrote, and of what nobody did.
    job = read(home, HEAD + "1,SEM 2,B3,Zeiss\n")
    assert job.rows.get().differences == [
        {"field": "name", "before": "SEM", "after": "SEM 2"},
        {"field": "room", "before": "B2", "after": "B3", "kept": "by-hand", "is_kept": True},
    ]
    assert (job.counts["changed"], job.kept) == (1, 1)
    jobs.import_apply(By(PLATFORM, NOW), import_id=job.pk)
    jobs.import_carry_out(import_id=job.pk, now=NOW)
    instrument.refresh_from_db()
    assert (instrument.name, instrument.room) == ("SEM 2", "B2")
    # Told to, it goes before the hand; then it is the import's.
    bring(
        home.ustc.pk, (HEAD + "1,SEM 2,B3,Zeiss\n").encode(), format="table",
        hand_changes="overwrite",
    )  # fmt: skip
    instrument.refresh_from_db()
    assert instrument.room == "B3"
    origin = Provenance.objects.get(instrument=instrument).fields["room"]
    assert (origin["by"], origin["line"]) == ("import", 2)


def test_what_a_person_writes_between_preview_and_import_stays(home: Cast) -> None:
    bring(home.ustc.pk, (HEAD + "1,SEM,B1,Zeiss\n").encode(), format="table")
    job = read(home, HEAD + "1,SEM,B9,Zeiss\n")
    instrument = Instrument.objects.get(source_key="1")
    by_hand(home, instrument, room="B2")
    jobs.import_apply(By(PLATFORM, NOW), import_id=job.pk)
    jobs.import_carry_out(import_id=job.pk, now=NOW)
    instrument.refresh_from_db()
    assert instrument.room == "B2"
    job.refresh_from_db()
    assert (job.counts["unchanged"], job.kept) == (1, 1)


def test_what_a_format_cannot_say_is_kept(home: Cast) -> None:
    """A table knows makers by name alone: their identifiers stay."""
    zeiss = {"name": "Zeiss", "identifier": "Q1", "identifier_type": "Wikidata"}
    bring(home.ustc.pk, (HEAD + "1,SEM,B1,Zeiss\n").encode(), format="table")
    instrument = Instrument.objects.get(source_key="1")
    Instrument.objects.filter(pk=instrument.pk).update(manufacturers=[zeiss])
    bring(home.ustc.pk, (HEAD + "1,SEM,B1,Zeiss; Jeol\n").encode(), format="table")
    instrument.refresh_from_db()
    assert instrument.manufacturers == [zeiss, {"name": "Jeol"}]


def test_a_table_of_strange_columns_waits_until_they_are_named(home: Cast) -> None:
    job = read(home, "Nr;Gerät;Raum\n1;REM;B1\n")
    assert job.state == "unmapped"
    assert job.columns[1] == {"name": "gerät", "samples": ["REM"]}
    mapping = {
        "source": "lab", "key": "nr", "delimiter": ";", "fields": {"name": "gerät", "room": "raum"},
    }  # fmt: skip
    for actor in (home.actor("wang"), home.actor("chen")):
        with pytest.raises(NotFound):
            jobs.import_map(By(actor, NOW), import_id=job.pk, mapping=mapping, name="Lab")
    jobs.import_map(By(home.actor("zhao"), NOW), import_id=job.pk, mapping=mapping, name="Lab")
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.source, job.mapping_name) == ("ready", "table:lab", "Lab")
    assert job.rows.get().name == "REM"


def test_an_import_is_applied_once_and_cancelled_before(home: Cast) -> None:
    job = read(home, HEAD + "1,SEM,,\n")
    before = Instrument.objects.count()
    jobs.import_cancel(By(home.actor("zhao"), NOW), import_id=job.pk)
    for act in (jobs.import_apply, jobs.import_cancel):
        with pytest.raises(WrongState):
            act(By(home.actor("zhao"), NOW), import_id=job.pk)
    assert Instrument.objects.count() == before
    actions = TrailEntry.objects.filter(object_id=job.pk).order_by("id")
    assert [entry.action for entry in actions] == ["import.start", "import.cancel"]


def test_who_no_longer_manages_no_longer_writes(home: Cast) -> None:
    job = keep(home.ustc.pk, (HEAD + "1,SEM,,\n").encode(), actor=home.actor("zhao"), format="table")
    jobs.imports_work(now=NOW)
    jobs.import_apply(By(home.actor("zhao"), NOW), import_id=job.pk)
    home.people["zhao"].role_grants.update(revoked_at=NOW)
    before = Instrument.objects.count()
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem["code"]) == ("refused", "not-permitted")
    assert Instrument.objects.count() == before


class Killed(BaseException):
    """What no handler of ours catches."""


@pytest.mark.parametrize("step", ["reading", "applying"])
def test_a_worker_that_dies_half_way_is_taken_over(home: Cast, monkeypatch: Any, step: str) -> None:
    monkeypatch.setattr(import_jobs, "BATCH", 3)
    content = HEAD + "".join(f"{n},SEM {n},,\n" for n in range(10)) + "3,again,,\n"
    job = keep(home.ustc.pk, content.encode(), format="table")
    if step == "applying":
        jobs.imports_work(now=NOW)
        jobs.import_apply(By(PLATFORM, NOW), import_id=job.pk)
    name = "rows_decide" if step == "reading" else "rows_store"
    whole = getattr(import_jobs, name)
    calls = itertools.count(1)

    def dies(*args: Any, **options: Any) -> Any:
        if next(calls) == 3:
            raise Killed
        return whole(*args, **options)

    before = Instrument.objects.count()
    monkeypatch.setattr(import_jobs, name, dies)
    with pytest.raises(Killed):
        jobs.imports_work(now=NOW)
    job.refresh_from_db()
    if step == "reading":
        assert (job.state, job.read_rows) == ("reading", 6)
        assert Instrument.objects.count() == before
    else:
        assert (job.state, job.done_rows) == ("applying", 6)
        assert Instrument.objects.count() == before + 5  # one of the six is refused
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    if step == "reading":
        assert (job.state, job.counts["created"]) == ("ready", 9)
        assert problems(job) == [(5, "key-comes-again"), (12, "duplicate-key")]
        assert [row.position for row in job.rows.order_by("position")] == list(range(1, 12))
    else:
        assert (job.state, job.counts[Result.CREATED.value]) == ("done", 9)
        assert Instrument.objects.count() == before + 9


def test_one_that_fails_again_and_again_ends(home: Cast, monkeypatch: Any) -> None:
    def fails(*args: Any, **options: Any) -> Iterator[Any]:
        raise RuntimeError

    monkeypatch.setattr(import_jobs, "load_rows", fails)
    job = keep(home.ustc.pk, HEAD.encode(), format="table")
    for days in range(7):  # each time it waits longer
        jobs.imports_work(now=NOW + timedelta(days=days))
    job.refresh_from_db()
    assert (job.state, job.problem["code"]) == ("refused", "import-failed")


INVENTORY = """中国科学技术大学大型仪器清单

资产编号,仪器名称,规格型号,生产厂家,原值(元),存放地点,备用列
20230001,透射电子显微镜,JEM-2100F,日本电子,3200000,理化楼101,甲
20230002,扫描电子显微镜,Sigma 300,蔡司,1800000,理化楼102,乙
"""


def test_an_inventory_as_it_comes_from_a_chinese_office(cast: Cast) -> None:
    """In GB18030, its title above the columns, which have Chinese names."""
    zhao = cast.actor("zhao")
    job = keep(cast.ustc.pk, INVENTORY.encode("gb18030"), actor=zhao, format="table")
    assert job.encoding == "gb18030"
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.header_row == 3
    columns = [column["name"] for column in job.columns]
    suggested = suggested_fields(columns)
    assert suggested == [
        *("inventory_number", "name", "model", "manufacturers", "acquisition_cost", "room", "")
    ]
    fields = {field: [name] for field, name in zip(suggested, columns, strict=True) if field}
    mapping = {"source": "ustc", "key": ["资产编号"], "fields": fields}
    jobs.import_map(By(zhao, NOW), import_id=job.pk, mapping=mapping, name="清单")
    jobs.import_read(import_id=job.pk, now=NOW)
    jobs.import_apply(By(zhao, NOW), import_id=job.pk)
    jobs.import_carry_out(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.ignored_columns == ["备用列"]
    made = Instrument.objects.get(organisation=cast.ustc, source_key="20230001")
    assert (made.name, made.model, made.room, made.acquisition_cost) == (
        *("透射电子显微镜", "JEM-2100F", "理化楼101", 3_200_000),
    )
    # The next file of the kind is read at once, by the mapping that was saved.
    again = keep(
        cast.ustc.pk,
        INVENTORY.encode("gb18030"),
        actor=zhao,
        format="table",
        mapping=ImportMapping.objects.get().content,
    )
    jobs.import_read(import_id=again.pk, now=NOW)
    again.refresh_from_db()
    assert (again.state, again.counts["unchanged"]) == ("ready", 2)


@pytest.mark.parametrize(("written_in", "encoding"), [("big5", "big5"), ("cp1252", "cp1252")])
def test_a_file_of_another_encoding_is_read_again_after_its_refusal(
    cast: Cast, written_in: str, encoding: str
) -> None:
    name = "電子顯微鏡" if written_in == "big5" else "Pycnomètre à hélium"
    content = f"id,name\n1,{name}\n".encode(written_in)
    job = keep(cast.ustc.pk, content, format="table", encoding="utf-8")
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem["code"]) == ("refused", "not-text")
    zhao = cast.actor("zhao")
    again = partial(jobs.import_read_again, By(zhao, NOW), import_id=job.pk)
    jobs.import_read_again(By(zhao, NOW, job.version), import_id=job.pk, encoding=encoding)
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem, job.counts["created"]) == ("ready", {}, 1)
    assert job.rows.get().name == name
    # A preview, too, can be read otherwise; what was carried out cannot.
    again(encoding="utf-8")
    jobs.imports_work(now=NOW)
    again(encoding=encoding)
    jobs.imports_work(now=NOW)
    jobs.import_apply(By(PLATFORM, NOW), import_id=job.pk)
    with pytest.raises(WrongState):
        again(encoding="utf-8")
    jobs.imports_work(now=NOW)
    with pytest.raises(WrongState):
        again(encoding="utf-8")
    assert Instrument.objects.filter(name=name).count() == 1


@pytest.mark.parametrize("row", [0, 100])
def test_the_columns_are_named_within_the_first_hundred_lines(cast: Cast, row: int) -> None:
    job = keep(cast.ustc.pk, b"nr,device\n1,SEM\n", format="table")
    jobs.import_read(import_id=job.pk, now=NOW)
    with pytest.raises(Invalid):
        jobs.import_read_again(By(cast.actor("zhao"), NOW), import_id=job.pk, header_row=row)
    job.refresh_from_db()
    assert (job.state, job.header_row) == ("unmapped", 1)


def test_a_workbook_whose_columns_are_named_below_its_title(cast: Cast) -> None:
    content = workbook(["大型仪器"], [], ["id", "name"], ["1", "SEM"])
    job = keep(cast.ustc.pk, content, format="table")
    jobs.import_read(import_id=job.pk, now=NOW)
    row = ImportRow.objects.get(job=job)
    assert (row.line, row.name, row.result) == (4, "SEM", "created")
    # Who chooses the line by hand keeps it.
    jobs.import_read_again(By(cast.actor("zhao"), NOW), import_id=job.pk, header_row=1)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert [column["name"] for column in job.columns] == ["大型仪器"]


def test_columns_of_a_uniquip_file_that_nothing_is_taken_from_are_named(cast: Cast) -> None:
    content = b"ID,Name,Photo,Secondary contact name,Colour\n1,SEM,x.jpg,Bo,red\n"
    job = keep(cast.ustc.pk, content)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.ignored_columns == ["photo", "secondary contact name", "colour"]
