"""Regions and organisations through the API."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

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
    membership_start(actor=None, user=cast.wang, organisation=cast.ustc, now=NOW)
    codes = [row["code"] for row in program("wang").get("organisations/?mine=1").body["results"]]
    assert codes == ["fudan"]  # a member of USTC, but without the role
    assert program("zhao").get("organisations/?mine=true").ids == []  # manages, does not book
    assert program("alice").get("organisations/?mine=1").ids == []
    assert len(program("alice").get("organisations/?mine=0").ids) == 3
    nobody = program().get("organisations/?mine=1")
    assert (nobody.status, nobody.code) == (401, "not-signed-in")
    assert program().get("organisations/?mine=x").problems == [("mine", "not-a-boolean")]


def test_pages_there_and_back(cast: Cast, program: Programs) -> None:
    for code in ("DE", "DK", "ES"):
        region_create(
            actor=None, scheme="ISO 3166", code=code, parent=None, now=NOW, name=code,
            time_zone="UTC", currency="EUR",
        )  # fmt: skip
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
    assert program().get(f"organisations/?cursor={cursor}").problems == [
        ("cursor", "unknown-cursor")
    ]


def test_lists_ask_as_much_of_the_database_for_three_as_for_one(
    cast: Cast, program: Programs
) -> None:
    for path in ("regions/", "organisations/"):
        counts = []
        for limit in (1, 3):
            with CaptureQueriesContext(connection) as captured:
                program().get(f"{path}?limit={limit}")
            counts.append(len(captured))
        assert counts == [1, 1]
