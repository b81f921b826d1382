"""The pages of regions and organisations."""

import base64
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import Organisation, OrganisationRequest, Region
from accounts.services.organisations import organisation_change
from tests.accounts.domain.test_organisations import ETH_1, USTC_2
from tests.factories.cast import NOW

FORM = {"code": "inst", "name": "Institute", "kind": "institute"}


@pytest.fixture
def cast(shared_cast, db):
    return shared_cast


@pytest.fixture
def as_(cast):
    def of(name):
        browser = Client()
        browser.force_login(cast.people[name])
        return browser

    return of


def text(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer.content.decode()


def page(name, *args):
    return reverse(f"bookings:{name}", args=args)


def test_the_tree_of_regions_with_how_many_organisations(as_, cast):
    shown = text(as_("coordinator").get(page("regions")))
    assert shown.index("CN</code>") < shown.index("CN-AH</code>") < shown.index("CN-SH</code>")
    assert f'{page("organisations-all")}?region=CN-AH">2</a>' in shown
    assert page("region-new") not in shown
    assert page("region-new") in text(as_("admin").get(page("regions")))


def test_places_are_picked_from_a_list_several_at_once(as_, cast):
    admin = as_("admin")
    shown = text(admin.get(page("region-new") + "?scheme=ISO+3166-2&country=CN"))
    assert 'value="CN-JS"' in shown
    assert 'value="CN-AH" disabled checked' in shown
    where = page("region-new") + "?scheme=GB%2FT+2260&q=340"
    shown = text(admin.get(where))
    assert "Hefei" in shown
    answer = admin.post(where, {"act": "pick", "codes": ["340104", "340100"], "shares": "on"})
    assert answer.status_code == 302
    made = {row.code: row for row in Region.objects.filter(scheme="GB/T 2260")}
    assert (made["340104"].parent, made["340100"].parent) == (made["340100"], cast.anhui)
    assert made["340104"].shares


def test_a_country_with_several_zones_asks_for_one(as_, cast):
    admin = as_("admin")
    where = page("region-new") + "?country=US&scheme=ISO+3166-2"
    assert "America/Los_Angeles" in text(admin.get(where))
    before = Region.objects.count()
    text(admin.post(where, {"act": "pick", "codes": ["US", "US-WA"], "time_zone": ""}), 400)
    text(admin.post(where, {"act": "pick", "time_zone": "America/Los_Angeles"}), 400)
    text(admin.post(where, {"act": "pick", "codes": ["US-XX"], "time_zone": "America/Los_Angeles"}), 400)
    assert Region.objects.count() == before
    body = {"codes": ["US-WA", "US"], "time_zone": "America/Los_Angeles", "shares": "on"}
    assert admin.post(where, body | {"act": "pick"}).status_code == 302
    washington = Region.objects.get(code="US-WA")
    assert (washington.parent.code, washington.parent.shares) == ("US", False)


def test_a_region_of_ones_own(as_, cast):
    admin = as_("admin")
    body = {"act": "own", "scheme": "Ours", "code": "EAST", "name": "East", "time_zone": "UTC"}
    text(admin.post(page("region-new"), body), 400)
    assert admin.post(page("region-new"), body | {"currency": "CNY"}).status_code == 302
    assert Region.objects.get(code="EAST").name == "East"


def test_a_region_is_changed_and_closed_by_administrators(as_, cast):
    where = page("region", cast.anhui.pk)
    body = {
        "act": "change", "version": "1", "code": "CN-AH", "name": "An Hui", "name_zh": "安徽",
        "currency": "CNY",
        "time_zone": "Asia/Shanghai", "holiday_calendar": "CN", "shares": "on",
        "parent": str(cast.anhui.parent_id),
    }  # fmt: skip
    assert 'name="name_zh"' not in text(as_("coordinator").get(where))
    assert as_("coordinator").post(where, body).status_code == 403
    admin = as_("admin")
    assert 'value="Anhui"' in text(admin.get(where))
    assert admin.post(where, body).status_code == 302
    assert "An Hui" in text(admin.get(where))
    assert "current record" in text(admin.post(where, body), 412)
    assert "open organisations" in text(admin.post(where, {"act": "close"}), 409)
    cast.anhui.refresh_from_db()
    assert (cast.anhui.name, cast.anhui.closed_at) == ("An Hui", None)


def test_organisations_are_listed_and_narrowed(as_, cast):
    coordinator = as_("coordinator")
    Organisation.objects.filter(pk=cast.optics.pk).update(closed_at=NOW)
    for query, codes in (
        ("", {"fudan", "ustc"}),
        ("?region=CN", {"fudan", "ustc"}),
        ("?region=CN-AH&state=all", {"optics", "ustc"}),
        ("?state=closed", {"optics"}),
        ("?kind=enterprise", set()),
        ("?q=%E7%A7%91%E5%AD%A6", {"ustc"}),
        ("?q=%00", {"fudan", "ustc"}),
        ("?kind=club&state=x&region=XX", {"fudan", "ustc"}),
    ):
        shown = text(coordinator.get(page("organisations-all") + query))
        found = {code for code in ("fudan", "ustc", "optics") if f"<code>{code}</code>" in shown}
        assert found == codes, query


def test_the_list_as_a_file_has_no_formulas_and_only_what_the_reader_may_see(as_, cast):
    Organisation.objects.filter(pk=cast.ustc.pk).update(name="=1+1", tax_number="T1")
    Organisation.objects.filter(pk=cast.fudan.pk).update(tax_number="T2")
    answer = as_("coordinator").get(page("organisations-all") + "?format=csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("code,name,name_zh,kind,is_small,region,ror,legal_name")
    assert any(line.startswith("ustc,'=1+1,中国科学技术大学,university,false,CN-AH,,,,T1,") for line in lines)
    assert "T2" not in answer.content.decode()


def test_a_coordinator_enters_an_organisation_of_their_region_alone(as_, cast):
    coordinator = as_("coordinator")
    where = page("organisation-new")
    shown = text(coordinator.get(where))
    assert str(cast.anhui.pk) in shown
    assert str(cast.shanghai.pk) not in shown
    assert (
        coordinator.post(where, FORM | {"act": "enter", "region": str(cast.shanghai.pk)}).status_code == 400
    )
    assert "already taken" in text(
        coordinator.post(where, FORM | {"act": "enter", "region": str(cast.anhui.pk), "code": "ustc"}), 400
    )
    answer = coordinator.post(where, FORM | {"act": "enter", "region": str(cast.anhui.pk)})
    made = Organisation.objects.get(code="inst")
    assert answer["Location"] == page("organisation", made.pk)
    assert as_("chen").get(where).status_code == 403


@pytest.mark.parametrize("way", ["record", "file"])
def test_a_record_of_ror_fills_the_form(as_, cast, way):
    content = json.dumps(USTC_2)
    given = SimpleUploadedFile("ror.json", content.encode()) if way == "file" else content
    before = Organisation.objects.count()
    shown = text(as_("admin").post(page("organisation-new"), {"act": "ror", way: given}))
    assert 'value="University of Science and Technology of China"' in shown
    assert 'value="https://ror.org/04c4dkn09"' in shown
    assert f'value="{cast.anhui.pk}" selected' in shown
    assert "中国科学技术大学" in shown
    assert "Is it one of these?" in shown  # USTC has the Chinese name
    assert Organisation.objects.count() == before


def test_a_record_of_a_place_that_is_no_region_asks_for_one(as_, cast):
    body = {"act": "ror", "record": json.dumps(ETH_1)}
    shown = text(as_("admin").post(page("organisation-new"), body))
    assert "is not in one of yours" in shown


@pytest.mark.parametrize("record", ["", "{", "[" * 5000, "{}", "7", "x" * 200_001])
def test_what_is_no_record_of_ror_is_said_so(as_, cast, record):
    shown = text(as_("admin").post(page("organisation-new"), {"act": "ror", "record": record}), 400)
    assert "not a record of ROR" in shown


def test_an_organisation_to_its_readers(as_, cast):
    organisation_change(
        By(cast.actor("coordinator"), NOW), organisation_id=cast.ustc.pk, tax_number="T-1", ror="04c4dkn09"
    )
    where = page("organisation", cast.ustc.pk)
    for who, paper, history, change in (
        ("alice", False, False, False),
        ("sun", False, False, False),
        ("gao", True, False, False),
        ("zhao", True, False, False),
        ("auditor", True, False, False),
        ("xu", False, False, False),
        ("coordinator", True, True, True),
        ("admin", True, True, True),
    ):
        shown = text(as_(who).get(where))
        assert ("T-1" in shown) is paper, who
        assert ("Organisation changed" in shown) is history, who
        assert (page("organisation-change", cast.ustc.pk) in shown) is change, who


def test_an_organisation_is_changed_from_the_version_that_was_read(as_, cast):
    where = page("organisation-change", cast.ustc.pk)
    body = {"version": "1", "code": "ustc", "name": "New name", "kind": "university"}
    coordinator = as_("coordinator")
    assert 'value="USTC"' in text(coordinator.get(where))
    assert coordinator.post(where, body).status_code == 302
    assert "current record" in text(coordinator.post(where, body | {"name": "Late"}), 412)
    bad = body | {"version": "2", "ror": "04c4dkn08", "is_small": "on"}
    shown = text(coordinator.post(where, bad), 400)
    assert "typing error" in shown
    assert "Only an enterprise can be small" in shown
    cast.ustc.refresh_from_db()
    assert (cast.ustc.name, cast.ustc.name_zh, cast.ustc.version) == ("New name", "", 2)
    assert as_("zhao").get(where).status_code == 403


def test_a_closed_organisation_is_not_changed(as_, cast):
    Organisation.objects.filter(pk=cast.ustc.pk).update(closed_at=NOW)
    where = page("organisation-change", cast.ustc.pk)
    body = {"version": "1", "code": "ustc", "name": "X", "kind": "university"}
    for answer in (as_("admin").get(where), as_("admin").post(where, body)):
        assert "This organisation is closed." in text(answer, 409)


# Files

CSV = b"code,name,kind,region\nustc,New name,,\nnew,New,institute,CN-AH\n"


def test_a_file_is_previewed_then_imported(as_, cast):
    coordinator = as_("coordinator")
    where = page("organisation-import")
    assert "统一社会信用代码" in text(coordinator.get(where))
    shown = text(coordinator.post(where, {"act": "preview", "file": SimpleUploadedFile("a.csv", CSV)}))
    assert "Name: USTC → New name" in shown
    assert 'data-result="new"' in shown
    assert not Organisation.objects.filter(code="new").exists()
    content = base64.b64encode(CSV).decode()
    answer = coordinator.post(where, {"act": "import", "content": content})
    assert answer["Location"] == page("organisations-all")
    assert Organisation.objects.filter(code="new").exists()
    assert "already exists" in text(coordinator.post(where, {"act": "preview", "content": content}))


def test_a_bad_row_is_shown_and_nothing_is_imported(as_, cast):
    bad = CSV + b"x,X,institute,CN-SH\n"
    body = {"act": "import", "content": base64.b64encode(bad).decode()}
    shown = text(as_("coordinator").post(page("organisation-import"), body), 422)
    assert 'data-code="not-permitted"' in shown
    assert 'name="act" value="import"' not in shown
    assert not Organisation.objects.filter(code="new").exists()
    text(as_("coordinator").post(page("organisation-import"), {"act": "preview"}), 400)
    no_table = {"act": "preview", "file": SimpleUploadedFile("a.csv", b"x\ny\n")}
    text(as_("coordinator").post(page("organisation-import"), no_table), 400)


def test_regions_are_imported_by_administrators(as_, cast):
    assert as_("coordinator").get(page("regions-import")).status_code == 403
    body = {"act": "import", "content": base64.b64encode(b"code\nCN-JS\n").decode()}
    assert as_("admin").post(page("regions-import"), body).status_code == 302
    assert Region.objects.get(code="CN-JS").name == "Jiangsu"


# My organisation is missing


def ask(as_, cast, name="Third University"):
    body = {"name": name, "kind": "university", "region": str(cast.anhui.pk), "text": "physics"}
    return as_("alice").post(page("organisation-missing"), body)


def test_an_empty_search_leads_to_asking(as_, cast):
    alice = as_("alice")
    shown = text(alice.get(reverse("accounts:organisations") + "?q=Third"))
    where = page("organisation-missing") + "?q=Third"
    assert where in shown
    assert 'value="Third"' in text(alice.get(where))
    text(alice.post(page("organisation-missing"), {"name": "x"}), 400)
    assert ask(as_, cast).status_code == 302
    assert "not answered yet" in text(alice.get(page("organisation-missing")))
    assert "already asked" in text(ask(as_, cast), 409)


def test_one_of_the_two_names_is_enough(as_, cast):
    body = {"name_zh": "第三大学", "kind": "university", "region": str(cast.anhui.pk)}
    assert as_("alice").post(page("organisation-missing"), body | {"name_zh": ""}).status_code == 400
    assert as_("alice").post(page("organisation-missing"), body).status_code == 302
    row = OrganisationRequest.objects.get()
    assert (row.name, row.name_zh) == ("第三大学", "第三大学")


def test_a_code_is_proposed(as_, cast):
    ask(as_, cast, name="Third University")
    row = OrganisationRequest.objects.get()
    assert 'value="third-university"' in text(as_("coordinator").get(page("organisation-request", row.pk)))


def test_a_request_is_decided_on_its_page(as_, cast):
    ask(as_, cast, name="USTC")
    row = OrganisationRequest.objects.get()
    coordinator, where = as_("coordinator"), page("organisation-request", row.pk)
    assert where in text(coordinator.get(page("organisation-requests")))
    assert where not in text(as_("xu").get(page("organisation-requests")))
    assert as_("xu").get(where).status_code == 404
    assert as_("alice").get(where).status_code == 403
    shown = text(coordinator.get(where))
    assert "Is it one of these?" in shown
    assert 'value="USTC"' in shown
    for body, status in (
        ({}, 400),
        ({"act": "enter", "name": "USTC", "kind": "university"}, 400),
        ({"act": "name", "organisation": "no"}, 400),
        ({"act": "name", "organisation": "\x00"}, 400),
        ({"act": "name", "organisation": "fudan"}, 403),
        ({"act": "reject", "reason": ""}, 400),
    ):
        text(coordinator.post(where, body), status)
        row.refresh_from_db()
        assert row.state == "requested"
    body = {
        "act": "enter", "code": "third", "name": "Third", "kind": "university",
        "region": str(cast.anhui.pk),
    }  # fmt: skip
    assert coordinator.post(where, body).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.organisation.code) == ("approved", "third")
    text(coordinator.post(where, {"act": "reject", "reason": "late"}), 409)
    assert "Third" in text(coordinator.get(page("organisation-requests")))


def test_a_request_is_answered_by_naming_one_or_declined_or_taken_back(as_, cast):
    for number, body in enumerate(
        ({"act": "name", "organisation": "ustc"}, {"act": "reject", "reason": "No such place"})
    ):
        ask(as_, cast, name=f"Name {number}")
        row = OrganisationRequest.objects.get(name=f"Name {number}")
        answer = as_("coordinator").post(page("organisation-request", row.pk), body)
        assert answer.status_code == 302
    assert "No such place" in text(as_("alice").get(page("organisation-missing")))
    ask(as_, cast)
    row = OrganisationRequest.objects.get(name="Third University")
    assert as_("hu").post(page("organisation-request-withdraw", row.pk)).status_code == 404
    assert as_("alice").post(page("organisation-request-withdraw", row.pk)).status_code == 302
    row.refresh_from_db()
    assert row.state == "withdrawn"
