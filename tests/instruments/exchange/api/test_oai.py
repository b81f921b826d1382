"""The catalogue by OAI-PMH, as `oaipmh-scythe`, which nobody here wrote, and a plain client read it."""

import io
import json
from datetime import timedelta
from urllib.parse import urlencode

import datacite.schema45 as kernel
import oaipmh_scythe
import pytest
from django.test import Client
from lxml import etree
from oaipmh_scythe import Scythe

from accounts.domain.roles import By
from instruments.exchange.adapters.pidinst import read
from instruments.exchange.domain import oai as rules
from instruments.exchange.domain.harvests import Plan
from instruments.exchange.models import Fetching, Import
from instruments.exchange.selectors import oai as selectors
from instruments.exchange.services.harvests import harvest_add, harvest_work
from instruments.exchange.services.jobs import imports_work
from instruments.managing.services.publishing import instrument_publication
from instruments.reading.domain.delimited import RowProblem
from instruments.register.models import Instrument
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
OAI = "{http://www.openarchives.org/OAI/2.0/}"
LATER = NOW + 2 * rules.SETTLES
BEFORE = NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)


def ask(method="get", **arguments):
    values = {name.rstrip("_"): value for name, value in arguments.items()}
    answer = getattr(Client(), method)("/oai", values)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/xml; charset=utf-8"
    return etree.fromstring(answer.content)


def error(**arguments):
    root = ask(**arguments)
    (found,) = root.findall(f"{OAI}error")
    return found.get("code")


def ids(root):
    return [e.text for e in root.iter(f"{OAI}identifier")]


def test_a_harvester_gets_every_record_of_the_catalogue(cast, live_server, monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 3)
    made = [cast.instrument(name=f"TEM <{n}>") for n in range(7)]
    Instrument.objects.update(description="1 < 2 & \x0b")
    draft = cast.instrument(name="Draft")
    Instrument.objects.filter(pk=draft.pk).update(publication="draft", published_at=None)
    gone = made.pop()
    Instrument.objects.filter(pk=gone.pk).update(publication="retired")
    catalogue = {e["id"]: e for e in Client().get("/api/v1/catalogue/?limit=200").json()["results"]}
    with Scythe(f"{live_server.url}/oai") as harvester:
        assert harvester.identify().deletedRecord == "persistent"
        for prefix in rules.FORMATS:
            records = list(harvester.list_records(metadata_prefix=prefix))
            found = {record.header.identifier.rpartition(":")[2]: record for record in records}
            assert len(records) == len(found) == 8 and found.keys() == catalogue.keys()
            for key, record in found.items():
                assert record.deleted == (catalogue[key]["state"] == "gone") == (key == str(gone.pk))
                if not record.deleted:
                    name = catalogue[key]["record"]["name"]
                    assert name in etree.tostring(record.xml, encoding="unicode", method="text")
        headers = list(harvester.list_identifiers(metadata_prefix="oai_dc"))
        assert len(headers) == 8
        assert {s.setSpec for s in harvester.list_sets()} >= {"region:CN", "host:ustc"}
        assert {f.metadataPrefix for f in harvester.list_metadata_formats()} == set(rules.FORMATS)
        one = harvester.get_record(headers[0].identifier, "oai_dc")
        assert one.header.identifier == headers[0].identifier
        with pytest.raises(oaipmh_scythe.NoRecordsMatch):
            list(harvester.list_records(metadata_prefix="oai_dc", set_="host:nobody"))


def test_the_platform_harvests_its_own_list(cast, live_server, monkeypatch, settings):
    settings.CALLS_LOOPBACK = True
    monkeypatch.setattr(selectors, "PAGE", 2)
    for n in range(4):
        cast.instrument(name=f"TEM {n}")
    address = f"{live_server.url}/oai?verb=ListRecords&metadataPrefix=pidinst"
    plan = Plan("Own", address, "pidinst")
    harvest_add(By(cast.actor("zhao"), NOW), organisation_id=cast.ustc.pk, plan=plan)
    assert harvest_work(now=LATER)
    assert Fetching.objects.get().outcome == "fetched"
    imports_work(now=LATER)
    job = Import.objects.get()
    assert (job.state, job.rows.count()) == ("ready", 5)


def test_sets_are_regions_with_those_below_and_hosts(cast):
    every = ids(ask(verb="ListIdentifiers", metadataPrefix="oai_dc"))
    for name in ("region:CN", "region:CN-AH", "host:ustc"):
        assert ids(ask(verb="ListIdentifiers", metadataPrefix="oai_dc", set=name)) == every, name
    assert error(verb="ListIdentifiers", metadataPrefix="oai_dc", set="region:CN-SH") == "noRecordsMatch"
    root = ask(verb="GetRecord", metadataPrefix="oai_dc", identifier=every[0])
    assert [e.text for e in root.iter(f"{OAI}setSpec")] == ["region:CN", "region:CN-AH", "host:ustc"]


def test_what_changes_during_a_harvest_is_not_lost(cast, monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 2)
    for n in range(4):
        cast.instrument(name=f"{n}")
    for n, row in enumerate(Instrument.objects.order_by("pk")):
        Instrument.objects.filter(pk=row.pk).update(updated_at=BEFORE + timedelta(seconds=n))
    root = ask(verb="ListRecords", metadataPrefix="oai_dc")
    first = ids(root)
    token = root.find(f".//{OAI}resumptionToken")
    asked_at = root.findtext(f"{OAI}responseDate")
    assert (len(first), token.get("cursor")) == (2, "0")
    # One that was given and one that was not yet change now, stored by a slower request.
    changed = [Instrument.objects.order_by("pk")[0], Instrument.objects.order_by("pk")[3]]
    rest = []
    for row in changed:
        Instrument.objects.filter(pk=row.pk).update(updated_at=LATER - timedelta(seconds=1))
    while token is not None and token.text:
        root = ask(verb="ListRecords", resumptionToken=token.text)
        rest += ids(root)
        token = root.find(f".//{OAI}resumptionToken")
    assert token is not None and not token.text
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER + timedelta(hours=1))
    following = ids(ask(verb="ListRecords", metadataPrefix="oai_dc", from_=asked_at))
    assert [i.rpartition(":")[2] for i in following] == [str(row.pk) for row in changed]
    monkeypatch.setattr(selectors, "PAGE", 100)
    every = ids(ask(verb="ListIdentifiers", metadataPrefix="oai_dc"))
    assert len(every) == 5 and {*first, *rest, *following} == {*every}


def test_deleted_ones_stay_listed_without_metadata(cast):
    by = By(cast.actor("zhao"), NOW)
    instrument_publication(by, instrument_id=cast.microscope.pk, act="retire", reason="sold")
    root = ask(verb="ListRecords", metadataPrefix="pidinst")
    (record,) = root.iter(f"{OAI}record")
    assert record.find(f"{OAI}header").get("status") == "deleted"
    assert record.find(f"{OAI}metadata") is None
    Instrument.objects.update(publication="draft", published_at=None)  # as if never published
    assert error(verb="ListRecords", metadataPrefix="pidinst") == "noRecordsMatch"
    name = f"oai:{selectors.site_of_records()}:{cast.microscope.pk}"
    assert error(verb="GetRecord", metadataPrefix="oai_dc", identifier=name) == "idDoesNotExist"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "Delete"}, "badVerb"),
        ({"verb": ["Identify", "Identify"]}, "badVerb"),
        ({"verb": "Identify", "set": "x"}, "badArgument"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": ["oai_dc", "oai_dc"]}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "resumptionToken": "x"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-02-30"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026"}, "badArgument"),
        (
            {
                "verb": "ListRecords",
                "metadataPrefix": "oai_dc",
                "from": "2026-01-01",
                "until": "2026-01-01T00:00:00Z",
            },
            "badArgument",
        ),
        (
            {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-01-02", "until": "2026-01-01"},
            "badArgument",
        ),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "a b"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "subject:x"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "1990-01-01"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "0001-01-01"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "marc21"}, "cannotDisseminateFormat"),
        ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "ListSets", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "\0"}, "idDoesNotExist"),
        ({"verb": "ListMetadataFormats", "identifier": "oai:x:y"}, "idDoesNotExist"),
    ],
)
def test_errors_of_the_protocol(arguments, code):
    for method in ("get", "post"):
        root = etree.fromstring(getattr(Client(), method)("/oai", arguments).content)
        assert [e.get("code") for e in root.findall(f"{OAI}error")] == [code]
        assert dict(root.find(f"{OAI}request").attrib) == {} or code not in ("badVerb", "badArgument")


def test_a_token_that_somebody_changed(cast, monkeypatch):
    monkeypatch.setattr(selectors, "PAGE", 1)
    cast.instrument(name="Second")
    token = ask(verb="ListRecords", metadataPrefix="oai_dc").findtext(f".//{OAI}resumptionToken")
    assert ids(ask(verb="ListRecords", resumptionToken=token))
    for bad in (token[:-1], token[1:], "A" + token, token.swapcase()):
        assert error(verb="ListRecords", resumptionToken=bad) == "badResumptionToken"


def test_post_says_the_same_and_asking_again_is_cheap(cast):
    question = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    got = Client().get("/oai", question)
    posted = Client().post("/oai", urlencode(question), content_type="application/x-www-form-urlencoded")
    assert got.content == posted.content
    again = Client().get("/oai", question, headers={"If-None-Match": got["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "public" in got["Cache-Control"]
    assert Client().put("/oai").status_code == 405


def test_metadata_fit_the_schemas_of_their_formats(cast, settings):
    settings.OPEN_DATA_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
    Instrument.objects.filter(pk=cast.microscope.pk).update(
        identifier="10.5281/zenodo.1234567",
        identifier_type="DOI",
        owners=[{"name": "USTC", "contact": "zhao@ustc.example"}],
        manufacturers=[{"name": "FEI", "identifier": "https://ror.org/01", "identifier_type": "ROR"}],
        dates=[{"date": "2019-04-01", "date_type": "Commissioned"}],
        measured_variables=[{"name": "intensity"}],
        alternate_identifiers=[{"identifier": "SN 1", "identifier_type": "SerialNumber"}],
        related_identifiers=[
            {"identifier": "10.1/x", "identifier_type": "DOI", "relation_type": "IsComponentOf"},
            {"identifier": "10.1/y", "identifier_type": "RAiD", "relation_type": "WasUsedIn"},
        ],
    )
    name = f"oai:{selectors.site_of_records()}:{cast.microscope.pk}"

    def metadata(prefix):
        root = ask(verb="GetRecord", metadataPrefix=prefix, identifier=name)
        assert "zhao@" not in etree.tostring(root, encoding="unicode")
        (element,) = root.find(f".//{OAI}metadata")
        assert element.tag.startswith(f"{{{rules.FORMATS[prefix][1]}}}")
        return element

    pidinst = metadata("pidinst")
    (row,) = read(io.BytesIO(etree.tostring(pidinst)), site="https://elsewhere.example")
    assert not isinstance(row[1], RowProblem) or row[1].reason != "schema"
    written = selectors.datacite_of(Instrument.objects.get())
    kernel.validator.validate(written)
    theirs = kernel.dump_etree(
        written | {"identifiers": [{"identifier": written["doi"], "identifierType": "DOI"}]}
    )
    assert pairs(metadata("datacite")) == pairs(theirs)
    assert json.dumps(written).count("10.1/") == 1
    dc = metadata("oai_dc")
    assert {"title", "creator", "publisher", "date", "type", "identifier"} <= {
        etree.QName(e).localname for e in dc
    }
    assert [e.text for e in dc if etree.QName(e).localname == "rights"] == [settings.OPEN_DATA_LICENCE]
    settings.OPEN_DATA_LICENCE = ""  # none is stated
    assert b"rights" not in etree.tostring(metadata("oai_dc")) + etree.tostring(metadata("datacite"))


def test_one_record_as_datacite(cast):
    at = f"/api/v1/instruments/{cast.microscope.pk}/datacite/"
    told = Client().get(at)
    kernel.validator.validate(told.json())
    assert told.json()["types"]["resourceTypeGeneral"] == "Instrument"
    written = Client().get(f"{at}xml/")
    assert (written.status_code, written["Content-Type"]) == (200, "application/xml")
    assert told["ETag"] == written["ETag"]
    root = etree.fromstring(written.content)
    assert root.find("{*}creators/{*}creator/{*}creatorName").text == told.json()["creators"][0]["name"]
    Instrument.objects.update(publication="draft")
    assert Client().get(at).status_code == Client().get(f"{at}xml/").status_code == 404


def pairs(root):
    """What a DataCite document says, in no order."""
    return sorted(
        (
            etree.QName(e).localname,
            (e.text or "").strip(),
            sorted((k.rpartition("}")[2], v) for k, v in e.attrib.items() if "Location" not in k),
        )
        for e in root.iter()
    )
