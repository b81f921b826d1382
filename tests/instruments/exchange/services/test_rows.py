"""Importing instruments: what is stored, what is left alone, all or nothing."""

import io
import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import Actor, Grant
from accounts.models import Organisation, OutboxMessage, Region, TrailEntry
from instruments.exchange.adapters import table, uniquip
from instruments.exchange.domain import fields as import_fields
from instruments.exchange.domain.imports import FacilityValues, ImportReport, Result, RowValues
from instruments.exchange.domain.mappings import parse_mapping
from instruments.exchange.models import Import
from instruments.exchange.services import jobs
from instruments.opening.models import OpenWindow, Schedule
from instruments.rates.domain.ratecards import SERVICE_MODES
from instruments.reading.domain.delimited import FileRefused, RowProblem, read_records
from instruments.register.models import Facility, Instrument
from instruments.search.domain.search import terms
from instruments.search.models import SearchEntry
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters
from tests.factories.imports import bring_rows, keep

NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
WEEK = {
    "weekly": [{"weekday": 1, "opens": "08:00", "closes": "18:00"}],
    "overrides": [],
    "observes_holidays": False,
}
ALWAYS = {
    "weekly": [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(1, 8)],
    "overrides": [],
    "observes_holidays": False,
}


@dataclass
class House:
    region: Region
    organisation: Organisation

    def bring(self, *rows: Any, **options: Any) -> ImportReport:
        """Import `rows` (values or problems), numbered from line 2."""
        numbered = options.pop("numbered", list(enumerate(rows, start=2)))
        return bring_rows(self.organisation, numbered, **{"source": "table:lab", "now": NOW} | options)


def make_house(code: str = "hill") -> House:
    region = Region(
        scheme="ISO 3166-2", code="GB-SCT", name="Scotland", name_zh="苏格兰", currency="GBP",
        time_zone="Europe/London", holiday_calendar="GB-SCT", shares=True,
    )  # fmt: skip
    region.lineage = [region.pk]
    region.save()
    organisation = Organisation.objects.create(
        code=code, name="Hill University", name_zh="山大学", kind="university", region=region,
        ror="https://ror.org/01hill",
    )  # fmt: skip
    return House(region, organisation)


@pytest.fixture
def house(db: None) -> House:
    return make_house()


def row(key: str = "1", *, name: str = "Raman microscope", **changes: Any) -> RowValues:
    contact = {"contact_email": "physics@hill.example", "contact_phone": "1", "address": "Hill"}
    values: dict[str, Any] = {
        "key": key,
        "record": {"name": name, "description": "Confocal, 532 nm", "room": "B1"},
        "facility": FacilityValues("Physics", "", contact),
    }
    return RowValues(**values | changes)


def records() -> int:
    """Entries of the trail about what was imported."""
    return TrailEntry.objects.exclude(action__startswith="import.").count()


def counts(report: ImportReport) -> dict[str, int]:
    return {result.value: number for result, number in report.counts.items() if number}


# --- what a new row becomes ---------------------------------------------------------------


def finds(text):
    """Whether some instrument, published or not, is filed under the words."""
    asked = " & ".join(term.whole for term in terms(text))
    return SearchEntry.objects.filter(words__asked=asked).exists()


def test_a_new_row_becomes_a_draft_with_its_facility(house):
    report = house.bring(row("7"))
    assert counts(report) == {"created": 1}
    instrument = Instrument.objects.select_related("facility").get()
    assert {
        name: getattr(instrument, name)
        for name in ("name", "room", "publication", "version", "source", "source_key", "owners")
    } == {
        "name": "Raman microscope",
        "room": "B1",
        "publication": "draft",
        "version": 1,
        "source": "table:lab",
        "source_key": "7",
        "owners": [
            {"name": "Hill University", "identifier": "https://ror.org/01hill", "identifier_type": "ROR"}
        ],
    }
    assert (instrument.organisation, instrument.region) == (house.organisation, house.region)
    assert instrument.created_at == instrument.updated_at == NOW
    assert all(map(finds, ("raman", "confocal", "532", "hill", "山大", "physics")))
    facility = instrument.facility
    assert (facility.name, facility.time_zone, facility.address) == ("Physics", "Europe/London", "Hill")
    assert (facility.contact_email, facility.contact_phone) == ("physics@hill.example", "1")


def test_a_row_without_a_site_stands_at_the_organisation(house):
    house.bring(row("1", facility=FacilityValues()), row("2", facility=FacilityValues()))
    assert [facility.name for facility in Facility.objects.all()] == ["Hill University"]


def test_the_time_zone_of_the_source_goes_before_the_region_s(house):
    house.bring(row(facility=FacilityValues("Observatory", "Atlantic/Canary")))
    assert Facility.objects.get().time_zone == "Atlantic/Canary"


def test_one_facility_for_all_rows(house):
    chemistry = row("2", facility=FacilityValues("Chemistry"))
    house.bring(row("1"), chemistry, facility="Instrument centre")
    facility = Facility.objects.get()
    assert (facility.name, facility.contact_email) == ("Instrument centre", "")
    assert facility.instruments.count() == 2


def test_the_first_row_of_a_facility_gives_its_contact(house):
    blank = FacilityValues("Physics", "", {"contact_email": ""})
    second = FacilityValues("Physics", "", {"contact_email": "b@hill.example"})
    third = FacilityValues("Physics", "", {"contact_email": "c@hill.example"})
    sites = (blank, second, third)
    house.bring(*(row(key, facility=site) for key, site in zip("123", sites, strict=True)))
    assert Facility.objects.get().contact_email == "b@hill.example"


def test_opening_hours_of_a_row_are_resolved_and_shared(house):
    house.bring(row("1", hours=WEEK), row("2", hours=WEEK), row("3", hours=ALWAYS), row("4"))
    found = {i.source_key: i.schedule for i in Instrument.objects.select_related("schedule")}
    assert found["1"] == found["2"]
    assert found["4"] is None
    assert Schedule.objects.count() == 2
    assert found["1"].hours == WEEK
    # Monday, 9 March 2026, 08:00 to 18:00 in Scotland.
    monday = OpenWindow.objects.filter(
        schedule=found["1"], span__contains=datetime(2026, 3, 9, 12, tzinfo=UTC)
    )
    assert [(w.span.lower, w.span.upper) for w in monday] == [
        (datetime(2026, 3, 9, 8, tzinfo=UTC), datetime(2026, 3, 9, 18, tzinfo=UTC))
    ]


def test_the_trail_has_one_entry_per_record(house):
    house.bring(row("1", hours=WEEK), row("2"), RowProblem("no-name"))
    entries = TrailEntry.objects.exclude(action__startswith="import.").order_by("id")
    assert [entry.action for entry in entries] == [
        "facility.create",
        "instrument.create",
        "instrument.create",
    ]
    entry = entries[1]
    assert entry.object_id == Instrument.objects.get(source_key="1").pk
    assert (entry.actor_id, entry.at) == (None, NOW)
    assert entry.organisation_ids == [house.organisation.pk]
    assert entry.region_ids == [house.region.pk]
    assert entry.before == {}
    assert entry.after["name"] == "Raman microscope"
    assert entry.after["opening_hours"] == WEEK
    assert (entry.after["source_key"], entry.after["line"]) == ("1", 2)


def test_the_contact_of_a_facility_stays_out_of_the_trail(house):
    house.bring(row("1"))
    house.bring(row("1", facility=FacilityValues("Physics", "", {"contact_email": "n@hill.example"})))
    entries = TrailEntry.objects.filter(action__startswith="facility")
    assert len(entries) == 2
    assert all("@" not in str((entry.before, entry.after)) for entry in entries)
    assert entries.order_by("id")[1].after == {"changed": ["contact_email"], "source": "table:lab"}


# --- importing again ----------------------------------------------------------------------


def test_importing_again_touches_nothing(house):
    rows = [row("1", hours=WEEK), row("2"), RowProblem("no-name")]
    house.bring(*rows)
    before = list(Instrument.objects.order_by("pk").values())
    entries = records()
    assert counts(house.bring(*rows, now=LATER)) == {"unchanged": 2, "refused": 1}
    assert list(Instrument.objects.order_by("pk").values()) == before
    assert records() == entries


def test_a_changed_row_changes_its_instrument_and_no_other(house):
    house.bring(row("1"), row("2"))
    others = list(Instrument.objects.filter(source_key="2").values())
    report = house.bring(row("1", name="Raman microscope 2"), row("2"), now=LATER)
    assert counts(report) == {"changed": 1, "unchanged": 1}
    instrument = Instrument.objects.get(source_key="1")
    assert (instrument.name, instrument.version) == ("Raman microscope 2", 2)
    assert (instrument.created_at, instrument.updated_at) == (NOW, LATER)
    assert finds("2")
    assert list(Instrument.objects.filter(source_key="2").values()) == others
    entry = TrailEntry.objects.get(action="instrument.update")
    assert entry.before == {"name": "Raman microscope"}
    assert entry.after == {
        "name": "Raman microscope 2",
        "source": "table:lab",
        "source_key": "1",
        "line": 2,
        "import": str(Import.objects.latest("pk").pk),
    }
    assert counts(house.bring(row("1", name="Raman microscope 2"), now=LATER)) == {"unchanged": 1}


def test_other_programs_are_told_of_published_records_that_an_import_changed(house):
    house.bring(row("1"), row("2"), row("3"))
    Instrument.objects.exclude(source_key="2").update(publication="published", published_at=NOW)
    house.bring(row("1", name="Raman 2"), row("2", name="Raman 3"), row("3"), row("4"), now=LATER)
    told = OutboxMessage.objects.filter(kind="instrument.changed")
    one = Instrument.objects.get(source_key="1")
    assert [effect.payload for effect in told] == [{"instrument": str(one.pk)}]


def test_what_people_edited_stays_while_the_source_says_the_same(house):
    house.bring(row("1"))
    Instrument.objects.update(name="Our Raman", description_zh="拉曼", version=5)
    Facility.objects.update(name="School of Physics", contact_phone="999")
    house.bring(row("1"), now=LATER)
    instrument = Instrument.objects.get()
    assert (instrument.name, instrument.version) == ("Our Raman", 5)
    assert [facility.name for facility in Facility.objects.all()] == ["School of Physics"]


def test_only_the_part_that_the_source_changed_is_overwritten(house):
    house.bring(row("1", hours=WEEK))
    schedule = Instrument.objects.get().schedule_id
    Facility.objects.update(name="School of Physics", contact_phone="999")
    Instrument.objects.update(description_zh="拉曼")
    house.bring(row("1", name="Raman 2", hours=WEEK), now=LATER)
    instrument = Instrument.objects.select_related("facility").get()
    assert (instrument.name, instrument.description_zh) == ("Raman 2", "拉曼")
    assert instrument.schedule_id == schedule
    assert (instrument.facility.name, instrument.facility.contact_phone) == ("School of Physics", "999")


def test_a_changed_contact_goes_to_the_facility_alone(house):
    house.bring(row("1"), row("2"))
    contact = {"contact_email": "new@hill.example", "contact_phone": "", "address": "Hill"}
    moved = FacilityValues("Physics", "", contact)
    report = house.bring(row("1", facility=moved), row("2", facility=moved), now=LATER)
    assert counts(report) == {"changed": 2}
    facility = Facility.objects.get()
    assert (facility.contact_email, facility.contact_phone) == ("new@hill.example", "1")
    assert facility.version == 2
    assert set(Instrument.objects.values_list("version", "updated_at")) == {(1, NOW)}
    assert not TrailEntry.objects.filter(action="instrument.update").exists()


def test_an_instrument_moves_with_its_row(house):
    house.bring(row("1"), row("2"))
    house.bring(row("1", facility=FacilityValues("Chemistry")), row("2"), now=LATER)
    moved = Instrument.objects.select_related("facility").get(source_key="1")
    assert moved.facility.name == "Chemistry"
    assert finds("chemistry")
    entry = TrailEntry.objects.get(action="instrument.update")
    assert entry.after["facility"] == str(moved.facility_id)


def test_a_draft_moved_to_another_time_zone_keeps_its_wall_clock_hours(house):
    house.bring(row("1", hours=WEEK))
    far = FacilityValues("Observatory", "Atlantic/Azores")
    house.bring(row("1", facility=far, hours=WEEK), now=LATER)
    schedule = Instrument.objects.select_related("schedule").get().schedule
    assert (schedule.time_zone, schedule.hours) == ("Atlantic/Azores", WEEK)


def test_a_published_instrument_does_not_move_to_another_time_zone(house):
    house.bring(row("1", hours=WEEK))
    Instrument.objects.update(publication="published", published_at=NOW)
    house.bring(row("1", facility=FacilityValues("Observatory", "Atlantic/Azores"), hours=WEEK))
    assert Instrument.objects.select_related("facility").get().facility.name == "Physics"


def test_changed_hours_reach_a_draft(house):
    house.bring(row("1", hours=WEEK))
    report = house.bring(row("1", hours=ALWAYS), now=LATER)
    assert (counts(report), report.kept) == ({"changed": 1}, 0)
    instrument = Instrument.objects.select_related("schedule").get()
    assert (instrument.schedule.hours, instrument.version) == (ALWAYS, 2)
    entry = TrailEntry.objects.get(action="instrument.update")
    assert (entry.before, entry.after["opening_hours"]) == ({"opening_hours": WEEK}, ALWAYS)


@pytest.mark.parametrize("dry_run", [True, False])
def test_changed_hours_leave_a_published_instrument_alone(house, dry_run):
    house.bring(row("1", hours=WEEK))
    Instrument.objects.update(publication="published", published_at=NOW)
    report = house.bring(row("1", hours=ALWAYS), dry_run=dry_run)
    assert (counts(report), report.kept) == ({"unchanged": 1}, 1)
    instrument = Instrument.objects.select_related("schedule").get()
    assert (instrument.schedule.hours, instrument.publication) == (WEEK, "published")


def test_a_row_that_no_longer_has_hours_takes_none_away(house):
    house.bring(row("1", hours=WEEK))
    house.bring(row("1"))
    assert Instrument.objects.select_related("schedule").get().schedule.hours == WEEK


def test_the_techniques_people_gave_stay_and_are_still_found(house):
    house.bring(row("1"))
    technique = Technique.objects.create(code="PaNET1", name="Raman spectroscopy", name_zh="拉曼")
    Instrument.objects.get().techniques.add(technique)
    house.bring(row("1", name="Alpha 300"), now=LATER)
    instrument = Instrument.objects.get()
    assert list(instrument.techniques.all()) == [technique]
    assert finds("spectroscopy 拉曼 alpha")


def test_instruments_missing_from_the_file_are_counted_and_stay(house):
    house.bring(row("1"), row("2"), row("3"))
    report = house.bring(row("2"), RowProblem("no-key"))
    assert (report.absent, Instrument.objects.count()) == (2, 3)


def test_sources_and_organisations_do_not_meet(house):
    house.bring(row("1"))
    assert counts(house.bring(row("1"), source="table:other")) == {"created": 1}
    neighbour = Organisation.objects.create(code="dale", name="Dale", kind="institute", region=house.region)
    assert counts(House(house.region, neighbour).bring(row("1"))) == {"created": 1}
    assert Instrument.objects.count() == 3


def test_an_instrument_made_by_hand_is_never_matched(house):
    house.bring(row("1"))
    facility = Facility.objects.get()
    by_hand = Instrument.objects.create(
        facility=facility, organisation=house.organisation, region=house.region,
        name="Raman microscope", created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    house.bring(row("1", name="Raman 2"))
    by_hand.refresh_from_db()
    assert by_hand.name == "Raman microscope"


# --- all or nothing -----------------------------------------------------------------------


def test_a_dry_run_says_the_same_and_writes_nothing(house):
    house.bring(row("1"), row("2"))
    rows = [row("1"), row("2", name="New"), row("3", hours=WEEK), row("3"), RowProblem("no-name")]
    tables = (Instrument, Facility, TrailEntry, Schedule)
    before = [list(model.objects.order_by("pk").values()) for model in tables]
    dry = house.bring(*rows, dry_run=True)
    assert [list(model.objects.order_by("pk").values()) for model in tables] == before
    assert counts(dry) == {"changed": 1, "unchanged": 1, "refused": 3}
    assert dry == house.bring(*rows)


def test_a_file_that_fails_half_way_leaves_nothing(house, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 2)

    def rows():
        for line in range(2, 8):
            yield line, row(str(line), hours=WEEK)
        raise FileRefused("unclosed-quote", line=9)

    with pytest.raises(FileRefused):
        house.bring(numbered=rows())
    for model in (Instrument, Facility, TrailEntry, Schedule):
        assert not model.objects.exists()


def test_batches_add_up(house, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 3)
    rows = [row(str(key), hours=WEEK) for key in range(10)]
    assert counts(house.bring(*rows)) == {"created": 10}
    assert (Facility.objects.count(), Schedule.objects.count()) == (1, 1)
    renamed = [row(str(key), name=f"No {key}", hours=WEEK) for key in range(10)]
    assert counts(house.bring(*renamed)) == {"changed": 10}
    assert {i.name for i in Instrument.objects.all()} == {f"No {key}" for key in range(10)}


def test_an_unknown_organisation_is_refused(db):
    with pytest.raises(NotFound):
        keep(uuid4(), b"Name\nSEM\n")


def test_a_person_needs_the_right_at_that_organisation(house):
    stranger = Grant("manager", organisation_id=uuid4())
    researcher = Grant("researcher", organisation_id=house.organisation.pk)
    for grants in ((), (stranger,), (researcher,)):
        with pytest.raises(NotPermitted):
            keep(house.organisation.pk, b"Name\nSEM\n", actor=Actor(uuid4(), grants))
    assert not Import.objects.exists()
    assert not TrailEntry.objects.exists()


# --- how many statements ------------------------------------------------------------------


def statements(act: Callable[[], ImportReport]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


@pytest.mark.parametrize("number", [10, 200])
def test_a_batch_takes_the_same_statements_however_many_rows(house, number):
    def rows(**changes: Any) -> list[RowValues]:
        return [row(str(key), **changes) for key in range(number)]

    load_parameters()  # else the first batch of a process reads them
    found = [
        statements(lambda: house.bring(*rows())),
        statements(lambda: house.bring(*rows())),
        statements(lambda: house.bring(*rows(name="Renamed"))),
    ]
    house.bring(*rows(name="Renamed", hours=WEEK))
    statements(lambda: house.bring(*rows(name="Renamed 2", hours=ALWAYS)))
    found.append(statements(lambda: house.bring(*rows(name="Renamed 3", hours=WEEK))))
    # New; unchanged; changed; with hours of a schedule that is there already. Four or five read terms.
    assert found == [60 + 6, 56, 69 + 6, 73 + 6]


# --- several at once ----------------------------------------------------------------------


@pytest.mark.concurrency
@pytest.mark.usefixtures("real_db")
def test_imports_of_one_organisation_follow_one_another():
    house = make_house()
    barrier = threading.Barrier(4)
    results: list[dict[str, int]] = []

    def run() -> None:
        try:
            barrier.wait()
            results.append(counts(house.bring(*(row(str(key), hours=WEEK) for key in range(40)))))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == [{"created": 40}, *[{"unchanged": 40}] * 3]
    assert Instrument.objects.count() == 40


# --- limits -------------------------------------------------------------------------------


def longest_accepted(parse: Callable[[str], Any], text: Callable[[int], str], most: int) -> bool:
    """Whether exactly `most` characters pass."""
    parse(text(most))
    try:
        parse(text(most + 1))
    except import_fields.Unusable as error:
        return error.most == most
    return False


def test_limits_are_those_of_the_models():
    def plain(length: int) -> str:
        return "x" * length

    def address(length: int) -> str:
        return "https://example.org/".ljust(length, "x")

    def mail(length: int) -> str:
        return "me@".ljust(length - 4, "x") + ".org"

    shapes = {"landing_page": address, "website": address, "contact_email": mail}
    for model, fields in (
        (Instrument, import_fields.INSTRUMENT_FIELDS),
        (Facility, import_fields.FACILITY_FIELDS),
    ):
        names = {field.name: field for field in model._meta.concrete_fields}
        for name, parse in fields.items():
            column = names.get("name" if name == "facility" else name)
            most = getattr(column, "max_length", None)
            if column is None or most is None or name in ("kind", "acquisition_currency"):
                continue
            assert longest_accepted(parse, shapes.get(name, plain), most), name


def test_choices_are_those_of_the_models():
    assert set(import_fields.KINDS) == set(Instrument.Kind.values)
    assert set(SERVICE_MODES) == set(Instrument.ServiceMode.values)


def test_every_field_can_be_stored(house):
    texts = dict.fromkeys(import_fields.INSTRUMENT_FIELDS, "")
    contact = dict.fromkeys(import_fields.FACILITY_FIELDS, "x" * 60) | {
        "contact_email": "a@example.org",
        "website": "https://example.org/",
    }
    full = {
        "name": "名" * 250,
        "acquisition_cost": "999999999999.99",
        "acquisition_currency": "CNY",
        "acquisition_date": "2020-02-29",
        "commissioned_date": "2020-03-01",
        "service_modes": "self;remote",
        "norm_hours": "1600",
        "serial_number": "S",
        "manufacturers": "A;B",
    }
    fields = {name: name for name in texts | contact}
    mapping = parse_mapping({"source": "lab", "key": "id", "fields": fields})
    cells = texts | contact | full | {"id": "1"}
    values = mapping.row(cells)
    assert isinstance(values, RowValues)
    assert counts(house.bring(values)) == {"created": 1}
    assert counts(house.bring(mapping.row(cells))) == {"unchanged": 1}
    stored = Instrument.objects.get()
    assert values.record.pop("techniques") == values.record.pop("capabilities") == []
    assert {name: getattr(stored, name) for name in values.record} == values.record


# --- real files ---------------------------------------------------------------------------


def real_file(name: str) -> Path:
    """A file of the shared folder: `SHARED_DATA`, or `../shared/data` beside the checkout."""
    root = Path(__file__).resolve().parents[4]
    path = Path(os.environ.get("SHARED_DATA") or root.parent / "shared" / "data") / name
    if not path.is_file():
        message = f"{path} is not there: set SHARED_DATA to the folder of real records"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


def bring_file(house: House, content: bytes, mapping: str, **options: Any) -> ImportReport:
    stream = io.BytesIO(content)
    if not mapping:
        rows = uniquip.rows_of(*read_records(stream))
        return house.bring(numbered=rows, source=uniquip.SOURCE, **options)
    loaded = parse_mapping(table.load_entries(mapping))
    rows = table.rows_of(loaded, *read_records(stream, delimiter=loaded.delimiter))
    return house.bring(numbered=rows, source=table.source_of(loaded), **options)


@pytest.mark.parametrize(
    ("name", "mapping", "number", "refused", "altered"),
    [
        (
            "uk_st_andrews_uniquip.csv", "", 623, {"no-name": 3},
            (b"Psychology,\r\n", b"Psychology,Open to all\r\n"),
        ),
        (
            "us_pnnl_instruments.csv", "pnnl", 263, {"left-out": 35},
            (b"11.5 T FTICR,", b"11.5 T magnet,"),
        ),
        (
            "us_emsl_instruments.csv", "emsl", 149, {"left-out": 6},
            (b"Finnigan LCQ Classic #1,24", b"Finnigan LCQ Classic #1,10"),
        ),
    ],
)  # fmt: skip
def test_real_files_imported_twice(house, name, mapping, number, refused, altered):
    content = real_file(name).read_bytes()
    first = bring_file(house, content, mapping)
    reasons = Counter(o.problem.reason for o in first.refused if o.problem)
    assert reasons == refused
    created = number - sum(refused.values())
    assert counts(first) == {"created": created, "refused": number - created}
    assert Instrument.objects.filter(publication="draft").count() == created

    again = bring_file(house, content, mapping, now=LATER)
    assert counts(again) == {"unchanged": created, "refused": number - created}
    assert (again.absent, Instrument.objects.exclude(updated_at=NOW).count()) == (0, 0)

    assert altered[0] in content
    third = bring_file(house, content.replace(*altered, 1), mapping, now=LATER)
    assert counts(third) == {"changed": 1, "unchanged": created - 1, "refused": number - created}
    assert Instrument.objects.exclude(updated_at=NOW).count() == 1


def test_hours_a_day_of_the_real_file_become_opening_hours(house):
    report = bring_file(house, real_file("us_emsl_instruments.csv").read_bytes(), "emsl")
    assert report.counts[Result.CREATED] == 143
    found = Counter(
        len(instrument.schedule.hours["weekly"]) if instrument.schedule else 0
        for instrument in Instrument.objects.select_related("schedule")
    )
    # 10 hours on five days, 24 on seven; one row says nothing.
    assert found == {5: 100, 7: 42, 0: 1}
    assert Schedule.objects.count() == 2
    assert Facility.objects.get().time_zone == "America/Los_Angeles"


def test_departments_of_the_real_file_become_facilities(house):
    bring_file(house, real_file("uk_st_andrews_uniquip.csv").read_bytes(), "")
    assert Facility.objects.count() == 12
    chemistry = Facility.objects.get(name="Chemistry")
    assert (chemistry.contact_email, chemistry.contact_phone, chemistry.website) == (
        "chemistry@st-andrews.ac.uk",
        "441334 463800",
        "https://www.st-andrews.ac.uk/chemistry/",
    )
    assert chemistry.instruments.count() == 216


# --- small files of our own ---------------------------------------------------------------

UNIQUIP = """\
Description,Site Location,Contact Telephone,Contact URL,Contact Email,Department,Service Level
UNKNOWN,Hill,1,https://hill.example/,,Hill University,
INDIGO MICROSCOPE RP,Hill,2,https://hill.example/m/,maths@hill.example,Maths,
TWIN CLUSTER,Hill,3,https://hill.example/c/,chem@hill.example,Chemistry,
TWIN CLUSTER,Hill,3,https://hill.example/c/,chem@hill.example,Chemistry,
97108,Hill,3,https://hill.example/c/,chem@hill.example,Chemistry,
"""


def test_a_small_dirty_file_imported_twice(house):
    first = bring_file(house, UNIQUIP.encode(), "")
    assert [o.line for o in first.refused] == [2, 6]
    assert first.counts[Result.CREATED] == 3
    assert Instrument.objects.filter(name="TWIN CLUSTER").count() == 2
    again = bring_file(house, UNIQUIP.encode(), "")
    assert counts(again) == {"unchanged": 3, "refused": 2}
    changed = UNIQUIP.replace("Maths,\n", "Maths,Open to all\n").encode()
    assert counts(bring_file(house, changed, "")) == {"changed": 1, "unchanged": 2, "refused": 2}
    description = Instrument.objects.get(name__startswith="INDIGO").description
    assert description == "INDIGO MICROSCOPE RP\nService level: Open to all"


# --- facilities of one name at several addresses ------------------------------------------

SEVERAL = """\
Description,Site Location,Contact Email,Department
RAMAN MICROSCOPE,North Haugh,chem@hill.example,Chemistry
MASS SPECTROMETER,north  haugh.,chem@hill.example,Chemistry
NMR MAGNET,Bute Building,chem@hill.example,Chemistry
XRD,Bute Building,chem@hill.example,Chemistry
GLOVE BOX,,chem@hill.example,Chemistry
"""


def places() -> dict[str, tuple[str, str]]:
    rows = Instrument.objects.select_related("facility")
    return {row.name: (row.facility.name, row.facility.address) for row in rows}


def test_facilities_of_one_name_are_told_apart_by_their_addresses(house):
    """No row takes the address of another; the preview says what its facility is called."""
    first = bring_file(house, SEVERAL.encode(), "")
    assert counts(first) == {"created": 5}
    own, other = ("Chemistry", "North Haugh"), ("Chemistry, Bute Building", "Bute Building")
    assert places() == {
        "RAMAN MICROSCOPE": own, "MASS SPECTROMETER": own, "GLOVE BOX": own,
        "NMR MAGNET": other, "XRD": other,
    }  # fmt: skip
    told = {row.name: row.differences for row in Import.objects.get().rows.all()}
    before = "Chemistry (North Haugh)"
    note = [{"field": "facility", "before": before, "after": other[0], "is_apart": True}]
    assert told == {name: note if place == other else [] for name, place in places().items()}
    again = bring_file(house, SEVERAL.encode(), "", now=LATER)
    assert counts(again) == {"unchanged": 5}
    changed = SEVERAL.replace("XRD,", "XRD D8,").replace("NMR MAGNET,", "GLOVE,").encode()
    bring_file(house, changed, "", now=LATER)
    assert Facility.objects.count() == 2


def test_the_preview_remembers_addresses_from_batch_to_batch(house, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 1)
    bring_file(house, SEVERAL.encode(), "")
    assert Facility.objects.count() == 2
    told = [row.differences for row in Import.objects.get().rows.order_by("position")]
    assert [bool(each) for each in told] == [False, False, True, True, False]


def test_a_facility_without_an_address_takes_that_of_the_first_row(house):
    Facility.objects.create(
        organisation=house.organisation, name="Chemistry", time_zone="Europe/London",
        contact_email="chemistry@hill.example",
    )  # fmt: skip
    bring_file(house, SEVERAL.encode(), "")
    facility = Facility.objects.get(name="Chemistry")
    assert (facility.address, facility.contact_email) == ("North Haugh", "chemistry@hill.example")
    assert Facility.objects.count() == 2


def test_another_address_of_a_known_row_changes_that_of_its_facility(house):
    house.bring(row())
    contact = {"contact_email": "physics@hill.example", "contact_phone": "1", "address": "Dale"}
    house.bring(row(facility=FacilityValues("Physics", "", contact)), now=LATER)
    assert [f.address for f in Facility.objects.all()] == ["Dale"]


def test_the_real_register_says_where_each_row_lies(house):
    content = real_file("uk_st_andrews_uniquip.csv").read_bytes()
    bring_file(house, content, "")
    said = {
        (row.key, row.values["contact"].get("address", "").casefold())
        for row in Import.objects.get().rows.filter(values__isnull=False)
    }
    kept = Instrument.objects.values_list("source_key", "facility__address")
    assert said == {(key, address.casefold()) for key, address in kept}


def test_a_file_is_called_by_its_name_alone(house):
    """Names come in with folders in full-width signs and with signs that turn the text round."""
    wrong = "\uff0e\uff0e\uff0fetc\u2215list\u202evsc.exe. "
    job = keep(house.organisation.pk, b"Description\r\nA\r\n", name=wrong)
    assert job.file_name == "listvsc.exe"
