"""Write auditors' reports of a year, and archives of working papers, in the background."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import translation

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.letters.words import site_name
from accounts.models import Region
from accounts.notifications import nudge
from accounts.permissions import require_somewhere
from accounts.selectors.memberships import has_lost_since, load_actor
from accounts.selectors.seals import Range, bundle_lines, bundle_size, proof_of
from accounts.services.file_jobs import file_open, files_work
from accounts.services.seals import trail_seal
from bookings.audit.adapters.papers import PapersArchive
from bookings.audit.models import AuditFinding, AuditPaper, AuditRun, AuditSample
from bookings.audit.selectors import papers as selectors
from bookings.audit.selectors.actions import ACTIONS
from bookings.audit.selectors.audit import (
    AUDIT,
    EXCEPTIONS,
    FINDINGS,
    exceptions_for,
    finding_for,
    finding_records,
    findings_for,
    sample_for,
    samples_for,
)
from bookings.audit.selectors.sampling import population_of
from bookings.audit.selectors.trail import entries_for
from bookings.charging.selectors.charges import CHARGES
from bookings.pricing.selectors.bookings import HOSTED_BOOKINGS
from bookings.pricing.selectors.charges import charges_for
from bookings.record.models import UsageSession
from bookings.record.selectors.reservations import reservations_for
from bookings.statistics.adapters.reports import MEDIA, report_file
from bookings.statistics.domain.reports import Report, year_of
from instruments.attachments.adapters.files import file_open as stored_file

TASK = "bookings.tasks.write_papers"
MOST_OPEN = 3  # of one person
MOST_DAYS = 366
# What one archive holds at most.
MOST_ENTRIES, MOST_EXCEPTIONS, MOST_FINDINGS, MOST_SAMPLES = 300_000, 20_000, 300, 100
MOST_PROOFS = 500
State, Subject = AuditPaper.State, AuditPaper.Subject
FORMATS = ("pdf", "docx", "xlsx")
SCRIPTS = Path(__file__).parents[2] / "static" / "bookings"
PIECE = 1 << 18

CHECKS = """\
{title}
{site}, {now}

How to check these papers (no platform and no network is needed)

1. No file was changed:        sha256sum -c SHA256SUMS
   index.csv names each file with its size, its SHA-256 and what it is. The SHA-256 of the whole archive is
   in the trail of the platform, with each download.
2. The trail is as sealed:     python3 trail/verify_bundle.py trail/bundle.jsonl
   of a single entry:          python3 trail/verify_bundle.py trail/proofs/FILE.json
3. A sample is drawn again:    python3 samples/draw_sample.py samples/ID/population.csv --method METHOD
                               --seed SEED --size SIZE --digest DIGEST     (all four: samples/ID/sample.json)

The papers hold what {person} was allowed to read when they were written.

怎样核对（不需要平台，也不需要网络）

1. 文件未被改动：              sha256sum -c SHA256SUMS
   index.csv 列出每个文件的大小、SHA-256 和说明。整个压缩包的 SHA-256 记录在平台的审计追踪中（每次下载一条）。
2. 审计追踪与封存时一致：      python3 trail/verify_bundle.py trail/bundle.jsonl
   单条记录的证明：            python3 trail/verify_bundle.py trail/proofs/FILE.json
3. 重新抽取样本：              python3 samples/draw_sample.py samples/ID/population.csv --method METHOD
                               --seed SEED --size SIZE --digest DIGEST     （四个值见 samples/ID/sample.json）

这些底稿只包含 {person} 在生成时有权查看的内容。
"""


@dataclass(frozen=True)
class Wanted:
    """The subject of a requested file: a region and days (`until` exclusive) of a report of a year and of the
    papers of a period, a finding or a sample of other papers."""

    subject: str
    format: str = "zip"
    region: str = ""
    since: date | None = None
    until: date | None = None
    finding_id: UUID | None = None
    sample_id: UUID | None = None


def paper_start(by: By, *, wanted: Wanted) -> AuditPaper:
    """Have a worker write a file for an auditor. Before, what is committed is sealed, so that the trail in it
    is proved. Raise `NotFound` for what the auditor may not see, `Invalid`, `WrongState` (`papers-waiting`,
    `papers-too-large`)."""
    require_somewhere(by.actor, AUDIT)
    mine = AuditPaper.objects.filter(user_id=by.actor.person)
    if mine.filter(state__in=[State.WAITING, State.WORKING]).count() >= MOST_OPEN:
        raise WrongState("papers-waiting", most=MOST_OPEN)
    row = _checked(by, wanted)
    if row.format == "zip":
        trail_seal(now=by.now)
        if row.subject == Subject.PERIOD:
            _require_bounded(_span(by, row))
    with transaction.atomic():
        row.save()
        after = {
            "subject": row.subject,
            "format": row.format,
            "region": wanted.region or None,
            "from": row.since,
            "until": row.until,
            "finding": row.finding_id,
            "sample": row.sample_id,
        }
        trail.record(by, "paper.start", row, after=after, places=_places(by))
        transaction.on_commit(lambda: nudge(TASK), robust=True)
    return row


def _checked(by: By, wanted: Wanted) -> AuditPaper:
    if wanted.subject not in Subject.values:
        raise invalid("subject", "unknown-choice", allowed=", ".join(Subject.values))
    formats = FORMATS if wanted.subject == Subject.YEAR else ("zip",)
    if wanted.format not in formats:
        raise invalid("format", "unknown-choice", allowed=", ".join(formats))
    row = AuditPaper(
        user_id=by.actor.person,
        subject=wanted.subject,
        format=wanted.format,
        language=translation.get_language() or by.actor.language,
        created_at=by.now,
    )
    match wanted.subject:
        case Subject.FINDING:
            if wanted.finding_id is None:
                raise invalid("finding", "required")
            row.finding = _audited_finding(by, wanted.finding_id)
        case Subject.SAMPLE:
            if wanted.sample_id is None:
                raise invalid("sample", "required")
            row.sample = sample_for(by.actor, wanted.sample_id)
        case _:
            if wanted.since is None or wanted.until is None:
                raise invalid("from" if wanted.since is None else "until", "required")
            row.region = selectors.region_to_audit(by.actor, wanted.region)
            row.since, row.until = wanted.since, wanted.until
            if row.until <= row.since:
                raise invalid("until", "not-after-start")
            if wanted.subject == Subject.YEAR and year_of(row.since, row.until) is None:
                raise invalid("from", "whole-year")
            if (row.until - row.since).days > MOST_DAYS:
                raise invalid("until", "papers-too-long", most=MOST_DAYS)
    return row


def _audited_finding(by: By, finding_id: UUID) -> AuditFinding:
    """Return a finding that the actor sees as an auditor, not as one who answers it."""
    row = finding_for(by.actor, finding_id)
    if not set(row.region_ids) & by.actor.regions_where(AUDIT):
        raise NotFound
    return row


def _require_bounded(span: selectors.Span) -> None:
    range_ = _range(span)
    if (
        bundle_size(range_) > MOST_ENTRIES
        or span.exceptions().count() > MOST_EXCEPTIONS
        or span.findings().count() > MOST_FINDINGS
        or span.samples().count() > MOST_SAMPLES
    ):
        raise WrongState("papers-too-large", most=MOST_ENTRIES)


def papers_work(*, now: datetime) -> int:
    """Write the files that wait; return how many were written."""

    def write(row: AuditPaper, stream: BinaryIO) -> int:
        return _write(row, stream, now)

    return files_work(job="papers of auditors", model=AuditPaper, write=write, now=now)


@transaction.atomic
def paper_open(by: By, *, paper_id: UUID) -> "tuple[AuditPaper, File[bytes]]":
    """Open a finished file of the actor's own, and record in the trail that they took it. Raise `WrongState`
    before it is finished, and (`role-ended-since`) if they have lost a role since requesting it."""
    row = selectors.paper_for(by.actor, paper_id)
    if has_lost_since(row.user_id, AUDIT, row.created_at):
        raise WrongState("role-ended-since")
    file = file_open(row, WrongState("paper-not-ready"))
    after = {"subject": row.subject, "format": row.format, "sha256": row.digest}
    trail.record(by, "paper.download", row, after=after, places=_places(by))
    return row, file


def paper_name(row: AuditPaper) -> str:
    """Return the name of a paper's file."""
    about = row.region.code.lower() if row.region else str(row.finding_id or row.sample_id)
    days = (row.since.year,) if row.subject == Subject.YEAR and row.since else (row.since, row.until)
    return "-".join(str(part) for part in ("audit", row.subject, about, *days) if part) + f".{row.format}"


def paper_media(row: AuditPaper) -> str:
    """Return the media type of a paper's file."""
    return MEDIA.get(row.format, "application/zip")


def _places(by: By) -> tuple[Sequence[UUID], Sequence[UUID]]:
    return (), sorted(by.actor.regions_where(AUDIT))


def _span(by: By, row: AuditPaper) -> selectors.Span:
    assert row.region is not None and row.since is not None and row.until is not None
    return selectors.Span(by.actor, row.region, row.since, row.until, by.now)


def _range(span: selectors.Span) -> Range:
    return Range(span.first, span.last, [span.region.pk], [span.region.code], span.actor.person)


def _write(row: AuditPaper, stream: BinaryIO, now: datetime) -> int:
    by = By(load_actor(row.user), now)
    require_somewhere(by.actor, AUDIT)
    with translation.override(row.language):
        if row.subject == Subject.YEAR:
            report = selectors.span_report(_span(by, _again(by, row)))
            stream.write(report_file(report, row.format))
            parts = len(report.sections)
        else:
            with PapersArchive(stream, now) as archive:
                parts = _Papers(by, row, archive).write()
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    AuditPaper.objects.filter(pk=row.pk).update(digest=digest)
    return parts


def _again(by: By, row: AuditPaper) -> AuditPaper:
    """Return a paper about a region that the auditor may still read; raise `NotFound` otherwise."""
    row.region = selectors.region_to_audit(by.actor, Region.objects.get(pk=row.region_id or row.pk).code)
    return row


class _Papers:
    """The papers of one archive, as they are written."""

    def __init__(self, by: By, row: AuditPaper, archive: PapersArchive) -> None:
        self.by, self.row, self.archive = by, row, archive
        self.has_script = False

    def write(self) -> int:
        """Write all papers of the subject; return how many files they are."""
        row = self.row
        match row.subject:
            case Subject.PERIOD:
                report = self._period(_span(self.by, _again(self.by, row)))
            case Subject.FINDING:
                finding = _audited_finding(self.by, row.finding_id or row.pk)
                report = self._of_finding(finding)
            case _:
                sample = sample_for(self.by.actor, row.sample_id or row.pk)
                report = self._of_sample(sample)
        self.archive.add("report.pdf", [report_file(report, "pdf")], report.title)
        self.archive.add("report.xlsx", [report_file(report, "xlsx")], report.title)
        self.archive.add("trail/verify_bundle.py", [_script("verify_bundle.py")], "verifier of the trail")
        readme = CHECKS.format(
            title=f"{report.title}: {report.subtitle}",
            site=f"{site_name()} {settings.SITE_URL}",
            now=f"{self.by.now:%Y-%m-%dT%H:%M:%SZ}",
            person=str(row.user),
        )
        return self.archive.close(readme)

    def _table(
        self, name: str, heads: Iterable[str], rows: Iterable[Iterable[object]], about: str = ""
    ) -> None:
        with transaction.atomic():  # a list is read by a cursor
            self.archive.add_table(name, heads, rows, about)

    def _period(self, span: selectors.Span) -> Report:
        _require_bounded(span)
        archive, by = self.archive, self.by
        self._table("exceptions.csv", EXCEPTIONS.heads, EXCEPTIONS.lines(span.exceptions(), by))
        self._table("findings.csv", FINDINGS.heads, FINDINGS.lines(span.findings(), by))
        self._table("actions.csv", ACTIONS.heads, ACTIONS.lines(span.actions(), by))
        runs = AuditRun.objects.filter(span.during("started_at")).order_by("started_at", "id")
        self._table(
            "runs.csv",
            ["run", "started", "is_full", "looked_at"],
            runs.values_list("pk", "started_at", "is_full", "looked_at"),
            "runs of the rules on the whole platform",
        )
        for finding in span.findings():
            self._finding(finding_for(by.actor, finding.pk))
        for sample in span.samples():
            self._sample(sample_for(by.actor, sample.pk))
        lines = bundle_lines(_range(span), site=settings.SITE_URL, now=by.now)
        archive.add("trail/bundle.jsonl", lines, "the trail of these days, with its seals")
        return selectors.span_report(span)

    def _of_finding(self, finding: AuditFinding) -> Report:
        self._finding(finding)
        ids = [finding.pk, *finding.actions.values_list("pk", flat=True)]
        if finding.exception_id:
            ids.append(finding.exception_id)
            rows = exceptions_for(self.by.actor).filter(pk=finding.exception_id)
            self._table("exceptions.csv", EXCEPTIONS.heads, EXCEPTIONS.lines(rows, self.by))
        # An auditor of the payer's region alone does not see the sample.
        sample_id = finding.sample_id
        if sample_id and (sample := samples_for(self.by.actor).filter(pk=sample_id).first()):
            ids.append(sample.pk)
            self._sample(sample)
        self._proofs(ids)
        return selectors.finding_report(finding, self.by.now)

    def _of_sample(self, sample: AuditSample) -> Report:
        self._sample(sample)
        findings = list(findings_for(self.by.actor).filter(sample=sample)[:MOST_FINDINGS])
        for finding in findings:
            self._finding(finding_for(self.by.actor, finding.pk))
        self._proofs([sample.pk, *(finding.pk for finding in findings)])
        return selectors.sample_report(sample, findings)

    def _finding(self, finding: AuditFinding) -> None:
        folder, by = f"findings/{finding.pk}", self.by
        report = selectors.finding_report(finding, by.now)
        self.archive.add(f"{folder}/finding.pdf", [report_file(report, "pdf")], finding.title)
        rows = FINDINGS.lines(findings_for(by.actor).filter(pk=finding.pk), by)
        self._table(f"{folder}/finding.csv", FINDINGS.heads, rows, finding.title)
        lines = ACTIONS.lines(ACTIONS.rows(by.actor).filter(finding=finding), by)
        self._table(f"{folder}/actions.csv", ACTIONS.heads, lines, finding.title)
        records = finding_records(by.actor, finding)
        evidence = [(item["type"], item["id"]) for item in records]
        self._table(f"{folder}/evidence.csv", ["type", "id"], evidence, finding.title)
        self._rows(folder, {UUID(item["id"]) for item in records})
        for number, file in enumerate(finding.files.order_by("added_at", "id"), 1):
            size = "file" if file.kind == "document" else "large"
            content = stored_file(file.pk, size)
            about = f"{file.title} ({file.added_by})"
            if content is not None:
                with content:
                    pieces = _pieces(content)
                    self.archive.add(f"{folder}/files/{number:02}.{file.ending}", pieces, about)

    def _sample(self, sample: AuditSample) -> None:
        folder = f"samples/{sample.pk}"
        self.archive.add(f"{folder}/population.csv", [population_of(sample)], "population as it was frozen")
        facts = {
            "id": str(sample.pk),
            "subject": sample.subject,
            "method": sample.method,
            "since": str(sample.since),
            "until": str(sample.until),
            "currency": sample.currency,
            "seed": sample.seed,
            "size": sample.size,
            "count": sample.count,
            "digest": bytes(sample.digest).hex(),
            "drawn": sample.drawn,
        }
        self.archive.add(f"{folder}/sample.json", [json.dumps(facts, indent=1).encode()], "how it was drawn")
        self._rows(folder, {UUID(pk) for pk in sample.drawn})
        if not self.has_script:
            self.archive.add("samples/draw_sample.py", [_script("draw_sample.py")], "draws the samples again")
            self.has_script = True

    def _rows(self, folder: str, ids: set[UUID]) -> None:
        """Add the bookings, sessions and charges among the records examined that the auditor may read."""
        by, about = self.by, "rows examined"
        charges = charges_for(by.actor).filter(pk__in=ids)
        bookings = reservations_for(by.actor)
        seen = bookings.filter(pk__in=ids)
        sessions = UsageSession.objects.filter(pk__in=ids, reservation__in=bookings.order_by().values("pk"))
        if charges.exists():
            self._table(f"{folder}/charges.csv", CHARGES.heads, CHARGES.lines(charges, by), about)
        if seen.exists():
            lines = HOSTED_BOOKINGS.lines(seen, by)
            self._table(f"{folder}/bookings.csv", HOSTED_BOOKINGS.heads, lines, about)
        if sessions.exists():
            heads = ["session", "booking", "instrument", "checked_in", "checked_out", "is_assumed"]
            of = ("pk", "reservation_id", "instrument__name", "checked_in_at", "checked_out_at", "is_assumed")
            lines_of = sessions.order_by("checked_in_at", "pk").values_list(*of)
            self._table(f"{folder}/sessions.csv", heads, lines_of, about)

    def _proofs(self, ids: Iterable[UUID]) -> None:
        entries = entries_for(self.by.actor).filter(object_id__in=list(ids)).order_by("at", "id")
        for number, entry in enumerate(entries[:MOST_PROOFS], 1):
            if proof := proof_of(entry):
                name = f"trail/proofs/{number:03}-{entry.action}.json"
                content = json.dumps(proof, ensure_ascii=False).encode()
                self.archive.add(name, [content], f"{entry.at:%Y-%m-%dT%H:%M:%SZ} {entry.action}")


def _pieces(content: "File[bytes]") -> Iterator[bytes]:
    while piece := content.read(PIECE):
        yield piece


def _script(name: str) -> bytes:
    return (SCRIPTS / name).read_bytes()
