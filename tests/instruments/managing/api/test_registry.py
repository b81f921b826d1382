"""Facilities, instruments and techniques through the API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import TrailEntry
from instruments.policy.models import BookingPolicy
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.models import Technique
from tests.factories.api import Program
from tests.factories.cast import Cast

type Programs = Callable[..., Program]

PIDINST = json.loads((Path(__file__).parents[3] / "data" / "pidinst-schema-1_0.schema.json").read_text())

FULL: dict[str, Any] = {
    "name": "Confocal microscope",
    "name_zh": "共聚焦显微镜",
    "identifier": "21.T11998/0000-001A-3905-F",
    "identifier_type": "Handle",
    "landing_page": "https://example.org/instruments/42?lang=zh#top",
    "owners": [
        {"name": "USTC", "contact": "owner@ustc.example", "identifier": "04c4dkn09", "identifier_type": "ROR"}
    ],
    "manufacturers": [{"name": "Zeiss", "identifier": "x", "identifier_type": "Other"}],
    "model": "LSM 980",
    "model_identifier": "LSM-980-01",
    "description": "Airyscan 2.",
    "description_zh": "超高分辨率。",
    "instrument_types": [{"name": "Confocal"}],
    "measured_variables": [{"name": "fluorescence intensity"}],
    "dates": [{"date": "2020-01-31", "date_type": "Commissioned"}],
    "related_identifiers": [
        {
            "identifier": "10.1000/182",
            "identifier_type": "DOI",
            "relation_type": "IsDescribedBy",
            "name": "The paper",
        }
    ],
    "alternate_identifiers": [
        {"identifier": "SN-1", "identifier_type": "SerialNumber"},
        {"identifier": "A7", "identifier_type": "Other", "name": "Asset"},
    ],
    "techniques": ["PaNET01198"],
    "classification_code": "03010203",
    "acquisition_cost": {"amount": "4500000.00", "currency": "CNY"},
    "acquisition_date": "2019-12-01",
    "service_modes": ["self", "entrusted"],
    "kind": "dedicated",
    "norm_hours": 1000,
    "room": "B-12",
    "units": 3,
}


def body(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "facility": str(cast.facility.pk),
        "name": "Confocal microscope",
        "manufacturers": [{"name": "Zeiss"}],
        "description": "Airyscan 2.",
        "service_modes": ["self"],
    } | changes


# Facilities


def test_enter_a_facility(cast: Cast, program: Programs) -> None:
    given = {
        "organisation": "ustc",
        "name": "Life Sciences",
        "name_zh": "生命科学实验中心",
        "time_zone": "Asia/Shanghai",
        "address": "合肥市金寨路96号",
        "contact_name": "赵敏",
        "contact_email": "lab@ustc.example",
        "contact_phone": "+86 551 0000",
        "website": "https://life.ustc.example/",
        "latitude": "31.83990",
        "longitude": "117.26420",
    }
    made = program("zhao").post("facilities/", given)
    assert made.status == 201
    assert {name: made.body[name] for name in given} == given
    assert (made.body["region"], made.body["version"]) == ("CN-AH", 1)
    assert made.headers["ETag"] == '"1"'
    assert program().get(made.headers["Location"]).body == made.body
    assert len(program().get("facilities/").ids) == 2
    assert program().get("facilities/?organisation=fudan").ids == []
    assert program().get(f"facilities/{uuid4()}/").status == 404
    where = made.headers["Location"]
    changed = program("zhao").patch(where, {"address": "Hefei"}, if_match='"1"')
    assert (changed.body["address"], changed.body["version"]) == ("Hefei", 2)
    assert program("zhao").patch(where, {"name": "Late"}, if_match='"1"').status == 412
    assert program("zhao").patch(where, {"time_zone": "UTC"}).problems == [("time_zone", "unknown-field")]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"name": ""}, [("name", "required")]),
        ({"name": "   "}, [("name", "required")]),
        ({"name": "x" * 201}, [("name", "too-long")]),
        ({"name": 7}, [("name", "not-a-text")]),
        ({"name": "Instruments Centre"}, [("name", "name-taken")]),
        ({"time_zone": "Mars/Olympus"}, [("time_zone", "unknown-time-zone")]),
        ({"organisation": "nobody"}, [("organisation", "unknown-value")]),
        ({"contact_email": "x"}, [("contact_email", "not-a-mail-address")]),
        ({"website": "javascript:alert(1)"}, [("website", "not-an-address")]),
        ({"website": "https://a b"}, [("website", "not-an-address")]),
        ({"website": "https://[x"}, [("website", "not-an-address")]),
        ({"latitude": "91"}, [("latitude", "out-of-range")]),
        ({"longitude": "1.234567"}, [("longitude", "too-many-decimals")]),
        ({"latitude": "north"}, [("latitude", "not-a-decimal")]),
        ({"country": "CN"}, [("country", "unknown-field")]),
    ],
)
def test_a_facility_of_a_wrong_shape(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    given = {"organisation": "ustc", "name": "New", "time_zone": "Asia/Shanghai"} | changes
    answer = program("zhao").post("facilities/", given)
    assert (answer.status, answer.problems) == (400, problems)
    assert Facility.objects.count() == 1


def test_only_the_organisations_managers_enter_facilities(cast: Cast, program: Programs) -> None:
    given = {"organisation": "ustc", "name": "New", "time_zone": "Asia/Shanghai"}
    for name in ("chen", "sun", "wang", "auditor"):
        assert program(name).post("facilities/", given).code == "not-permitted", name
    assert program().post("facilities/", given).status == 401
    assert Facility.objects.count() == 1


def test_facilities_in_pages(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    for name in ("A", "B", "C"):
        zhao.post("facilities/", {"organisation": "ustc", "name": name, "time_zone": "UTC"})
    pages = list(zhao.pages("facilities/?limit=3"))
    assert [len(page) for page in pages] == [3, 1, 3]


# Instruments


def test_enough_to_create(cast: Cast, program: Programs) -> None:
    made = program("zhao").post("instruments/", body(cast))
    assert made.status == 201
    assert made.body["publication"] == "draft"
    assert made.body["units"] is None
    assert made.headers["ETag"] == '"1"'
    assert program("zhao").get(made.headers["Location"]).body == made.body


def test_every_property_comes_back_as_it_was_sent(cast: Cast, program: Programs) -> None:
    made = program("zhao").post("instruments/", body(cast, **FULL))
    assert made.status == 201, made.body
    shown = made.body
    for name, value in FULL.items():
        if name == "techniques":
            assert [technique["code"] for technique in shown[name]] == value
        else:
            assert shown[name] == value, name
    assert shown["facility"] == str(cast.facility.pk)
    assert BookingPolicy.objects.get(instrument_id=shown["id"]).slot_minutes == 30


def test_a_member_who_may_not_publish_submits(cast: Cast, program: Programs) -> None:
    sun = program("sun")
    made = sun.post("instruments/", body(cast))
    assert made.status == 201
    here = made.headers["Location"]
    assert sun.post(f"{here}publish/").code == "not-permitted"
    assert sun.patch(here, {"model": "X"}).code == "not-permitted"
    assert sun.post(f"{here}submit/").body["publication"] == "submitted"
    assert program("sun").post("instruments/", body(cast, units=2)).code == "not-permitted"
    assert Instrument.objects.count() == 2


def test_who_may_not(cast: Cast, program: Programs) -> None:
    for name in ("wang", "chen", "hu", "auditor", "alice"):
        assert program(name).post("instruments/", body(cast)).code == "not-permitted", name
    assert program().post("instruments/", body(cast)).status == 401
    here = f"instruments/{cast.microscope.pk}/"
    entries = TrailEntry.objects.exclude(action="token.issue").count()
    for method, path, given in (
        ("PATCH", "", {"name": "Mine"}),
        ("POST", "suspend/", {}),
        ("POST", "retire/", {}),
        ("PUT", "opening-hours/", {}),
        ("PUT", "policy/", {}),
        ("POST", "rate-cards/", {"currency": "CNY", "valid_from": "2027-01-01", "rates": {"internal": "1"}}),
    ):
        answer = program("chen").send(method, here + path, given)
        assert (answer.status, answer.code) == (403, "not-permitted"), path
        answer = program().send(method, here + path, given)
        assert (answer.status, answer.code) == (401, "not-signed-in"), path
    cast.microscope.refresh_from_db()
    assert cast.microscope.name == "Transmission electron microscope"
    assert TrailEntry.objects.exclude(action="token.issue").count() == entries


def test_a_draft_of_others_is_not_there(cast: Cast, program: Programs) -> None:
    made = program("zhao").post("instruments/", body(cast))
    here = made.headers["Location"]
    for name in ("chen", None):
        for path in (
            "",
            "pidinst/",
            "availability/",
            "closures/",
            "opening-hours/",
            "policy/",
            "rate-cards/",
        ):
            assert program(name).get(here + path).status == 404, path
    for method, path, given in (
        ("PATCH", "", {"name": "Mine"}),
        ("POST", "publish/", {}),
        ("PUT", "opening-hours/", {}),
        ("PUT", "policy/", {}),
        ("POST", "rate-cards/", {"currency": "CNY", "valid_from": "2027-01-01", "rates": {"internal": "1"}}),
    ):
        answer = program("chen").send(method, here + path, given)
        assert (answer.status, answer.code) == (404, "not-found"), path
    assert program("auditor").get(here).status == 200
    assert program("sun").get(here).status == 200


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"facility": None}, [("facility", "required")]),
        ({"facility": str(uuid4())}, [("facility", "unknown-value")]),
        ({"facility": "here"}, [("facility", "not-an-id")]),
        ({"name": "x" * 251}, [("name", "too-long")]),
        ({"manufacturers": {"name": "Zeiss"}}, [("manufacturers", "not-a-list")]),
        ({"manufacturers": ["Zeiss"]}, [("manufacturers[0]", "not-an-object")]),
        (
            {"manufacturers": [{"name": "Zeiss"}, {"nmae": "Leica"}]},
            [("manufacturers[1].name", "required"), ("manufacturers[1].nmae", "unknown-field")],
        ),
        ({"manufacturers": [{"name": "x"}] * 51}, [("manufacturers", "too-many")]),
        ({"techniques": ["PaNET01198", "lost"]}, [("techniques[1]", "unknown-value")]),
        ({"techniques": [7]}, [("techniques[0]", "not-a-text")]),
        ({"service_modes": ["self", "robot"]}, [("service_modes[1]", "unknown-value")]),
        ({"landing_page": "ftp://x.example/"}, [("landing_page", "not-an-address")]),
        ({"dates": [{"date": "20200131", "date_type": "Commissioned"}]}, [("dates[0].date", "not-a-date")]),
        (
            {"dates": [{"date": "2020-01-31", "date_type": "Bought"}]},
            [("dates[0].date_type", "unknown-value")],
        ),
        ({"acquisition_date": "31.1.2020"}, [("acquisition_date", "not-a-date")]),
        (
            {"acquisition_cost": {"amount": "1.234", "currency": "XXX"}},
            [
                ("acquisition_cost.amount", "too-many-decimals"),
                ("acquisition_cost.currency", "unknown-value"),
            ],
        ),
        ({"acquisition_cost": 5}, [("acquisition_cost", "not-an-object")]),
        ({"norm_hours": "1400"}, [("norm_hours", "not-an-integer")]),
        ({"norm_hours": True}, [("norm_hours", "not-an-integer")]),
        ({"norm_hours": 10**30}, [("norm_hours", "out-of-range")]),
        ({"kind": "both"}, [("kind", "unknown-value")]),
        ({"units": 0}, [("units", "out-of-range")]),
        ({"owners": [{"name": "A", "contact": "x"}]}, [("owners[0].contact", "not-a-mail-address")]),
        ({"publication": "published"}, [("publication", "unknown-field")]),
        ({"version": 1, "id": "x"}, [("version", "unknown-field"), ("id", "unknown-field")]),
    ],
)
def test_a_record_of_a_wrong_shape(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    answer = program("zhao").post("instruments/", body(cast, **changes))
    assert (answer.status, answer.problems) == (400, problems)
    assert Instrument.objects.count() == 1


def test_change_some_fields(cast: Cast, program: Programs) -> None:
    zhao, here = program("zhao"), f"instruments/{cast.microscope.pk}/"
    before = zhao.get(here)
    tag = before.headers["ETag"]
    changed = zhao.patch(here, {"name_zh": "新名字", "techniques": [], "units": 2}, If_Match=tag)
    assert changed.status == 200
    expected = before.body | {
        "name_zh": "新名字",
        "techniques": [],
        "units": 2,
        "version": before.body["version"] + 1,
        "updated_at": "2026-03-05T04:00:00Z",
        "quality": {
            "mark": "bronze",
            "following": "silver",
            "lacking": ["techniques", "telling-description", "contact"],
        },
    }
    assert changed.body == expected
    assert changed.headers["ETag"] == f'"{expected["version"]}"'
    stale = zhao.patch(here, {"name_zh": "旧"}, If_Match=tag)
    assert (stale.status, stale.code) == (412, "wrong-version")
    assert stale.body["version"] == expected["version"]
    assert zhao.patch(here, {"facility": str(cast.facility.pk)}).problems == [("facility", "unknown-field")]
    cleared = zhao.patch(here, {"acquisition_cost": None, "norm_hours": None, "description": ""})
    assert (cleared.body["acquisition_cost"], cleared.body["norm_hours"]) == (None, None)
    assert zhao.patch(here, {"name": ""}).problems == [("name", "required")]
    assert zhao.get(here).body["name_zh"] == "新名字"
    # The units came with the rest of the policy as it was.
    assert zhao.get(f"{here}policy/").body["max_minutes"] == 480


def test_names_are_on_one_line(cast: Cast, program: Programs) -> None:
    """Whatever a program writes: papers, calendars and lists have one line for them."""
    zhao, name = program("zhao"), "Fine\r\n \tmicro\u202escope\u2028No.\x0b 2"
    for path in (f"instruments/{cast.microscope.pk}/", f"facilities/{cast.facility.pk}/"):
        changed = zhao.patch(path, {"name": name, "name_zh": "精\n密"})
        assert (changed.body["name"], changed.body["name_zh"]) == ("Fine microscope No. 2", "精 密")
        assert zhao.patch(path, {"name": "\u200b"}).problems == [("name", "required")]


def test_created_once(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    first = zhao.post("instruments/", body(cast), Idempotency_Key="k")
    again = zhao.post("instruments/", body(cast), Idempotency_Key="k")
    assert (again.status, again.body) == (201, first.body)
    assert Instrument.objects.count() == 2


# Publication


def test_the_checklist_and_the_steps(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    here = zhao.post("instruments/", {"facility": str(cast.facility.pk), "name": "Bare"}).headers["Location"]
    refused = zhao.post(f"{here}publish/")
    assert (refused.status, refused.code) == (422, "record-incomplete")
    assert refused.body["missing"] == [
        "description",
        "manufacturers",
        "service-modes",
        "opening-hours",
        "policy",
        "rate-card",
    ]
    zhao.patch(here, {"description": "d", "manufacturers": [{"name": "m"}], "service_modes": ["self"]})
    zhao.put(f"{here}opening-hours/", {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "20:00"}]})
    zhao.put(f"{here}policy/", {})
    card = {"currency": "CNY", "valid_from": "2026-01-01", "rates": {"internal": "1"}}
    zhao.post(f"{here}rate-cards/", card)
    assert zhao.post(f"{here}publish/").body["missing"] == ["rate-card"]  # a draft only
    zhao.post(f"{here}rate-cards/", card | {"publish": True})
    tag = zhao.get(here).headers["ETag"]
    assert zhao.post(f"{here}publish/", {}, If_Match='"1"').code == "wrong-version"
    published = zhao.post(f"{here}publish/", {}, If_Match=tag)
    assert published.body["publication"] == "published"
    assert published.body["published_at"] == "2026-03-05T04:00:00Z"
    assert published.body["id"] in program().get("instruments/").ids
    assert zhao.post(f"{here}publish/").code == "wrong-state"
    assert zhao.post(f"{here}suspend/", {"reason": "x"}).body["publication"] == "suspended"
    assert zhao.post(f"{here}publish/").body["publication"] == "published"
    assert zhao.post(f"{here}retire/").body["publication"] == "retired"
    final = zhao.post(f"{here}publish/")
    assert (final.status, final.code, final.body["state"]) == (409, "wrong-state", "retired")
    assert zhao.post(f"{here}retire/", {"reason": "x" * 501}).problems == [("reason", "too-long")]


# PIDINST


def validate(record: Any) -> None:
    jsonschema.validate(
        record,
        PIDINST,
        cls=jsonschema.Draft7Validator,
        format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
    )


def test_a_full_record_as_pidinst(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    made = zhao.post("instruments/", body(cast, **FULL))
    record = zhao.get(f"{made.headers['Location']}pidinst/").body
    validate(record)
    assert record == {
        "identifier": {"identifier": "21.T11998/0000-001A-3905-F", "identifierType": "Handle"},
        "schemaVersion": "1.0",
        "landingPage": "https://example.org/instruments/42?lang=zh#top",
        "name": "Confocal microscope",
        "owners": [
            {
                "ownerName": "USTC",
                "ownerIdentifier": {"ownerIdentifier": "04c4dkn09", "ownerIdentifierType": "ROR"},
                "ownerContact": "owner@ustc.example",
            }
        ],
        "manufacturers": [
            {
                "manufacturerName": "Zeiss",
                "manufacturerIdentifier": {
                    "manufacturerIdentifier": "x",
                    "manufacturerIdentifierType": "Other",
                },
            }
        ],
        "model": {
            "modelName": "LSM 980",
            "modelIdentifier": {"modelIdentifier": "LSM-980-01", "modelIdentifierType": "Other"},
        },
        "description": "Airyscan 2.",
        "instrumentTypes": [{"instrumentTypeName": "Confocal"}],
        "measuredVariables": ["fluorescence intensity"],
        "dates": [{"date": "2020-01-31", "dateType": "Commissioned"}],
        "relatedIdentifiers": [
            {
                "relatedIdentifier": "10.1000/182",
                "relatedIdentifierType": "DOI",
                "relationType": "IsDescribedBy",
                "relatedIdentifierName": "The paper",
            }
        ],
        "alternateIdentifiers": [
            {"alternateIdentifier": "SN-1", "alternateIdentifierType": "SerialNumber"},
            {
                "alternateIdentifier": "A7",
                "alternateIdentifierType": "Other",
                "alternateIdentifierName": "Asset",
            },
        ],
    }


def test_the_barest_record_as_pidinst(cast: Cast, program: Programs) -> None:
    cast.ustc.ror = "https://ror.org/04c4dkn09"
    cast.ustc.save()
    made = program("zhao").post("instruments/", {"facility": str(cast.facility.pk), "name": "裸机"})
    record = program("zhao").get(f"{made.headers['Location']}pidinst/").body
    validate(record)
    page = f"http://127.0.0.1:8000/instruments/{made.body['id']}/"
    assert record == {
        "identifier": {"identifier": page, "identifierType": "URL"},
        "schemaVersion": "1.0",
        "landingPage": page,
        "name": "裸机",
        "owners": [
            {
                "ownerName": "USTC",
                "ownerIdentifier": {
                    "ownerIdentifier": "https://ror.org/04c4dkn09",
                    "ownerIdentifierType": "ROR",
                },
            }
        ],
        "manufacturers": [{"manufacturerName": "Unknown"}],
    }


def test_words_that_pidinst_has_not(cast: Cast, program: Programs) -> None:
    instrument = cast.microscope
    instrument.dates = [{"date": "2020-01-31", "date_type": "Bought"}]
    instrument.related_identifiers = [
        {"identifier": "x", "identifier_type": "Fax", "relation_type": "References"}
    ]
    instrument.alternate_identifiers = [{"identifier": "x", "identifier_type": "Barcode"}]
    instrument.save()
    record = program().get(f"instruments/{instrument.pk}/pidinst/").body
    validate(record)
    assert "dates" not in record
    assert "relatedIdentifiers" not in record
    assert record["alternateIdentifiers"] == [
        {"alternateIdentifier": "x", "alternateIdentifierType": "Other", "alternateIdentifierName": "Barcode"}
    ]


# Techniques


def test_techniques(cast: Cast, program: Programs) -> None:
    wide = Technique.objects.create(code="PaNET00001", name="microscopy", synonyms=["optics"])
    cast.technique.parents.add(wide)
    listed = program().get("techniques/").body["results"]
    assert [(row["code"], row["parents"]) for row in listed] == [
        ("PaNET00001", []),
        ("PaNET01198", ["PaNET00001"]),
    ]
    found = program().get("techniques/?q=电子").body["results"]
    assert [row["code"] for row in found] == ["PaNET01198"]


def test_techniques_ask_as_much_of_the_database_for_three_as_for_one(cast: Cast, program: Programs) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert program().get("techniques/").status == 200
        return len(captured)

    one = statements()
    Technique.objects.create(code="B", name="b").parents.add(cast.technique)
    Technique.objects.create(code="C", name="c").parents.add(cast.technique)
    assert statements() == one == 2
