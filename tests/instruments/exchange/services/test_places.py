"""Where the rows of a register come to stand: no facility, address or room of a row is lost in silence."""

import csv
import io
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.exchange.adapters import table
from instruments.exchange.domain.fields import FACILITY_FIELDS
from instruments.exchange.domain.imports import FacilityValues, RowValues, apart, plain_address
from instruments.exchange.domain.terms import plain
from instruments.exchange.models import Import
from instruments.exchange.selectors.exports import export_of
from instruments.exchange.selectors.imports import rows_of
from instruments.exchange.services import jobs
from instruments.reading.domain.delimited import read_records
from instruments.register.models import Facility, Instrument
from tests.factories.cast import NOW, Cast
from tests.factories.imports import bring, bring_rows, keep

pytestmark = pytest.mark.django_db
REGISTERS = Path(__file__).parents[3] / "data" / "registers"
HERE, DALE, FELL = "Imaging centre", "Imaging centre, 2 Dale Street, Dale", "4 Fell Lane, Fell"
HEFEI, HUANGSHAN = "分析测试中心", "分析测试中心, 合肥市黄山路443号"
# By number: the facility, its address and the room.
PLACES = {
    "P-01": (HERE, "1 Hill Road, Hill", "101"),
    "P-02": (DALE, "2 Dale Street, Dale", "101"),
    "P-03": (DALE, "2 Dale Street, Dale", "102"),
    "P-04": (HERE, "1 Hill Road, Hill", ""),
    "P-05": (DALE, "2 Dale Street, Dale", "B１"),
    "P-06": (DALE, "2 Dale Street, Dale", "B2"),
    "P-07": ("imaging centre", "3 Dale Street, Dale", "101"),
    "P-08": (HERE, "1 Hill Road, Hill", "103"),
    "P-09": ("USTC", "9 Lower Road, Hill", "1"),
    "P-10": ("USTC, 10 Upper Road, Hill", "10 Upper Road, Hill", "1"),
    "P-11": (HEFEI, "合肥市金寨路96号", "理化楼101"),
    "P-12": (HUANGSHAN, "合肥市黄山路443号", "微纳楼B１０２"),
    "P-13": (HEFEI, "合肥市金寨路96号", ""),
    "P-14": (HUANGSHAN, "合肥市黄山路443号", "微纳楼 103"),
    "P-15": (f"{DALE}, {FELL}", FELL, "7"),
    "P-16": ("Workshop", "Building 1, Hill", ""),
    "P-17": ("Workshop, Building 10, Hill", "Building 10, Hill", "Hall"),
}
APART = {number for number, (facility, *_) in PLACES.items() if facility.startswith((f"{HERE},", "USTC,"))}
APART |= {"P-12", "P-14", "P-17"}


def row(key: str, address: str, facility: str = "Physics", **contact: str) -> RowValues:
    values = FacilityValues(facility, "", {"address": address, "contact_phone": "1"} | contact)
    return RowValues(key, {"name": f"Instrument {key}", "room": "B1"}, values)


def take(cast: Cast, *rows: RowValues) -> Import:
    bring_rows(cast.ustc, list(enumerate(rows, start=2)), source="table:lab", now=NOW)
    return Import.objects.latest("pk")


def stands(key: str) -> tuple[str, str]:
    facility = Facility.objects.get(instruments__source_key=key)
    return facility.name, facility.address


def said(job: Import, line: int) -> list[tuple[Any, ...]]:
    told = job.rows.get(line=line).differences
    return [(each["field"], each["before"], each["after"], each.get("kept", "")) for each in told]


# --- the made register ----------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 500])
def test_each_row_of_the_made_register_has_its_own_place(cast: Cast, monkeypatch: Any, batch: int) -> None:
    monkeypatch.setattr(jobs, "BATCH", batch)
    content = (REGISTERS / "places.csv").read_bytes()
    job, report = bring(cast.ustc.pk, content, format="table")
    made = Instrument.objects.filter(source_key__in=PLACES).select_related("facility")
    assert {i.source_key: (i.facility.name, i.facility.address, i.room) for i in made} == PLACES
    assert {row.key for row in rows_of(job, "apart")} == APART
    assert (job.counts["apart"], report.apart) == (len(APART), len(APART))
    assert {remark.line for remark in report.remarks} == {int(number[2:]) + 1 for number in APART}
    # Brought again, as it is and as an export, it changes nothing.
    for again in (content, b"".join(_exported(cast))):
        job, _ = bring(cast.ustc.pk, again, format="table")
        assert job.counts["unchanged"] == job.read_rows


def _exported(cast: Cast) -> list[bytes]:
    return [
        part if isinstance(part, bytes) else part.encode()
        for part in export_of(cast.ustc, "csv", NOW).content
    ]


def test_the_preview_says_the_same_as_the_outcome(cast: Cast) -> None:
    job = keep(cast.ustc.pk, (REGISTERS / "places.csv").read_bytes(), format="table")
    jobs.import_read(import_id=job.pk, now=NOW)
    before = dict(job.rows.values_list("line", "differences"))
    outcome, _ = bring(cast.ustc.pk, (REGISTERS / "places.csv").read_bytes(), format="table")
    assert dict(outcome.rows.values_list("line", "differences")) == before
    assert said(job, 3) == [("facility", "Imaging centre (1 Hill Road, Hill)", DALE, "")]


def test_the_command_names_each_such_row(cast: Cast, capsys: Any) -> None:
    path = str(REGISTERS / "places.csv")
    call_command("import_instruments", path, "--organisation", cast.ustc.code, "--format", "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "9 rows go to a facility of their own, because the one they name has another address."
    )
    assert lines[2] == (
        f"line 3: Facility: Imaging centre (1 Hill Road, Hill) → {DALE} - "
        "a facility of its own: the one named has another address"
    )
    assert len(lines) == 2 + len(APART)


# --- extracts of real registers -------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "mapping", "refused"),
    [
        ("st_andrews.csv", "", {"no-name"}),
        ("pnnl.csv", "pnnl", {"left-out"}),
        ("emsl.csv", "emsl", {"left-out"}),
        ("xas.csv", "xas", set()),
        ("iit_ropar.csv", "own", set()),
    ],
)
def test_rows_of_real_registers_stand_where_they_say(
    cast: Cast, file: str, mapping: str, refused: set[str]
) -> None:
    options: dict[str, Any] = {"format": "table" if mapping else "uniquip"}
    if mapping not in ("", "own"):
        options["mapping"] = table.load_entries(mapping)
    job, _ = bring(cast.ustc.pk, (REGISTERS / file).read_bytes(), **options)
    rows = list(job.rows.exclude(result="refused").select_related("instrument__facility"))
    assert {row.problem["code"] for row in job.rows.filter(result="refused")} == refused
    for each in rows:
        assert each.values and each.instrument
        facility, contact = each.instrument.facility, each.values["contact"]
        told = {(d["field"], d["after"]) for d in each.differences if d.get("kept")}
        assert facility.name == (each.values["facility"] or cast.ustc.name)
        for field in set(FACILITY_FIELDS) - {"facility"}:
            value = contact.get(field, "")
            assert not value or value == getattr(facility, field) or (field, value) in told, (
                each.line,
                field,
            )
        assert each.instrument.room == each.values["record"].get("room", "")
    # What no field takes is named with the file.
    with (REGISTERS / file).open(newline="", encoding="utf-8") as stream:
        head = [name.casefold() for name in next(csv.reader(stream))]
    unused = {
        "st_andrews.csv": {"location"},
        "iit_ropar.csv": {"make_year", "manufacturer", "category", "max_hours_per_booking"},
        "xas.csv": {"world_region"},
    }
    assert set(job.ignored_columns) <= set(head)
    assert set(job.ignored_columns) >= unused.get(file, set())


# --- names that would be the same -----------------------------------------------------------


def test_names_that_are_cut_stay_apart(cast: Cast) -> None:
    long = "Centre for the " + "very " * 30 + "long name"
    streets = ["Street " * 25 + ending for ending in ("1", "2", "3")]
    take(cast, *(row(str(n), street, long[:190]) for n, street in enumerate(streets)))
    take(cast, *(row(f"b{n}", street, long[:189] + "x") for n, street in enumerate(streets)))
    for key in ("", "b"):
        assert [stands(f"{key}{n}")[1] for n in range(3)] == [street.strip() for street in streets]
    assert len({stands(key)[0] for key in ("0", "1", "2", "b0", "b1", "b2")}) == 6


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_a_name_that_is_taken_already_gets_a_mark(cast: Cast, order: tuple[int, ...]) -> None:
    given = [row("0", "Hill"), row("1", "Dale"), row("2", "Fell", "Physics, Dale")]
    job = take(cast, *(given[n] for n in order))
    assert {key: stands(key)[1] for key in "012"} == {"0": "Hill", "1": "Dale", "2": "Fell"}
    assert job.counts["apart"] in (1, 2)
    again = take(cast, *(given[n] for n in order))
    assert again.counts["unchanged"] == 3


# --- rows that are known --------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 500])
def test_one_row_that_moves_takes_no_others_with_it(cast: Cast, monkeypatch: Any, batch: int) -> None:
    monkeypatch.setattr(jobs, "BATCH", batch)
    take(cast, row("1", "Hill"), row("2", "Hill"), row("3", "Hill"))
    job = take(cast, row("1", "Dale"), row("2", "Hill"), row("3", "Fell"))
    places = {key: stands(key) for key in "123"}
    assert places == {
        "1": ("Physics, Dale", "Dale"), "2": ("Physics", "Hill"), "3": ("Physics, Fell", "Fell"),
    }  # fmt: skip
    assert (job.counts["changed"], job.counts["unchanged"], job.counts["apart"]) == (2, 1, 2)
    assert said(job, 2)[0] == ("facility", "Physics", "Physics, Dale", "")
    take(cast, row("1", "Fell"), row("2", "Hill"), row("3", "Fell"))
    assert stands("1") == stands("3") == ("Physics, Fell", "Fell")


def test_a_facility_of_which_all_rows_say_so_moves(cast: Cast) -> None:
    take(cast, row("1", "Hill"), row("2", "Hill"))
    job = take(cast, row("1", "Dale"), row("2", "dale."))
    assert stands("1") == stands("2") == ("Physics", "Dale")
    assert "apart" not in job.counts
    assert said(job, 2) == [("address", "Hill", "Dale", "")]


def test_what_a_published_record_refuses_does_not_reach_its_facility(cast: Cast) -> None:
    """The row names a facility in another time zone, to which a published instrument does not move."""
    take(cast, row("1", "Hill"), row("2", "Hill"))
    Instrument.objects.filter(source_key="1").update(publication="published", published_at=NOW)
    far = FacilityValues("Observatory", "Atlantic/Azores", {"address": "Peak", "contact_phone": "9"})
    job = take(cast, RowValues("1", {"name": "Instrument 1", "room": "B1"}, far), row("2", "Hill"))
    assert stands("1") == stands("2") == ("Physics", "Hill")
    assert Facility.objects.get(name="Physics").contact_phone == "1"
    assert {each[0]: each[3] for each in said(job, 2)} == {
        "facility": "published", "address": "published", "contact_phone": "published",
    }  # fmt: skip


def test_an_instrument_that_a_person_moved_gives_its_new_facility_nothing(cast: Cast) -> None:
    take(cast, row("1", "Hill"), row("2", "Hill"))
    elsewhere = Facility.objects.create(
        organisation=cast.ustc, name="Chemistry", address="Fell", time_zone="Asia/Shanghai"
    )
    Instrument.objects.filter(source_key="1").update(facility=elsewhere)
    job = take(cast, row("1", "Dale"), row("2", "Hill"))
    assert stands("1") == ("Chemistry", "Fell")
    assert ("address", "Fell", "Dale", "by-hand") in said(job, 2)


def test_one_facility_for_all_rows_names_what_each_said_of_its_own(cast: Cast) -> None:
    content = "id,name,facility,address,room\n1,A,Hall,1 Road,R1\n2,B,centre,,R2\n3,C,,,\n"
    job, _ = bring(cast.ustc.pk, content.encode(), format="table", facility="Centre")
    assert {stands(key) for key in "123"} == {("Centre", "")}
    why = "one-facility"
    assert said(job, 2) == [("facility", "", "Hall", why), ("address", "", "1 Road", why)]
    assert said(job, 3) == said(job, 4) == []
    assert job.kept == 1


# --- in and out -----------------------------------------------------------------------------

_word = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=6)
_name = st.sampled_from(["Physics", "physics", "物理", "Physics, 1 Road", "P" * 199, ""]) | _word
_address = (
    st.sampled_from(["1 Road", "１ road ", "2 Road", "合肥路1号", "合肥路１号", "R" * 290, ""])
    | st.builds(lambda end: "R" * 290 + end, _word)
    | _word
)
_room = st.sampled_from(["", "B1", "Ｂ１", " B 1 "]) | _word
_rows = st.lists(st.tuples(_name, _address, _room), min_size=1, max_size=6)
_number = count()


@settings(max_examples=settings().max_examples // 2)
@given(before=_rows, after=_rows)
def test_what_comes_in_goes_out(cast: Cast, before: Any, after: Any) -> None:
    """Of new rows, and of the same rows with other values: the export has each facility, address and room
    that a row gives, or the row says what is not imported."""
    start = next(_number)
    for rows in (before, after):
        texts = io.StringIO()
        writer = csv.writer(texts)
        writer.writerow(["id", "name", "facility", "address", "room"])
        writer.writerows([f"k{start}-{n}", f"I{start}-{n}", *cells] for n, cells in enumerate(rows))
        job, _ = bring(cast.ustc.pk, texts.getvalue().encode(), format="table")
        header, records = read_records(io.BytesIO(b"".join(_exported(cast))))
        mapping = table.own_mapping(header)
        assert mapping
        out = {
            values.record["name"]: values
            for _line, values in table.rows_of(mapping, header, records)
            if isinstance(values, RowValues)
        }
        for each in job.rows.all():
            assert each.values, each.problem
            facility, address = each.values["facility"], each.values["contact"].get("address", "")
            found = out[each.name]
            told = {(d["field"], d["after"]) for d in each.differences if d.get("kept")}
            named, stored = facility or cast.ustc.name, found.facility.contact["address"]
            is_there = not address or plain_address(stored) == plain_address(address)
            assert is_there or ("address", address) in told
            name = found.facility.name
            assert name == named or plain(name).startswith(plain(named[:100])), told
            assert found.record["room"] == each.values["record"]["room"]


@given(name=st.text(max_size=200), addresses=st.lists(st.text(max_size=300), min_size=2, max_size=2))
def test_two_addresses_give_two_names(name: str, addresses: list[str]) -> None:
    one, two = (apart(name, address) for address in addresses)
    assert len(one) <= 200 and len(two) <= 200
    if plain_address(addresses[0]) != plain_address(addresses[1]):
        assert one != two
