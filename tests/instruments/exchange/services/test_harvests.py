"""Harvests: a file fetched from an address on a timetable."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from accounts.adapters.calling import Limits
from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.overview.services.effects import effects_carry_out
from instruments.exchange.domain.harvests import Plan, next_due
from instruments.exchange.models import Fetching, Import
from instruments.exchange.selectors.imports import load_provenance
from instruments.exchange.services import harvests
from instruments.exchange.services.jobs import imports_work
from instruments.register.models import Instrument
from tests.factories.cast import NOW
from tests.factories.web import Web

pytestmark = pytest.mark.django_db
QUICK = Limits(connect=1, total=1, size=5000)
TABLE = b"id,name,room\n1,SEM,B1\n"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def web():
    with Web() as served:
        yield served


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.CALLS_LOOPBACK = True


@pytest.fixture
def harvest(cast, web):
    """Of /list.csv, every day at three."""
    web.answers = {"/list.csv": (200, {"ETag": '"1"'}, TABLE)}
    return add(cast, web)


def add(cast, web, who="zhao", **changes):
    plan = Plan("Register", web.at("/list.csv"), "table")
    plan = replace(plan, **changes)
    return harvests.harvest_add(By(cast.actor(who), NOW), organisation_id=cast.ustc.pk, plan=plan)


def work(now=NOW, **options):
    return harvests.harvest_work(now=now, limits=QUICK, **options)


def last(harvest):
    harvest.refresh_from_db()
    return harvest.fetchings.order_by("-at", "-pk").first()


def again(harvest, cast, now=NOW):
    harvests.harvest_fetch(By(cast.actor("zhao"), now), harvest_id=harvest.pk)
    assert work(now)
    return last(harvest)


def test_a_file_becomes_an_import_that_names_its_harvest(harvest, cast):
    assert work() and not work()
    fetching = last(harvest)
    assert (fetching.outcome, fetching.size) == ("fetched", len(TABLE))
    assert (harvest.etag, harvest.failures, harvest.claim) == ('"1"', 0, None)
    # 2026-03-06 03:00 in Hefei
    assert (
        harvest.due_at == next_due(Plan("", "", ""), ZoneInfo("Asia/Shanghai"), NOW)
        and harvest.due_at.astimezone(ZoneInfo("Asia/Shanghai")).hour == 3
    )
    job = Import.objects.get()
    assert (fetching.job, job.file_name, job.harvest_name) == (job, "list.csv", "Register")
    imports_work(now=NOW)
    job.refresh_from_db()
    assert job.state == "ready" and not Instrument.objects.filter(name="SEM").exists()
    entry = TrailEntry.objects.get(action="import.start")
    assert entry.after["harvest"] == "Register" and entry.actor_id == cast.people["zhao"].pk


def test_what_did_not_change_is_no_import(harvest, cast, web):
    work()
    assert again(harvest, cast).outcome == "unchanged"
    assert web.asked[-1]["If-None-Match"] == '"1"'
    # The same again, from a server that knows of no versions.
    web.answers["/list.csv"] = (200, {}, TABLE)
    assert again(harvest, cast).outcome == "unchanged"
    web.answers["/list.csv"] = (
        200,
        {"Last-Modified": "Thu, 05 Mar 2026 00:00:00 GMT"},
        TABLE + b"2,TEM,B2\n",
    )
    assert again(harvest, cast).outcome == "fetched"
    again(harvest, cast)
    assert web.asked[-1]["If-Modified-Since"] == "Thu, 05 Mar 2026 00:00:00 GMT"
    # The earlier file, which nobody had carried out, has given way.
    assert list(Import.objects.order_by("pk").values_list("state", flat=True)) == [
        "cancelled", "reading",
    ]  # fmt: skip


def test_it_is_carried_out_by_itself_only_where_nothing_is_refused(cast, web):
    web.answers = {"/list.csv": (200, {}, TABLE)}
    harvest = add(cast, web, applies=True)
    work()
    imports_work(now=NOW)
    made = Instrument.objects.get(name="SEM")
    assert Import.objects.get().state == "done" and made.publication == "draft"
    (origin,) = [o for o in load_provenance(made) if o.field == "room"]
    assert origin.job.harvest_name == "Register"
    web.answers["/list.csv"] = (200, {}, TABLE.replace(b"B1", b"B9") + b"2,,\n")
    again(harvest, cast)
    imports_work(now=NOW)
    made.refresh_from_db()
    assert Import.objects.latest("pk").state == "ready" and made.room == "B1"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ((404, {}, b"gone"), "answer-status"),
        ((304, {}, b""), "answer-status"),  # nobody asked
        ((200, {}, b"x" * 5001), "answer-too-large"),
        ((200, {}, b""), "empty-file"),
        ((200, {"Content-Type": "text/csv"}, b"<!DOCTYPE html><p>Sign in"), "a-page"),
        ((200, {"Content-Type": "text/csv"}, b"%PDF-1.7"), "not-a-table"),
        ((200, {}, b"PK\x03\x04 no more"), "not-a-workbook"),
        ((200, {}, b"id,name,name\n"), "duplicate-header"),
        ((200, {}, b"\xff\xfe\xff"), "not-text"),
        ((302, {"Location": "http://10.0.0.1/"}, b""), "address-not-public"),
    ],
)
def test_what_fails_says_why_and_keeps_nothing(harvest, web, told, code):
    web.answers["/list.csv"] = told
    work()
    fetching = last(harvest)
    assert (fetching.outcome, fetching.problem["code"]) == ("failed", code)
    assert not Import.objects.exists() and not harvest.sha256
    assert (harvest.failures, harvest.due_at) == (1, NOW + timedelta(minutes=15))


def test_after_five_failures_it_pauses_and_the_managers_hear_of_it(harvest, cast, web):
    web.answers["/list.csv"] = (503, {}, b"")
    now, waited = NOW, []
    while work(now):
        harvest.refresh_from_db()
        if harvest.due_at is None:
            break
        assert not work(harvest.due_at - timedelta(seconds=1))
        waited.append(harvest.due_at - now)
        now = harvest.due_at
    assert waited == [HOUR / 4, HOUR, 4 * HOUR, 16 * HOUR]
    assert (harvest.state, harvest.fetchings.count()) == ("paused", 5)
    with pytest.raises(WrongState):
        harvests.harvest_fetch(By(cast.actor("zhao"), now), harvest_id=harvest.pk)
    effects_carry_out(now=now)
    letters = [m for m in mail.outbox if m.subject == "Paused: Register"]
    assert [m.to for m in letters] == [[cast.people["zhao"].email]]
    assert "status 503" in letters[0].body and str(harvest.pk) in letters[0].body
    assert OutboxMessage.objects.get(kind="harvest.paused").outcome == "sent"
    # Mended, it goes on at once.
    web.answers["/list.csv"] = (200, {}, TABLE)
    harvests.harvest_resume(By(cast.actor("zhao"), now), harvest_id=harvest.pk)
    work(now)
    assert (last(harvest).outcome, harvest.state, harvest.failures) == ("fetched", "active", 0)


def test_a_claim_keeps_others_away_until_it_runs_out(harvest, cast):
    taken = []

    def meanwhile(host, port):
        taken.append(work())  # a second worker
        harvests.harvest_fetch(By(cast.actor("zhao"), NOW), harvest_id=harvest.pk)
        taken.append(work())
        return ["127.0.0.1"]

    assert work(resolve=meanwhile)
    assert taken == [False, False]
    assert (Fetching.objects.count(), Import.objects.count()) == (1, 1)
    # A worker that died is followed by another, after as long as after any failure; if it comes
    # back, it changes nothing.
    harvests.harvest_fetch(By(cast.actor("zhao"), NOW), harvest_id=harvest.pk)

    def late(host, port):
        assert not work(NOW + timedelta(minutes=14))
        assert work(NOW + timedelta(minutes=15))
        return ["127.0.0.1"]

    assert work(resolve=late)
    assert Fetching.objects.count() == 2


def test_an_address_that_ends_its_workers_is_asked_less_and_less(harvest):
    class Killed(BaseException):
        """No `except` of ours sees it, as none sees the end of a process."""

    def killed(host, port):
        raise Killed

    moment, waits = NOW, []
    for _ in range(6):
        with pytest.raises(Killed):
            work(moment, resolve=killed)
        harvest.refresh_from_db()
        waits.append((harvest.due_at - moment) / timedelta(hours=1))
        moment = harvest.due_at
    assert (waits, harvest.failures) == ([0.25, 1, 4, 16, 16, 16], 5)
    assert work(moment)
    harvest.refresh_from_db()
    assert (harvest.failures, harvest.state) == (0, "active")


def test_what_is_changed_or_deleted_meanwhile_is_not_stored(harvest, cast, web):
    zhao = cast.actor("zhao")

    def pausing(host, port):
        harvests.harvest_pause(By(zhao, NOW), harvest_id=harvest.pk)
        return ["127.0.0.1"]

    assert work(resolve=pausing)
    assert not Import.objects.exists()
    harvests.harvest_resume(By(zhao, NOW), harvest_id=harvest.pk)

    def deleting(host, port):
        harvests.harvest_delete(By(zhao, NOW), harvest_id=harvest.pk)
        return ["127.0.0.1"]

    assert work(resolve=deleting)
    assert not Import.objects.exists() and not Fetching.objects.exists()


def test_it_has_the_rights_of_whoever_wrote_it_last(harvest, cast):
    cast.people["zhao"].role_grants.all().delete()
    work()
    assert last(harvest).problem["code"] == "no-longer-manager"


def test_who_may_and_what_is_no_plan(harvest, cast, web, settings):
    for who in ("chen", "wang", "gao", "auditor", "admin"):
        with pytest.raises(NotPermitted):
            add(cast, web, who)
        with pytest.raises(NotFound):
            harvests.harvest_pause(By(cast.actor(who), NOW), harvest_id=harvest.pk)
    settings.CALLS_LOOPBACK = False
    with pytest.raises(Invalid) as refused:
        add(cast, web, name=" ", format="pdf", encoding="x", rhythm="weekly", hour=24)
    assert [(p.field, p.code) for p in refused.value.problems] == [
        ("name", "required"),
        ("address", "address-not-https"),
        ("format", "unknown-value"),
        ("encoding", "unknown-encoding"),
        ("weekday", "required"),
        ("hour", "out-of-range"),
    ]
    with pytest.raises(Invalid):
        add(cast, web, address="https://x.example/", mapping="unheard-of")
    plan = Plan("Other", "https://x.example/a.csv", "table", rhythm="weekly", weekday=1)
    zhao = cast.actor("zhao")
    changed = harvests.harvest_change(By(zhao, NOW, 1), harvest_id=harvest.pk, plan=plan)
    assert (changed.version, changed.due_at.astimezone(ZoneInfo("Asia/Shanghai")).weekday()) == (2, 0)
    with pytest.raises(WrongVersion):
        harvests.harvest_pause(By(zhao, NOW, 1), harvest_id=harvest.pk)


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("Asia/Shanghai", "2026-03-05 18:59", "2026-03-05 19:00"),
        ("Asia/Shanghai", "2026-03-05 19:00", "2026-03-06 19:00"),
        ("Europe/Berlin", "2026-03-28 20:00", "2026-03-29 01:00"),  # the hour that is left out
        ("Europe/Berlin", "2026-10-24 20:00", "2026-10-25 02:00"),
    ],
)
def test_the_timetable_is_of_the_wall_clock(zone, after, due):
    plan = Plan("", "", "", hour=3)
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert next_due(plan, ZoneInfo(zone), moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


OAI = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
    "<record><header><identifier>oai:x:{n}</identifier></header><metadata>"
    '<instrument xmlns="https://doi.org/10.15497/RDA00070">'
    '<identifier identifierType="Handle">{n}</identifier>'
    "<schemaVersion>1.0</schemaVersion><landingPage>https://x.example/{n}</landingPage><name>SEM {n}</name>"
    "<owners><owner><ownerName>X</ownerName></owner></owners>"
    "<manufacturers><manufacturer><manufacturerName>Y</manufacturerName></manufacturer></manufacturers>"
    "</instrument></metadata></record>"
    '<record><header status="deleted"><identifier>oai:x:gone{n}</identifier></header></record>'
    "<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"
)
LIST = "/oai?verb=ListRecords&metadataPrefix=pidinst"
NEXT = "/oai?verb=ListRecords&resumptionToken="


def test_a_list_of_oai_pmh_is_followed_to_its_end(cast, web):
    parts = {LIST: (1, "a b&"), f"{NEXT}a+b%26": (2, "c"), f"{NEXT}c": (3, "")}
    web.answers = {
        path: (200, {"ETag": '"1"'}, OAI.format(n=n, token=token.replace("&", "&amp;")).encode())
        for path, (n, token) in parts.items()
    }
    harvest = add(cast, web, address=web.at(LIST), format="pidinst", applies=True)
    work()
    assert last(harvest).outcome == "fetched" and harvest.etag == ""
    imports_work(now=NOW)
    assert Import.objects.get().state == "done"
    assert sorted(Instrument.objects.filter(name__startswith="SEM").values_list("name", flat=True)) == [
        "SEM 1", "SEM 2", "SEM 3",
    ]  # fmt: skip
    assert again(harvest, cast).outcome == "unchanged"


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (OAI.format(n=2, token="a"), "answer-broken"),  # the same part for ever
        (OAI.format(n=2, token="")[:-9], "xml-malformed"),
        ('<!DOCTYPE x [<!ENTITY e "e">]>' + OAI.format(n="&e;", token=""), "xml-doctype"),
        (OAI.partition("<ListRecords>")[0] + '<error code="badResumptionToken"/></OAI-PMH>', "not-pidinst"),
        ("x" * 6000, "answer-too-large"),
        (None, "answer-status"),
    ],
)
def test_a_list_that_cannot_be_followed_brings_nothing(cast, web, part, code):
    web.answers = {LIST: (200, {}, OAI.format(n=1, token="a").encode())}
    if part is not None:
        web.answers[f"{NEXT}a"] = (200, {}, part.encode())
    harvest = add(cast, web, address=web.at(LIST), format="pidinst")
    work()
    assert (last(harvest).outcome, last(harvest).problem["code"]) == ("failed", code)
    assert not Import.objects.exists()


def test_a_part_is_called_by_the_rules_of_addresses(cast, web):
    web.answers = {
        LIST: (200, {}, OAI.format(n=1, token="a").encode()),
        f"{NEXT}a": (302, {"Location": "http://169.254.169.254/"}, b""),
    }
    harvest = add(cast, web, address=web.at(LIST), format="pidinst")
    work()
    assert last(harvest).problem["code"].startswith("address-")
