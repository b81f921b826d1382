"""The auditor's report of a year, and archives of working papers that are checked without the platform."""

import csv
import hashlib
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import translation
from docx import Document

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant, TrailEntry
from accounts.services.memberships import role_grant
from bookings.audit.domain.sampling import Sampling
from bookings.audit.models import AuditFinding, AuditPaper
from bookings.audit.selectors.papers import paper_for, year_report
from bookings.audit.services import actions
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.findings import Raised, finding_raise, finding_reply
from bookings.audit.services.papers import MOST_OPEN, Wanted, paper_open, paper_start, papers_work
from bookings.audit.services.sampling import sample_draw
from bookings.hours.selectors.reading import figures_for
from bookings.hours.services.hours import hours_roll_up
from bookings.models import AuditException, Charge, Reservation
from bookings.statistics.domain.reports import PERCENT, Head, Report, Section, texts_of
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.accounts.pages import page_of
from tests.factories.attachments import PDF
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.money import charge_of, store

pytestmark = pytest.mark.django_db
YEAR = {"region": "CN-AH", "since": date(2026, 1, 1), "until": date(2027, 1, 1)}


@pytest.fixture
def finding(cast: Cast) -> AuditFinding:
    """A finding from an exception and a sample, with an answer, an action and files."""
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    Reservation.objects.filter(pk=made.pk).update(overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW), full=True)
    auditor = By(cast.actor("auditor"), NOW)
    sampling = Sampling("reservations", "random", date(2026, 3, 1), date(2026, 4, 1), 1, "seed")
    sample = sample_draw(auditor, sampling=sampling)
    exception = AuditException.objects.get(rule="overrides")
    raised = Raised(
        "high", "=Set aside <1>", "Without\na reason.", exception_id=exception.pk, sample_id=sample.pk
    )
    row = finding_raise(auditor, raised=raised)
    finding_reply(By(cast.actor("zhao"), NOW), finding_id=row.pk, reply="It was urgent.")
    action = actions.action_add(
        auditor, finding_id=row.pk, text="Train them", owner="sun@ustc.example", due_date=date(2026, 4, 1)
    )
    actions.action_done(
        By(cast.actor("sun"), NOW), action_id=action.pk, note="All came", files=[("../../x.pdf", PDF)]
    )
    return row


def written(cast: Cast, **wanted: Any) -> tuple[AuditPaper, bytes]:
    by = By(cast.actor("auditor"), NOW)
    row = paper_start(by, wanted=Wanted(**wanted))
    assert papers_work(now=NOW) == 1
    opened, file = paper_open(by, paper_id=row.pk)
    with file:
        return opened, file.read()


def unpacked(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))


def verified(tmp_path: Path, files: dict[str, bytes], *arguments: str) -> subprocess.CompletedProcess[str]:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return subprocess.run(
        [sys.executable, "-I", *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )


def section(report: Report, code: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in next(each for each in report.sections if each.code == code).rows]


def test_a_years_report_counts_what_was_done(cast: Cast, finding: AuditFinding) -> None:
    report = year_report(cast.actor("auditor"), "CN-AH", 2026, NOW)
    glance = dict(section(report, "glance"))
    assert (glance["Runs of the rules"], glance["Samples drawn"], glance["Findings raised"]) == (1, 1, 1)
    assert (glance["Actions agreed"], glance["of these not finished"], glance["Actions overdue"]) == (1, 1, 0)
    by_rule = {row[0]: row[1:6] for row in section(report, "rules")}
    assert by_rule["Rules overridden"] == (1, 0, 0, 0, 1)
    (drawn,) = section(report, "samples")
    assert (drawn[4], drawn[5], drawn[6], drawn[8]) == (2, 1, "seed", 1)
    assert section(report, "severities") == [("High", 1, 0, 1, 0, 0, 0)]
    (line,) = section(report, "findings")
    assert (line[0], line[7], line[8]) == ("=Set aside <1>", 0, 1)
    assert section(report, "actions")[0][:2] == ("Train them", "=Set aside <1>")
    exceptions = AuditException.objects.count()
    assert sum(row[1] for row in section(report, "organisations")) == exceptions
    with translation.override("zh-hans"):
        assert year_report(cast.actor("auditor"), "CN-AH", 2026, NOW).title == "2026 年审计报告"


def test_an_empty_year_and_a_year_that_has_not_begun(cast: Cast) -> None:
    report = year_report(cast.actor("auditor"), "CN-AH", 2020, NOW)
    assert set(dict(section(report, "glance")).values()) == {0}
    with pytest.raises(Invalid):
        year_report(cast.actor("auditor"), "CN-AH", 2027, NOW)


def test_only_of_regions_that_are_audited(cast: Cast, finding: AuditFinding) -> None:
    auditor = cast.actor("auditor")
    for code in ("CN-SH", "XX", ""):
        with pytest.raises(NotFound):
            year_report(auditor, code, 2026, NOW)
    for who in ("zhao", "coordinator", "wang", "admin"):
        by = By(cast.actor(who), NOW)
        for wanted in (Wanted("finding", finding_id=finding.pk), Wanted("year", "pdf", **YEAR)):
            with pytest.raises(NotPermitted):
                paper_start(by, wanted=wanted)
    with pytest.raises(NotFound):
        paper_start(By(auditor, NOW), wanted=Wanted("period", **(YEAR | {"region": "CN-SH"})))
    role_grant(By(PLATFORM, NOW), user=cast.people["alice"], role="auditor", region=cast.shanghai)
    alice = By(cast.actor("alice"), NOW)
    for wanted in (Wanted("sample", sample_id=finding.sample_id), Wanted("period", **YEAR)):
        with pytest.raises(NotFound):
            paper_start(alice, wanted=wanted)
    assert not AuditPaper.objects.exists()
    # The payer of the exception is of Shanghai: she reads the finding, but neither the sample nor its rows.
    row = paper_start(alice, wanted=Wanted("finding", finding_id=finding.pk))
    assert papers_work(now=NOW) == 1
    with paper_open(alice, paper_id=row.pk)[1] as file:
        names = set(unpacked(file.read()))
    assert not any(name.startswith("samples/") for name in names)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"subject": "year", "format": "zip", **YEAR}, "format"),
        ({"subject": "period", "format": "pdf", **YEAR}, "format"),
        ({"subject": "other"}, "subject"),
        ({"subject": "finding"}, "finding"),
        ({"subject": "sample"}, "sample"),
        ({"subject": "period", "region": "CN-AH"}, "from"),
        ({"subject": "period", **YEAR, "until": date(2026, 1, 1)}, "until"),
        ({"subject": "period", **YEAR, "until": date(2027, 6, 1)}, "until"),
        ({"subject": "year", "format": "pdf", **YEAR, "since": date(2026, 2, 1)}, "from"),
    ],
)
def test_a_wrong_shape(cast: Cast, wanted: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        paper_start(By(cast.actor("auditor"), NOW), wanted=Wanted(**wanted))
    assert caught.value.problems[0].field == field
    assert not AuditPaper.objects.exists()


@pytest.mark.parametrize("format", ["pdf", "docx", "xlsx"])
def test_the_report_as_a_file(cast: Cast, finding: AuditFinding, format: str) -> None:
    row, content = written(cast, subject="year", format=format, **YEAR)
    assert row.digest == hashlib.sha256(content).hexdigest()
    if format == "pdf":
        assert content.startswith(b"%PDF-")
    elif format == "docx":
        assert len(Document(BytesIO(content)).tables) > 5
    else:
        book = openpyxl.load_workbook(BytesIO(content))
        assert {"glance", "samples", "rules", "findings", "actions", "seals"} <= set(book.sheetnames)
        assert book["findings"]["A2"].value == "'=Set aside <1>"
    told = TrailEntry.objects.filter(object_id=row.pk).order_by("id").values_list("action", flat=True)
    assert list(told) == ["paper.start", "paper.download"]


def test_the_papers_of_a_finding_are_checked_without_the_platform(
    cast: Cast, finding: AuditFinding, tmp_path: Path
) -> None:
    _, content = written(cast, subject="finding", finding_id=finding.pk)
    files = unpacked(content)
    folder = f"findings/{finding.pk}"
    sample = f"samples/{finding.sample_id}"
    assert {
        "README.txt", "index.csv", "SHA256SUMS", "report.pdf", "report.xlsx", "exceptions.csv",
        f"{folder}/finding.pdf", f"{folder}/finding.csv", f"{folder}/actions.csv", f"{folder}/evidence.csv",
        f"{folder}/bookings.csv", f"{folder}/files/01.pdf", f"{sample}/population.csv",
        f"{sample}/sample.json", "samples/draw_sample.py", "trail/verify_bundle.py",
    } <= set(files)  # fmt: skip
    assert not any(".." in name or name.startswith("/") for name in files)
    assert files[f"{folder}/files/01.pdf"] == PDF
    index = {row["file"]: row for row in table(files["index.csv"])}
    for name, row in index.items():
        digest = hashlib.sha256(files[name]).hexdigest()
        assert (row["sha256"], row["bytes"]) == (digest, str(len(files[name])))
    assert set(files) - set(index) == {"index.csv", "SHA256SUMS"}
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert sums["index.csv"] == hashlib.sha256(files["index.csv"]).hexdigest()
    (line,) = table(files[f"{folder}/finding.csv"])
    assert (line["title"], line["reply"]) == ("'=Set aside <1>", "It was urgent.")
    proofs = sorted(name for name in files if name.startswith("trail/proofs/"))
    assert any("finding.reply" in name for name in proofs) and any("action.done" in name for name in proofs)
    run = verified(tmp_path, files, "trail/verify_bundle.py", proofs[0])
    assert run.returncode == 0, run.stdout + run.stderr
    facts = json.loads(files[f"{sample}/sample.json"])
    again = verified(
        tmp_path, files, "samples/draw_sample.py", f"{sample}/population.csv", "--method", facts["method"],
        "--seed", facts["seed"], "--size", str(facts["size"]), "--digest", facts["digest"],
    )  # fmt: skip
    assert again.stdout.split()[2:] == facts["drawn"]
    changed = files | {proofs[0]: files[proofs[0]].replace(b'"action": "', b'"action": "x')}
    assert verified(tmp_path, changed, "trail/verify_bundle.py", proofs[0]).returncode != 0


def test_the_papers_of_a_period_and_of_a_sample(cast: Cast, finding: AuditFinding, tmp_path: Path) -> None:
    _, content = written(cast, subject="period", **YEAR)
    files = unpacked(content)
    assert {"runs.csv", "findings.csv", "actions.csv", "trail/bundle.jsonl"} <= set(files)
    run = verified(tmp_path, files, "trail/verify_bundle.py", "trail/bundle.jsonl")
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(table(files["exceptions.csv"])) == AuditException.objects.count()
    row, content = written(cast, subject="sample", sample_id=finding.sample_id)
    assert f"findings/{finding.pk}/finding.pdf" in unpacked(content)
    assert row.digest == hashlib.sha256(content).hexdigest()


def test_nobody_else_takes_it_nor_its_reader_who_lost_the_role(cast: Cast, finding: AuditFinding) -> None:
    row, _ = written(cast, subject="finding", finding_id=finding.pk)
    for who in ("zhao", "sun", "coordinator", "admin"):
        with pytest.raises(NotFound):
            paper_for(cast.actor(who), row.pk)
    role_grant(By(PLATFORM, NOW), user=cast.people["alice"], role="auditor", region=cast.anhui)
    with pytest.raises(NotFound):
        paper_for(cast.actor("alice"), row.pk)
    RoleGrant.objects.filter(user=cast.auditor).update(revoked_at=NOW)
    with pytest.raises(Refused):
        paper_open(By(cast.actor("auditor"), NOW), paper_id=row.pk)


def test_a_reader_who_lost_the_role_meanwhile_gets_nothing(cast: Cast, finding: AuditFinding) -> None:
    paper_start(By(cast.actor("auditor"), NOW), wanted=Wanted("finding", finding_id=finding.pk))
    RoleGrant.objects.filter(user=cast.auditor).update(revoked_at=NOW)
    assert papers_work(now=NOW) == 0
    assert AuditPaper.objects.get().state == "failed"


def test_not_before_it_is_ready_and_not_too_many(cast: Cast, finding: AuditFinding) -> None:
    by = By(cast.actor("auditor"), NOW)
    rows = [paper_start(by, wanted=Wanted("finding", finding_id=finding.pk)) for _ in range(MOST_OPEN)]
    with pytest.raises(WrongState) as caught:
        paper_start(by, wanted=Wanted("finding", finding_id=finding.pk))
    assert caught.value.code == "papers-waiting"
    with pytest.raises(WrongState) as caught:
        paper_open(by, paper_id=rows[0].pk)
    assert caught.value.code == "paper-not-ready"


def test_a_period_that_is_too_large_is_refused_at_once(
    cast: Cast, finding: AuditFinding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.audit.services.papers.MOST_ENTRIES", 1)
    with pytest.raises(WrongState) as caught:
        paper_start(By(cast.actor("auditor"), NOW), wanted=Wanted("period", **YEAR))
    assert caught.value.code == "papers-too-large"
    assert not AuditPaper.objects.exists()


def test_the_pages(cast: Cast, finding: AuditFinding, client: Client) -> None:
    client.force_login(cast.auditor)
    html = page_of(client.get("/audit/report/?region=CN-AH&year=2026"))
    assert "Rules overridden" in html and "&lt;1&gt;" in html
    assert client.get("/audit/report/?region=CN-SH&year=2026").status_code == 404
    page_of(client.get("/audit/report/?year=2189"), 400)
    new = "/audit/papers/new/"
    body = {"subject": "year", "region": "CN-AH", "year": "2026", "format": "pdf"}
    assert client.post(new, body).status_code == 302
    page_of(client.post(new, body | {"format": "zip"}), 400)
    period = {"subject": "period", "region": "CN-AH", "since": "2026-03-01", "until": "2026-02-01"}
    assert "invalid-feedback" in page_of(client.post(new, period), 400)
    papers_work(now=NOW)
    assert "SHA-256" in page_of(client.get("/audit/papers/"))
    row = AuditPaper.objects.get()
    answer = client.get(f"/audit/papers/{row.pk}/")
    assert answer["Content-Disposition"] == 'attachment; filename="audit-year-cn-ah-2026.pdf"'
    client.force_login(cast.zhao)
    assert client.get(f"/audit/papers/{row.pk}/").status_code == 404
    assert client.get("/audit/report/").status_code == 403


def test_hours_and_money_are_those_of_the_hosts_as_their_pages_show_them(cast: Cast) -> None:
    """A host of Anhui was used by Shanghai: the report of Shanghai names it apart."""
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    by = By(cast.actor("wang"), at("2026-03-06 10:00"))
    reservation_check_in(by, reservation_id=made.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=made.pk)
    now = at("2026-03-08 12:00")
    hours_roll_up(since=None, until=None, now=now)
    store([charge_of(cast, total="1318.00")])
    Charge.objects.update(created_at=now)
    auditor = cast.actor("auditor")
    rows = {row[0]: row for row in section(year_report(auditor, "CN-AH", 2026, now), "audited")}
    shown = figures_for(
        auditor, narrowed={"region": "CN-AH"}, since=YEAR["since"], until=YEAR["until"], by=[]
    ).total
    assert shown is not None
    assert rows["Effective hours"][3].value == shown.minutes.productive == 120
    hosted = Charge.objects.filter(host_region__code="CN-AH").aggregate(Sum("total"))["total__sum"]
    assert rows["Charges in CNY"][3].value == hosted
    report = year_report(auditor, "CN-AH", 2026, now)
    assert section(report, "elsewhere") == []
    role_grant(By(PLATFORM, NOW), user=cast.people["alice"], role="auditor", region=cast.shanghai)
    report = year_report(cast.actor("alice"), "CN-SH", 2026, now)
    assert not any(row[0] == "Effective hours" for row in section(report, "audited"))
    ((payer, *used),) = section(report, "elsewhere")
    assert (payer, used) == ("Fudan University", [1, 120, "CNY 1,318.00"])


def test_amounts_behind_exceptions_are_those_of_their_list(cast: Cast, finding: AuditFinding) -> None:
    report = year_report(cast.actor("auditor"), "CN-AH", 2026, NOW)
    rows = AuditException.objects.filter(rule="overrides")
    amount = sum(row.amount for row in rows if row.amount)
    assert amount > 0
    behind = {row[0]: row[6] for row in section(report, "rules")}
    assert behind["Rules overridden"] == f"CNY {amount:,.2f}"


def test_a_file_is_in_the_language_of_the_page_on_which_it_was_ordered(cast: Cast, client: Client) -> None:
    client.force_login(cast.auditor)
    body = {"subject": "year", "region": "CN-AH", "year": "2026", "format": "pdf"}
    client.post("/audit/papers/new/", body, HTTP_ACCEPT_LANGUAGE="zh-hans")
    with translation.override("zh-hans"):
        paper_start(By(cast.actor("auditor"), NOW), wanted=Wanted("year", "pdf", **YEAR))
    assert AuditPaper.objects.order_by("-id").first().language == "zh-hans"


def test_an_exception_counts_in_the_region_of_its_host(
    cast: Cast, finding: AuditFinding, client: Client
) -> None:
    """Regions add up to the whole, and the number found leads to exactly these rows."""
    auditor = cast.people["auditor"]
    for region in (cast.shanghai, cast.anhui.parent):
        if region is not None:
            role_grant(By(PLATFORM, NOW), user=auditor, role="auditor", region=region)
    AuditException.objects.update(region_ids=[*cast.anhui.lineage, *cast.shanghai.lineage])

    def counted(code: str) -> int:
        return dict(section(year_report(cast.actor("auditor"), code, 2026, NOW), "glance"))[
            "Exceptions found"
        ]

    assert (counted("CN-AH"), counted("CN-SH")) == (AuditException.objects.count(), 0)
    if cast.anhui.parent is not None:
        assert counted(cast.anhui.parent.code) == counted("CN-AH") + counted("CN-SH")
    client.force_login(auditor)
    page = client.get("/audit/report/?region=CN-AH&year=2026").content.decode()
    address = "/audit/exceptions/?report=CN-AH%3A2026"
    assert f'<a href="{address}">{counted("CN-AH")}</a>' in page
    assert client.get(address).context["page"].paginator.count == counted("CN-AH")
    assert client.get("/audit/exceptions/?report=CN-SH:2026").context["page"].paginator.count == 0
    assert client.get("/audit/exceptions/?report=x").context["page"].paginator.count == 0
    body = client.get("/api/v1/audit/exceptions/?report=CN-AH:2026").json()
    assert len(body["results"]) == counted("CN-AH")


def test_a_small_share_is_not_nothing() -> None:
    head = Head("Share", PERCENT)
    assert texts_of(Section("x", "X", [head], [(Decimal(312) / 526926,)])) == [[("0.1 %", False)]]
