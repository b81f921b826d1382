"""Regions and organisations through the API."""

import base64
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, Region
from accounts.selectors.installation import installation
from accounts.services.memberships import membership_start
from accounts.services.organisations import region_create
from tests.factories.api import Program
from tests.factories.cast import NOW, Cast

type Programs = Callable[..., Program]


def test_regions(cast: Cast, program: Programs) -> None:
    rows = program().get("regions/").body["results"]
    assert [(row["code"], row["parent"], row["shares"]) for row in rows] == [
        ("CN", None, False),
        ("CN-AH", "CN", True),
        ("CN-SH", "CN", True),
    ]
    assert rows[1]["name_zh"] == "安徽"
    assert (rows[1]["currency"], rows[1]["time_zone"]) == ("CNY", "Asia/Shanghai")


def test_organisations(cast: Cast, program: Programs) -> None:
    rows = program().get("organisations/").body["results"]
    assert [(row["code"], row["kind"], row["region"]) for row in rows] == [
        ("fudan", "university", "CN-SH"),
        ("optics", "enterprise", "CN-AH"),
        ("ustc", "university", "CN-AH"),
    ]


def test_those_one_may_book_for(cast: Cast, program: Programs) -> None:
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    codes = [row["code"] for row in program("wang").get("organisations/?mine=1").body["results"]]
    assert codes == ["fudan"]  # a member of USTC, but without the role
    assert program("zhao").get("organisations/?mine=true").ids == []  # manages, does not book
    assert program("alice").get("organisations/?mine=1").ids == []
    assert len(program("alice").get("organisations/?mine=0").ids) == 3
    nobody = program().get("organisations/?mine=1")
    assert (nobody.status, nobody.code) == (401, "not-signed-in")
    assert program().get("organisations/?mine=x").problems == [("mine", "not-a-boolean")]


def test_they_are_found_by_what_narrows_the_page(cast: Cast, program: Programs) -> None:
    """By words, region with those below it, kind and state; those that one books for as well."""
    cast.ustc.closed_at = NOW
    cast.ustc.save()
    for query, codes in {
        "q=FUD": ["fudan"],
        "q=nowhere": [],
        "region=CN": ["fudan", "optics", "ustc"],
        "region=CN-AH": ["optics", "ustc"],
        "region=XX": [],
        "kind=enterprise": ["optics"],
        "state=open": ["fudan", "optics"],
        "state=closed&region=CN-AH": ["ustc"],
    }.items():
        answer = program("wang").get(f"organisations/?{query}")
        assert [row["code"] for row in answer.body["results"]] == codes, query
    assert program("wang").get("organisations/?mine=1&q=ust").ids == []
    assert program().get("organisations/?state=merged").problems == [("state", "unknown-value")]


def test_pages_there_and_back(cast: Cast, program: Programs) -> None:
    for code in ("DE", "DK", "ES"):
        region_create(
            By(PLATFORM, NOW),
            scheme="ISO 3166",
            code=code,
            parent=None,
            name=code,
            time_zone="UTC",
            currency="EUR",
        )
    everything = program().get("regions/").ids
    pages = list(program().pages("regions/?limit=4"))
    assert pages == [everything[:4], everything[4:], everything[:4]]
    first = program().get("regions/?limit=2&lang=zh-hans").body
    assert first["next"].startswith("http://testserver/api/v1/regions/?")
    assert "limit=2" in first["next"]
    assert "lang=zh-hans" in first["next"]
    exact = program().get("regions/?limit=6").body
    assert (exact["next"], exact["previous"]) == (None, None)


def test_a_cursor_of_another_list(cast: Cast, program: Programs) -> None:
    cursor = program().get("regions/?limit=1").body["next"].partition("cursor=")[2].split("&")[0]
    assert program().get(f"organisations/?cursor={cursor}").problems == [("cursor", "unknown-cursor")]


def test_lists_ask_as_much_of_the_database_for_three_as_for_one(cast: Cast, program: Programs) -> None:
    installation()  # remembered by every process
    for path in ("regions/", "organisations/"):
        counts = []
        for limit in (1, 3):
            with CaptureQueriesContext(connection) as captured:
                program().get(f"{path}?limit={limit}")
            counts.append(len(captured))
        assert counts == [1, 1]


# Entering and changing

NEW = {"code": "third", "name": "Third University", "kind": "university", "region": "CN-AH"}


def test_a_known_region_needs_scheme_and_code(cast: Cast, program: Programs) -> None:
    made = program("admin").post("regions/", {"scheme": "iso-3166-2", "code": "CN-JS"})
    assert made.status == 201
    assert made.headers["Location"] == "/api/v1/regions/CN-JS/"
    assert made.headers["ETag"] == '"1"'
    assert {name: made.body[name] for name in ("scheme", "parent", "name_zh", "currency")} == {
        "scheme": "ISO 3166-2",
        "parent": "CN",
        "name_zh": "江苏",
        "currency": "CNY",
    }
    assert program().get("regions/CN-JS/").body == made.body


def test_what_is_wrong_with_a_region_is_said_by_field(cast: Cast, program: Programs) -> None:
    admin = program("admin")
    before = Region.objects.count()
    for body, problems in (
        ({"code": "CN-JS"}, [("scheme", "required")]),
        ({"scheme": "x", "code": "CN-AH", "name": "A", "time_zone": "UTC", "currency": "EUR"},
         [("code", "code-taken")]),
        ({"scheme": "gb-t-2260", "code": "340000"}, [("code", "same-place")]),
        ({"scheme": "iso-3166-2", "code": "CN-JS", "parent": "XX"}, [("parent", "unknown-region")]),
        ({"scheme": "iso-3166-2", "code": "CN-JS", "currency": "ABC", "time_zone": "Mars"},
         [("currency", "unknown-currency"), ("time_zone", "unknown-time-zone")]),
        ({"scheme": "iso-3166-2", "code": "US-WA"}, [("time_zone", "required")]),
        ({"scheme": "iso-3166-2", "code": "CN-JS", "rank": 1}, [("rank", "unknown-field")]),
    ):  # fmt: skip
        answer = admin.post("regions/", body)
        assert (answer.status, answer.problems) == (400, problems)
    assert Region.objects.count() == before


def test_a_region_changes_only_from_the_version_that_was_read(cast: Cast, program: Programs) -> None:
    admin = program("admin")
    changed = admin.patch("regions/CN-AH/", {"name": "An Hui"}, if_match='"1"')
    assert (changed.status, changed.body["name"], changed.headers["ETag"]) == (200, "An Hui", '"2"')
    again = admin.patch("regions/CN-AH/", {"name": "X"}, if_match='"1"')
    assert (again.status, again.code) == (412, "wrong-version")
    assert program().get("regions/CN-AH/").body["name"] == "An Hui"
    top = admin.patch("regions/CN-AH/", {"parent": None})
    assert top.body["parent"] is None
    assert program().get("regions/NONE/").status == 404


def test_a_region_is_closed_when_nothing_is_in_it(cast: Cast, program: Programs) -> None:
    admin = program("admin")
    assert admin.post("regions/CN-AH/close/", {}).code == "region-has-organisations"
    admin.post("regions/", {"scheme": "iso-3166-2", "code": "CN-JS"})
    assert admin.post("regions/CN-JS/close/", {}).body["closed_at"] == "2026-03-05T04:00:00Z"
    refused = admin.patch("regions/CN-JS/", {"name": "X"})
    assert (refused.status, refused.code) == (409, "region-closed")


def test_a_coordinator_enters_an_organisation_once(cast: Cast, program: Programs) -> None:
    coordinator = program("coordinator")
    body = NEW | {"ror": "05a28rw58", "tax_number": "12340000485001086E"}
    made = coordinator.post("organisations/", body, idempotency_key="third")
    assert (made.status, made.headers["ETag"]) == (201, '"1"')
    assert (made.body["ror"], made.body["tax_number"]) == ("https://ror.org/05a28rw58", "12340000485001086E")
    assert coordinator.post("organisations/", body, idempotency_key="third").body == made.body
    assert Organisation.objects.filter(code="third").count() == 1
    assert coordinator.post("organisations/", NEW).problems == [("code", "code-taken")]
    elsewhere = coordinator.post("organisations/", NEW | {"code": "x", "region": "CN-SH"})
    assert (elsewhere.status, elsewhere.code) == (403, "not-permitted")


def test_what_paper_needs_is_for_few(cast: Cast, program: Programs) -> None:
    Organisation.objects.filter(pk=cast.ustc.pk).update(tax_number="T1", bank_account="B1")
    address = f"organisations/{cast.ustc.pk}/"
    readers = ("zhao", "gao", "auditor", "coordinator", "admin")
    for who in (None, "alice", "sun", "chen", "lin", "xu", *readers):
        body = program(*[who] if who else []).get(address).body
        shown = ("T1", "B1") if who in readers else (None, None)
        assert (body["tax_number"], body["bank_account"]) == shown, who
    for row in program("admin").get("organisations/").body["results"]:
        assert "tax_number" not in row


def test_an_organisation_is_renamed(cast: Cast, program: Programs) -> None:
    address = f"organisations/{cast.ustc.pk}/"
    coordinator = program("coordinator")
    changed = coordinator.patch(address, {"name": "U", "code": "u"}, if_match='"1"')
    assert (changed.status, changed.body["code"], changed.headers["ETag"]) == (200, "u", '"2"')
    stale = coordinator.patch(address, {"name": "X"}, if_match='"1"')
    assert (stale.status, stale.code) == (412, "wrong-version")
    for body, problems in (
        ({"region": "CN-SH"}, [("region", "unknown-field")]),
        ({"kind": "club"}, [("kind", "unknown-value")]),
        ({"ror": "04c4dkn08"}, [("ror", "not-a-ror")]),
        ({"name": ""}, [("name", "required")]),
        ({"invoice_email": "no"}, [("invoice_email", "not-a-mail-address")]),
    ):
        assert coordinator.patch(address, body).problems == problems
    assert program("zhao").patch(address, {"name": "X"}).status == 403


def test_a_file_of_organisations(cast: Cast, program: Programs) -> None:
    coordinator = program("coordinator")
    good = base64.b64encode(b"code,name,kind,region\nnew,New,institute,CN-AH\n").decode()
    preview = coordinator.post("imports/organisations/", {"file": good, "dry_run": True})
    assert (preview.status, preview.body["new"]) == (200, 1)
    assert preview.body["rows"][0] == {
        "line": 2, "result": "new", "code": "new", "name": "New", "changes": [], "problems": [],
    }  # fmt: skip
    assert not Organisation.objects.filter(code="new").exists()
    bad = base64.b64encode(b"code,name,kind,region\nnew,New,institute,CN-SH\n").decode()
    refused = coordinator.post("imports/organisations/", {"file": bad})
    assert (refused.status, refused.code) == (422, "register-rows-refused")
    assert refused.body["rows"][0]["problems"][0]["code"] == "not-permitted"
    for _ in range(2):
        done = coordinator.post("imports/organisations/", {"file": good}, idempotency_key="a")
        assert (done.status, done.body["new"]) == (200, 1)
    assert coordinator.post("imports/organisations/", {"file": good}).body["unchanged"] == 1
    assert coordinator.post("imports/organisations/", {"file": "?"}).problems == [("file", "not-base64")]
    assert program("wang").post("imports/organisations/", {"file": good}).status == 403


def test_a_file_of_regions(cast: Cast, program: Programs) -> None:
    file = base64.b64encode(b"code\nCN-JS\n").decode()
    assert program("coordinator").post("imports/regions/", {"file": file}).status == 403
    assert program("admin").post("imports/regions/", {"file": file}).body["new"] == 1


# My organisation is missing


def test_a_missing_organisation_is_asked_for_and_entered(cast: Cast, program: Programs) -> None:
    alice, coordinator = program("alice"), program("coordinator")
    body = {"name": "USTC", "kind": "university", "region": "CN-AH", "text": "physics"}
    made = alice.post("organisation-requests/", body, idempotency_key="a")
    assert (made.status, made.headers["ETag"], made.body["likely"]) == (201, '"1"', ["ustc"])
    assert alice.post("organisation-requests/", body, idempotency_key="a").body == made.body
    assert alice.post("organisation-requests/", body).code == "already-asked"
    address = made.headers["Location"].removeprefix("/api/v1/")
    for who, status in (("alice", 200), ("coordinator", 200), ("admin", 200), ("xu", 404)):
        assert program(who).get(address).status == status
    assert coordinator.get("organisation-requests/?state=requested").ids == [made.body["id"]]
    assert program("wang").get("organisation-requests/").ids == []
    act = address + "approve/"
    assert alice.post(act, {"organisation": "ustc"}).status == 403
    assert program("xu").post(act, {"organisation": "ustc"}).status == 404
    for bad, problem in (
        ({}, ("organisation", "one-of-both")),
        ({"organisation": "ustc", "entered": {}}, ("organisation", "one-of-both")),
        ({"organisation": "no"}, ("organisation", "unknown-value")),
        ({"entered": {}}, ("code", "required")),
        ({"entered": {"code": "ustc"}}, ("code", "code-taken")),
        ({"entered": {"code": "x", "rank": 1}}, ("rank", "unknown-field")),
    ):
        assert coordinator.post(act, bad).problems == [problem]
    stale = coordinator.post(act, {"entered": {"code": "u2"}}, if_match='"2"')
    assert stale.code == "wrong-version"
    done = coordinator.post(act, {"entered": {"code": "u2"}}, if_match='"1"')
    assert (done.body["state"], done.body["organisation"]) == ("approved", "u2")
    assert Organisation.objects.get(code="u2").name == "USTC"
    assert alice.get("memberships/").body["results"][0]["organisation"] == "u2"
    assert coordinator.post(act, {"organisation": "ustc"}).code == "wrong-state"


def test_a_request_is_declined_or_taken_back(cast: Cast, program: Programs) -> None:
    alice, coordinator = program("alice"), program("coordinator")
    body = {"name": "A", "kind": "university", "region": "CN-AH"}
    one = "organisation-requests/" + alice.post("organisation-requests/", body).body["id"] + "/"
    assert coordinator.post(one + "reject/", {}).problems == [("reason", "required")]
    done = coordinator.post(one + "reject/", {"reason": "No."})
    assert (done.body["state"], done.body["reason"]) == ("rejected", "No.")
    again = alice.post("organisation-requests/", body).body["id"]
    assert coordinator.delete(f"organisation-requests/{again}/").status == 404
    assert alice.delete(f"organisation-requests/{again}/").status == 204
    assert alice.delete(f"organisation-requests/{again}/").code == "wrong-state"
