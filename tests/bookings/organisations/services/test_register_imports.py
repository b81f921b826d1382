"""Files of organisations and regions: previewed, carried out whole or not at all, sent twice."""

import io
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from accounts.models import Organisation, OutboxMessage, Region, TrailEntry
from bookings.organisations.domain.register_files import RegisterRefused, Result
from bookings.organisations.services.register_imports import organisations_import, regions_import
from tests.factories.cast import NOW

HEAD = "code,name,name_zh,kind,is_small,region,ror,tax_number"
FILE = f"""{HEAD}
ustc,University of S&T,,,,CN-AH,04c4dkn09,T-1
inst,Institute,研究所,institute,false,340000,,
small,Small Ltd,,企业,是,CN-AH,,
"""


def state():
    return (
        list(Organisation.objects.order_by("pk").values()),
        list(Region.objects.order_by("pk").values()),
        TrailEntry.objects.count(),
        OutboxMessage.objects.count(),
    )


def bring_in(cast, text=FILE, by="coordinator", act=organisations_import, **more):
    content = text if isinstance(text, bytes) else text.encode()
    return act(By(cast.actor(by), NOW), content=content, **more)


def results(report):
    return [(outcome.line, outcome.result.value) for outcome in report.outcomes]


def test_a_preview_says_what_would_become_of_each_row_and_writes_nothing(cast):
    before = state()
    report = bring_in(cast, dry_run=True)
    assert results(report) == [(2, "changed"), (3, "new"), (4, "new")]
    assert report.outcomes[0].changes == (
        ("name", "USTC", "University of S&T"),
        ("ror", "", "https://ror.org/04c4dkn09"),
        ("tax_number", "", "T-1"),
    )
    assert state() == before


def test_a_file_is_carried_out_and_changes_nothing_the_second_time(cast):
    first = bring_in(cast)
    assert (first.new, first.changed, first.unchanged) == (2, 1, 0)
    small = Organisation.objects.get(code="small")
    assert (small.kind, small.is_small, small.region) == ("enterprise", True, cast.anhui)
    assert Organisation.objects.get(code="inst").region == cast.anhui
    cast.ustc.refresh_from_db()
    assert (cast.ustc.name, cast.ustc.name_zh) == ("University of S&T", "中国科学技术大学")
    before = state()
    again = bring_in(cast)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)
    assert state() == before


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        ("x,X,,institute,,CN-SH,,", [("", "not-permitted")]),
        ("fudan,Fudan 2,,,,,,", [("", "not-permitted")]),
        ("optics,X,,,,CN-SH,,", [("region", "lies-elsewhere")]),
        ("x,X,,institute,,XX,,", [("region", "unknown-region")]),
        ("x,X,,institute,,,,", [("region", "required")]),
        ("x,X,,club,,CN-AH,,", [("kind", "unknown-value")]),
        ("x,X,,,,CN-AH,,", [("kind", "required")]),
        ("x,,,institute,,CN-AH,,", [("name", "required")]),
        ("x,X,,institute,maybe,CN-AH,,", [("is_small", "not-a-boolean")]),
        ("x,X,,institute,是,CN-AH,,", [("is_small", "small-is-enterprise")]),
        ("x,X,,institute,,CN-AH,04c4dkn08,", [("ror", "not-a-ror")]),
        (f"x,X,,institute,,CN-AH,,{'1' * 41}", [("tax_number", "too-long")]),
        (f"{'x' * 31},X,,institute,,CN-AH,,", [("code", "not-a-code")]),
        (",X,,institute,,CN-AH,,", [("code", "required")]),
        ("inst,Again,,institute,,CN-AH,,", [("code", "repeated-in-line")]),
        ("x,X", [("", "wrong-cells")]),
    ],
)
def test_one_bad_row_and_nothing_is_written(cast, row, problems):
    before = state()
    text = FILE + row + "\n"
    for dry_run in (True, False):
        try:
            report = bring_in(cast, text, dry_run=dry_run)
            assert dry_run
        except RegisterRefused as refused:
            assert not dry_run
            report = refused.report
        assert state() == before
        last = report.outcomes[-1]
        assert (last.line, last.result) == (5, Result.REFUSED)
        assert [(problem.field, problem.code) for problem in last.problems] == problems
        assert report.refused == 1


def test_an_excel_file_in_chinese_as_gb18030_and_as_a_workbook(cast):
    rows = [
        ["单位代码", "单位名称", "单位性质", "行政区划代码", "统一社会信用代码", "备注"],
        ["zky", "合肥物质科学研究院", "科研院所", "340000", "12100000717800086B", "-"],
    ]
    text = "\r\n".join(";".join(row) for row in rows).encode("gb18030")
    report = bring_in(cast, text)
    assert (results(report), report.ignored) == ([(2, "new")], ("备注",))
    made = Organisation.objects.get(code="zky")
    assert (made.name, made.name_zh, made.kind, made.tax_number) == (
        "合肥物质科学研究院", "合肥物质科学研究院", "institute", "12100000717800086B",
    )  # fmt: skip
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    assert results(bring_in(cast, stream.getvalue())) == [(2, "unchanged")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"name\nx\n", "column-missing"),
        (b"code,code\nx,y\n", "duplicate-header"),
        (b"code,organisation\nx,y\n", "column-twice"),
        (b"code\n", "no-rows"),
        (b"code\n" + b"x\n" * 1001, "too-many-rows"),
        (b"code\n" + b"x" * 700_001, "file-too-large"),
        (b"code\nx\x00\n", "nul-byte"),
        (b"\xff\xfe\x00\x01code", "not-text"),
        (b'code,name\nx,"open\n', "unclosed-quote"),
    ],
)
def test_what_is_no_table_of_organisations_is_refused_whole(cast, content, code):
    before = state()
    with pytest.raises(Invalid) as refused:
        bring_in(cast, content)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("file", code)
    assert state() == before


@pytest.mark.parametrize("by", ["alice", "wang", "zhao", "lin", "auditor"])
def test_others_bring_in_nothing(cast, by):
    for act in (organisations_import, regions_import):
        with pytest.raises(NotPermitted):
            bring_in(cast, by=by, act=act, dry_run=True)


def test_regions_by_their_codes(cast):
    text = "scheme,code,parent,name,time_zone,currency,shares\n"
    text += ",CN-JS,,,,,true\n,320500,,,,,true\nOurs,EAST,,East,UTC,CNY,\n,CN-AH,EAST,,,,\n"
    with pytest.raises(NotPermitted):
        bring_in(cast, text, act=regions_import)
    before = state()
    report = bring_in(cast, text, by="admin", act=regions_import, dry_run=True)
    assert results(report) == [(2, "new"), (3, "new"), (4, "new"), (5, "changed")]
    assert report.outcomes[-1].changes == (("parent", "CN", "EAST"),)
    assert state() == before
    bring_in(cast, text, by="admin", act=regions_import)
    suzhou = Region.objects.get(code="320500")
    assert (suzhou.name_zh, suzhou.parent.code, suzhou.shares) == ("苏州市", "CN-JS", True)
    assert Region.objects.get(code="CN-AH").parent.code == "EAST"
    before = state()
    again = bring_in(cast, text, by="admin", act=regions_import)
    assert again.unchanged == 4
    assert state() == before
    with pytest.raises(RegisterRefused) as refused:
        bring_in(cast, "code\n320000\n", by="admin", act=regions_import)
    assert refused.value.report.outcomes[0].problems[0].code == "same-place"


def test_the_command(cast, tmp_path: Path, capsys):
    path = tmp_path / "organisations.csv"
    path.write_text(FILE)
    mail = cast.coordinator.email
    before = state()
    call_command("import_organisations", str(path), by=mail, dry_run=True)
    said = capsys.readouterr().out
    assert "3 rows: 2 new, 1 changed, 0 unchanged, 0 refused." in said
    assert "line 2: name: 'USTC' -> 'University of S&T'" in said
    assert "nothing was saved" in said
    assert state() == before
    path.write_text(FILE + "x,X,,institute,,CN-SH,,\n")
    with pytest.raises(CommandError, match="1 of 4 rows is refused"):
        call_command("import_organisations", str(path), by=mail)
    assert "line 5: not-permitted - " in capsys.readouterr().out
    assert state() == before
    for arguments in ((str(path), "nobody@a.example"), (str(tmp_path / "no"), mail)):
        with pytest.raises(CommandError):
            call_command("import_organisations", arguments[0], by=arguments[1])
    path.write_text(FILE)
    call_command("import_organisations", str(path), by=mail)
    assert Organisation.objects.filter(code__in=["inst", "small"]).count() == 2
