"""A whole import: unknown values mapped once, nothing lost silently, back to the columns, undone."""

from pathlib import Path
from typing import Any

import pytest

from accounts.domain.errors import Invalid, NotFound, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import RoleGrant, TrailEntry
from instruments.exchange.domain.fields import FACILITY_FIELDS
from instruments.exchange.domain.imports import Result
from instruments.exchange.models import Import, ImportTerm
from instruments.exchange.selectors.undoing import load_undoing
from instruments.exchange.services import jobs
from instruments.exchange.services.undoing import rows_undo
from instruments.managing.services.registry import instrument_update
from instruments.rates.models import RateCard
from instruments.register.models import Facility, Instrument, Provenance
from instruments.vocabulary.models import Technique
from tests.factories.cast import NOW, Cast
from tests.factories.imports import bring, keep

pytestmark = pytest.mark.django_db
REGISTERS = Path(__file__).parents[3] / "data" / "registers"
HEAD = "id,name,techniques,kind,service_modes,facility\n"


@pytest.fixture
def techniques(cast: Cast) -> None:
    for code, name in (("XRD", "X-ray diffraction"), ("RAMAN", "Raman spectroscopy")):
        Technique.objects.create(code=code, name=name)


def read(cast: Cast, content: bytes, **options: Any) -> Import:
    job = keep(cast.ustc.pk, content, actor=cast.actor("zhao"), **{"format": "table"} | options)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    return job


def by(cast: Cast, name: str = "zhao") -> By:
    return By(cast.actor(name), NOW)


def carry_out(cast: Cast, job: Import) -> Import:
    jobs.import_apply(by(cast), import_id=job.pk)
    jobs.import_carry_out(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    return job


def undo(cast: Cast, job: Import) -> Import:
    jobs.import_undo(by(cast), import_id=job.pk)
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    return job


# --- unknown values -------------------------------------------------------------------------


def test_unknown_values_are_mapped_once_and_remembered(cast: Cast, techniques: None) -> None:
    rows = (
        "1,A,X-ray difraction,Sondergerät,self; sent by post,\n"
        "2,B,x-ray  DIFRACTION,,,\n3,C,Raman spectroscopy,,,\n"
    )
    job = read(cast, (HEAD + rows).encode())
    assert job.counts["created"] == 3 and job.counts["refused"] == 0 and job.kept == 2
    listed = {(each["field"], each["value"]): each for each in job.unknown_values}
    assert listed["techniques", "X-ray difraction"]["rows"] == 2
    assert listed["techniques", "X-ray difraction"]["nearest"] == "XRD"
    assert set(listed) == {
        ("techniques", "X-ray difraction"), ("kind", "Sondergerät"), ("service_modes", "sent by post"),
    }  # fmt: skip
    chosen = [
        {"field": "techniques", "value": "X-ray difraction", "term": "XRD"},
        {"field": "kind", "value": "Sondergerät", "term": "dedicated"},
        {"field": "service_modes", "value": "sent by post", "term": ""},
    ]
    jobs.import_terms(by(cast), import_id=job.pk, terms=chosen)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.state, job.unknown_values, job.kept) == ("ready", [], 0)
    carry_out(cast, job)
    made = {i.name: i for i in Instrument.objects.filter(source_key__in="123")}
    assert (
        [t.code for t in made["A"].techniques.all()]
        == ["XRD"]
        == [t.code for t in made["B"].techniques.all()]
    )
    assert [t.code for t in made["C"].techniques.all()] == ["RAMAN"]
    assert (made["A"].kind, made["A"].service_modes) == ("dedicated", ["self"])
    again = read(cast, (HEAD + "4,D,X-RAY difraction,,,\n").encode())
    assert again.unknown_values == []
    assert TrailEntry.objects.filter(action="import.terms").count() == 1


def test_a_draft_may_lack_a_technique_and_gets_it_once_it_is_known(cast: Cast, techniques: None) -> None:
    content = (HEAD + "1,A,Cheese tasting; Raman spectroscopy,,,\n").encode()
    job = carry_out(cast, read(cast, content))
    made = Instrument.objects.get(source_key="1")
    assert [t.code for t in made.techniques.all()] == ["RAMAN"]
    (row,) = job.rows.all()
    assert row.differences == [
        {"field": "facility", "before": "", "after": "USTC"},
        {
            "field": "techniques",
            "before": [],
            "after": ["Cheese tasting"],
            "kept": "unknown",
            "is_kept": True,
        },
    ]
    ImportTerm.objects.create(
        organisation=cast.ustc, field="techniques", value="cheese tasting", term="XRD", created_at=NOW
    )
    job = carry_out(cast, read(cast, content))
    assert job.counts["changed"] == 1
    assert {t.code for t in made.techniques.all()} == {"RAMAN", "XRD"}


def test_an_unknown_value_takes_nothing_from_a_record(cast: Cast, techniques: None) -> None:
    carry_out(cast, read(cast, (HEAD + "1,A,RAMAN,dedicated,self,\n").encode()))
    carry_out(cast, read(cast, (HEAD + "1,A,Cheese tasting,cheese,cheese,\n").encode()))
    made = Instrument.objects.get(source_key="1")
    assert [t.code for t in made.techniques.all()] == ["RAMAN"]
    assert (made.kind, made.service_modes) == ("dedicated", ["self"])


def test_a_new_facility_is_proposed_as_one_that_is_there(cast: Cast) -> None:
    there = Facility.objects.create(
        organisation=cast.ustc, name="Centre for Chemistry", time_zone="Asia/Shanghai"
    )
    job = read(cast, (HEAD + "1,A,,,,Center for chemistry\n").encode())
    assert job.unknown_values == [
        {"field": "facility", "value": "Center for chemistry", "rows": 1, "nearest": there.name}
    ]
    chosen = [{"field": "facility", "value": "Center for chemistry", "term": there.name}]
    jobs.import_terms(by(cast), import_id=job.pk, terms=chosen)
    jobs.import_read(import_id=job.pk, now=NOW)
    carry_out(cast, job)
    assert Instrument.objects.get(source_key="1").facility == there


def test_what_is_decided_must_be_asked_and_known(cast: Cast, techniques: None) -> None:
    job = read(cast, (HEAD + "1,A,Cheese,,,\n").encode())
    for value, term, code in (("Bread", "XRD", "unknown-value"), ("Cheese", "CHEESE", "not-a-term")):
        with pytest.raises(Invalid) as refused:
            terms = [{"field": "techniques", "value": value, "term": term}]
            jobs.import_terms(by(cast), import_id=job.pk, terms=terms)
        assert [problem.code for problem in refused.value.problems] == [code]
    good = [{"field": "techniques", "value": "Cheese", "term": "XRD"}]
    with pytest.raises(NotFound):
        jobs.import_terms(by(cast, "wang"), import_id=job.pk, terms=good)
    with pytest.raises(WrongVersion):
        jobs.import_terms(By(cast.actor("zhao"), NOW, job.version - 1), import_id=job.pk, terms=good)
    carry_out(cast, job)
    with pytest.raises(WrongState):
        jobs.import_terms(by(cast), import_id=job.pk, terms=good)
    assert not ImportTerm.objects.exists()


# --- nothing is lost silently ---------------------------------------------------------------


@pytest.mark.parametrize(("file", "format"), [("uniquip_sites.csv", "uniquip"), ("rooms.csv", "table")])
def test_whatever_a_row_says_of_its_place_is_stored_or_named(cast: Cast, file: str, format: str) -> None:
    job = carry_out(cast, read(cast, (REGISTERS / file).read_bytes(), format=format))
    rows = list(job.rows.filter(result="created").select_related("instrument__facility"))
    assert {row.problem["code"] for row in job.rows.exclude(result="created")} <= {"no-name"}
    named = 0
    for row in rows:
        assert row.values and row.instrument
        told = [d for d in row.differences if d.get("kept")]
        for field in FACILITY_FIELDS:
            given = row.values["facility"] if field == "facility" else row.values["contact"].get(field, "")
            stored = getattr(row.instrument.facility, field, row.instrument.facility.name)
            is_named = any(d["field"] == field and d["after"] == given for d in told)
            is_apart = field == "facility" and stored.startswith(f"{given}, ")
            assert not given or stored == given or is_named or is_apart, (row.line, field, given, stored)
            named += is_named
        assert row.instrument.room == row.values["record"].get("room", "")
    assert named


def test_reading_that_goes_on_after_a_stop_names_the_same(cast: Cast, monkeypatch: Any) -> None:
    content = (REGISTERS / "rooms.csv").read_bytes()
    whole = read(cast, content)
    monkeypatch.setattr(jobs, "BATCH", 5)
    job = keep(cast.ustc.pk, content, format="table")
    real, calls = jobs.rows_decide, []

    def stops(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("killed")
        return real(*args, **options)

    monkeypatch.setattr(jobs, "rows_decide", stops)
    with pytest.raises(RuntimeError):
        jobs.import_read(import_id=job.pk, now=NOW)
    jobs.import_read(import_id=job.pk, now=NOW)
    told = [list(each.rows.order_by("position").values_list("line", "differences")) for each in (whole, job)]
    assert told[0] == told[1]


# --- back to the columns ---------------------------------------------------------------------


def test_one_goes_back_to_the_columns_without_another_upload(cast: Cast) -> None:
    job = read(cast, b"Nr;Device;Where\n1;SEM;B1\n")
    columns = {"source": "lab", "key": "nr", "delimiter": ";", "fields": {"name": "where"}}
    jobs.import_map(by(cast), import_id=job.pk, mapping=columns, name="Lab")
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.rows.get().name == "B1"
    jobs.import_columns(by(cast), import_id=job.pk)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.state, job.mapping_name) == ("unmapped", "Lab")
    assert [column["name"] for column in job.columns] == ["nr", "device", "where"]
    columns["fields"] = {"name": "device", "room": "where"}
    jobs.import_map(by(cast), import_id=job.pk, mapping=columns, name="Lab")
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.rows.get().name == "SEM"
    carry_out(cast, job)
    with pytest.raises(WrongState):
        jobs.import_columns(by(cast), import_id=job.pk)


def test_a_table_that_was_taken_for_an_export_goes_back_to_its_columns(cast: Cast) -> None:
    """A register whose columns happen to be called id and name needs no mapping, but may get one."""
    job = read(cast, (REGISTERS / "iit_ropar.csv").read_bytes())
    assert (job.state, job.mapping) == ("ready", None) and "manufacturer" in job.ignored_columns
    jobs.import_columns(by(cast), import_id=job.pk)
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.state == "unmapped" and "manufacturer" in [column["name"] for column in job.columns]
    fields = {"name": "name", "model": "model", "manufacturers": "manufacturer"}
    columns = {"source": "ropar", "key": "id", "fields": fields}
    jobs.import_map(by(cast), import_id=job.pk, mapping=columns, name="Ropar")
    jobs.import_read(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    carry_out(cast, job)
    assert Instrument.objects.get(name="PXRD").manufacturers == [{"name": "Malvern Panalytical"}]


# --- undone ----------------------------------------------------------------------------------


def test_a_whole_import_is_undone(cast: Cast, techniques: None) -> None:
    before = Instrument.objects.count(), Facility.objects.count()
    content = "id,name,techniques,facility,address\n1,A,XRD,Hill,1 Road\n2,B,,Hill,2 Road\n"
    job = carry_out(cast, read(cast, content.encode()))
    assert Facility.objects.count() == before[1] + 2
    seen = load_undoing(job)
    assert (seen.deleted, seen.stays) == (2, [])
    undo(cast, job)
    assert (job.state, job.counts["undone"], job.done_rows) == ("undone", 2, 0)
    assert (Instrument.objects.count(), Facility.objects.count()) == before
    acts = TrailEntry.objects.values_list("action", flat=True)
    for action, times in (("instrument.undo_import", 2), ("facility.undo_import", 2), ("import.undone", 1)):
        assert list(acts).count(action) == times
    again = carry_out(cast, read(cast, content.encode()))
    assert again.counts["created"] == 2


def test_what_cannot_be_undone_stays_and_says_why(cast: Cast) -> None:
    content = "id,name,facility\n" + "".join(f"{n},I{n},Hill\n" for n in range(4))
    job = carry_out(cast, read(cast, content.encode()))
    made = {i.name: i for i in Instrument.objects.filter(name__startswith="I")}
    instrument_update(by(cast), instrument_id=made["I1"].pk, changes={"room": "B2"}, techniques=None)
    Instrument.objects.filter(pk=made["I2"].pk).update(publication="published", published_at=NOW)
    card = {"card": {}, "currency": "CNY", "valid_from": NOW.date(), "created_at": NOW}
    RateCard.objects.create(instrument=made["I3"], version=1, **card)
    why = {"I1": "undo-edited", "I2": "undo-published", "I3": "undo-used"}
    assert {row.name: row.problem["code"] for row in load_undoing(job).stays} == why
    undo(cast, job)
    assert job.counts | {"undone": 1, "created": 3} == job.counts
    stayed = job.rows.filter(result="created")
    assert {row.name: row.problem["code"] for row in stayed} == why
    assert Facility.objects.filter(name="Hill").exists()
    assert not Instrument.objects.filter(name="I0").exists()


def test_a_changed_record_gets_back_what_it_was(cast: Cast) -> None:
    first = "id,name,room,acquisition_cost,manufacturers\n1,A,B1,10.50,Zeiss\n"
    carry_out(cast, read(cast, first.encode()))
    job = carry_out(cast, read(cast, first.replace("B1,10.50,Zeiss", "B2,20,Leica").encode()))
    made = Instrument.objects.get(source_key="1")
    instrument_update(by(cast), instrument_id=made.pk, changes={"room": "B3"}, techniques=None)
    undo(cast, job)
    made.refresh_from_db()
    assert (str(made.acquisition_cost), made.manufacturers, made.room) == ("10.50", [{"name": "Zeiss"}], "B3")
    row = job.rows.get()
    assert (row.result, row.problem["numbers"]) == ("changed", {"fields": ["room"]})


def test_the_next_import_keeps_what_was_put_back_and_what_people_wrote(cast: Cast) -> None:
    first = "id,name,room,acquisition_cost\n1,A,B1,77\n"
    carry_out(cast, read(cast, first.encode()))
    made = Instrument.objects.get(source_key="1")
    instrument_update(by(cast), instrument_id=made.pk, changes={"model": "Ours"}, techniques=None)
    wrong = first.replace("B1", "B2").encode()
    undo(cast, carry_out(cast, read(cast, wrong)))
    origins = {name: origin["by"] for name, origin in Provenance.objects.get(pk=made.pk).fields.items()}
    assert (origins["room"], origins["model"], origins["acquisition_cost"]) == ("hand", "hand", "import")
    carry_out(cast, read(cast, wrong))
    made.refresh_from_db()
    assert (made.room, made.model) == ("B1", "Ours")


def test_only_a_manager_undoes_and_only_once(cast: Cast) -> None:
    job = read(cast, b"id,name\n1,A\n")
    with pytest.raises(WrongState):
        jobs.import_undo(by(cast), import_id=job.pk)
    carry_out(cast, job)
    with pytest.raises(NotFound):
        jobs.import_undo(by(cast, "wang"), import_id=job.pk)
    undo(cast, job)
    with pytest.raises(WrongState):
        jobs.import_undo(by(cast), import_id=job.pk)


def test_an_import_that_was_stopped_half_way_is_undone_as_far_as_it_came(
    cast: Cast, monkeypatch: Any
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 1)
    job = read(cast, b"id,name\n1,A\n2,B\n")
    jobs.import_apply(by(cast), import_id=job.pk)
    Import.objects.filter(pk=job.pk).update(done_rows=1)
    jobs.import_cancel(by(cast), import_id=job.pk)
    undo(cast, job)
    assert (job.state, job.done_rows) == ("undone", 0)


def test_undoing_that_stopped_half_way_goes_on_for_another_manager(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "BATCH", 1)
    job = carry_out(cast, read(cast, b"id,name\n1,A\n2,B\n3,C\n"))
    jobs.import_undo(by(cast), import_id=job.pk)
    batches = [jobs.rows_undo, *[stopped] * 9]
    monkeypatch.setattr(jobs, "rows_undo", lambda *args: batches.pop(0)(*args))
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    told = (job.state, job.problem["code"], job.done_rows, job.counts["undone"], job.may_undo)
    assert told == ("done", "import-failed", 2, 1, True)
    monkeypatch.setattr(jobs, "rows_undo", rows_undo)
    jobs.import_undo(by(cast), import_id=job.pk)
    RoleGrant.objects.filter(user=cast.zhao).update(user=cast.sun)
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem["code"], job.done_rows) == ("done", "not-permitted", 2)
    jobs.import_undo(by(cast, "sun"), import_id=job.pk)
    jobs.imports_work(now=NOW)
    job.refresh_from_db()
    assert (job.state, job.problem, job.counts["undone"]) == ("undone", {}, 3)
    assert job.undone_by == cast.sun


def stopped(*args: Any) -> None:
    raise jobs._Overtaken


def test_bringing_the_made_registers_again_changes_nothing(cast: Cast) -> None:
    for file, format in (("uniquip_sites.csv", "uniquip"), ("rooms.csv", "table")):
        content = (REGISTERS / file).read_bytes()
        bring(cast.ustc.pk, content, format=format)
        _, report = bring(cast.ustc.pk, content, format=format)
        counts = {result.value: n for result, n in report.counts.items() if n and result != Result.REFUSED}
        assert [*counts] == ["unchanged"]
