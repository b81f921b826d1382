"""Inviting the people of a file."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import joining
from accounts.domain.errors import Invalid, WrongState
from accounts.domain.people import PeopleRefused, PeopleReport, PersonRow, Verdict, roles_in
from accounts.domain.roles import FINANCE, MANAGER, RESEARCHER, By
from accounts.models import Invitation, OutboxMessage, RoleGrant, TrailEntry
from accounts.services.invitations import invitation_send, invitation_withdraw
from accounts.services.people import people_invite
from bookings.plans.adapters.tables import read_people
from instruments.reading.domain.delimited import FileRefused
from tests.factories.cast import NOW, Cast

WRITTEN = (Invitation, OutboxMessage, TrailEntry, RoleGrant)
DAY = timedelta(days=1)


def run(cast: Cast, *rows: PersonRow | str, who: str = "chen", **more: Any) -> PeopleReport:
    people = [row if isinstance(row, PersonRow) else PersonRow(line, row) for line, row in enumerate(rows, 2)]
    values: dict[str, Any] = {"organisation": cast.fudan, "dry_run": False}
    return people_invite(By(cast.actor(who), more.pop("now", NOW)), rows=people, **values | more)


def refused(cast: Cast, *rows: PersonRow | str, **more: Any) -> PeopleReport:
    """The report of a file of which nothing was written."""
    before = [model.objects.count() for model in WRITTEN]
    with pytest.raises(PeopleRefused) as error:
        run(cast, *rows, **more)
    assert [model.objects.count() for model in WRITTEN] == before
    dry = run(cast, *rows, **more | {"dry_run": True})
    assert (dry.outcomes, str(dry.limit)) == (error.value.report.outcomes, str(error.value.report.limit))
    return error.value.report


def codes(report: PeopleReport) -> list[list[str]]:
    return [[f"{p.field}:{p.code}" for p in one.problems] for one in report.outcomes]


def test_everybody_of_a_file_is_invited_with_their_roles(cast: Cast) -> None:
    report = run(
        cast,
        PersonRow(2, " A@new.example ", "researcher;finance"),
        PersonRow(3, "b@new.example", "", "FUDAN"),
    )
    assert [one.verdict for one in report.outcomes] == [Verdict.INVITE] * 2
    rows = Invitation.objects.order_by("email").values_list("email", "roles", "invited_by")
    chen = cast.people["chen"].pk
    assert list(rows) == [
        ("a@new.example", ["researcher", "finance"], chen),
        ("b@new.example", ["researcher"], chen),
    ]
    kinds = OutboxMessage.objects.filter(kind="people.invitation").count()
    entries = TrailEntry.objects.filter(action="invitation.send").count()
    assert (kinds, entries) == (2, 2)


def test_the_same_file_does_nothing_the_second_time(cast: Cast) -> None:
    run(cast, "a@new.example", "wang@fudan.example")
    before = [model.objects.count() for model in WRITTEN]
    again = run(cast, "a@new.example", "wang@fudan.example")
    assert [one.verdict for one in again.outcomes] == [Verdict.INVITED, Verdict.MEMBER]
    assert [model.objects.count() for model in WRITTEN] == before


def test_roles_that_are_lacking_are_said_and_given_to_nobody(cast: Cast) -> None:
    run(cast, "a@new.example")
    before = [model.objects.count() for model in WRITTEN]
    report = run(
        cast,
        PersonRow(2, "a@new.example", "researcher manager"),
        PersonRow(3, "Wang@fudan.example", "researcher,finance"),
    )
    assert [one.lacking for one in report.outcomes] == [(MANAGER,), (FINANCE,)]
    assert [model.objects.count() for model in WRITTEN] == before


def test_one_wrong_row_and_nobody_is_invited(cast: Cast) -> None:
    report = refused(
        cast,
        "good@new.example",
        PersonRow(3, "nobody"),
        PersonRow(4, ""),
        PersonRow(5, "c@new.example", "coordinator"),
        PersonRow(6, "d@new.example", "", "ustc"),
        PersonRow(7, "e@new.example", "", "nowhere"),
        PersonRow(8, "GOOD@new.example"),
    )
    assert codes(report) == [
        [],
        ["email:not-a-mail-address"],
        ["email:required"],
        ["roles:unknown-role"],
        ["organisation:another-organisation"],
        ["organisation:unknown-value"],
        ["email:repeated"],
    ]


def test_rights_are_those_of_inviting_one_by_one(cast: Cast) -> None:
    rows = [PersonRow(2, "a@new.example", "", "fudan"), PersonRow(3, "a@new.example", "", "ustc")]
    for who, expected in (
        ("chen", [[], ["organisation:not-permitted"]]),
        ("wang", [["organisation:not-permitted"]] * 2),
        ("auditor", [["organisation:not-permitted"]] * 2),
    ):
        assert codes(refused(cast, *rows, who=who, organisation=None)) == expected
    assert codes(refused(cast, PersonRow(2, "a@new.example"), who="admin", organisation=None)) == [
        ["organisation:required"]
    ]
    run(cast, *rows, who="admin", organisation=None)
    assert Invitation.objects.count() == 2


def test_a_coordinator_brings_first_managers_alone(cast: Cast) -> None:
    manager = PersonRow(2, "a@new.example", "manager", "optics")
    others = (
        PersonRow(3, "b@new.example", "researcher", "optics"),
        PersonRow(4, "c@new.example", "manager", "ustc"),  # it has one
        PersonRow(5, "d@new.example", "manager", "fudan"),  # another region
    )
    report = refused(cast, manager, *others, who="coordinator", organisation=None)
    assert codes(report) == [[], *[["organisation:not-permitted"]] * 3]
    run(cast, manager, who="coordinator", organisation=None)
    assert Invitation.objects.get().roles == ["manager"]


def test_what_cannot_be_sent_today_is_said_before_anything_is_sent(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MOST_A_DAY", 3)
    run(cast, "a@new.example", "b@new.example")
    limit = refused(cast, "c@new.example", "d@new.example").limit
    assert limit is not None
    assert (limit.code, limit.numbers) == ("too-many-to-invite-today", {"wanted": 2, "left": 1, "most": 3})
    run(cast, "c@new.example")
    run(cast, "e@new.example", now=NOW + DAY)
    run(cast, "f@new.example", "g@new.example", who="admin"), "an administrator has more"
    monkeypatch.setattr(joining, "MOST_OF_ADMINISTRATOR", 3)
    assert refused(cast, "h@new.example", "i@new.example", who="admin").limit is not None


def test_as_many_may_be_open_as_one_by_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MOST_OPEN", 2)
    run(cast, "a@new.example")
    limit = refused(cast, "b@new.example", "c@new.example").limit
    assert limit is not None and (limit.code, limit.numbers["left"]) == ("too-many-to-invite", 1)


def test_one_address_is_invited_five_times_a_day_by_files_too(cast: Cast) -> None:
    for _ in range(joining.MOST_TO_ADDRESS):
        run(cast, "a@new.example")
        row = Invitation.objects.get(email="a@new.example", withdrawn_at=None)
        invitation_withdraw(By(cast.actor("chen"), NOW), invitation_id=row.pk)
    assert codes(refused(cast, "a@new.example")) == [["email:invited-too-often"]]


def test_one_that_has_expired_is_replaced(cast: Cast) -> None:
    old = invitation_send(
        By(cast.actor("chen"), NOW - timedelta(days=30)),
        organisation=cast.fudan,
        email="a@new.example",
        roles=["researcher"],
    )
    run(cast, "a@new.example")
    old.refresh_from_db()
    assert old.withdrawn_at == NOW
    assert Invitation.objects.get(withdrawn_at=None).expires_at > NOW


def test_many_rows_take_no_more_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    people = [f"p{n}@new.example" for n in range(150)]
    with django_assert_max_num_queries(24):
        run(cast, *people)
    assert Invitation.objects.count() == 150


# Reading


@pytest.mark.parametrize(
    "content",
    [
        b"email,roles,organisation\r\na@b.example,manager,fudan\r\n",
        "\ufeffE-mail;Role;Organization\na@b.example;manager;fudan\n".encode(),
        "邮箱\t姓名\t角色\t单位代码\na@b.example\t王丽\t仪器管理员\tfudan\n".encode("gb18030"),
    ],
)
def test_a_file_is_read_as_people_save_it(content: bytes) -> None:
    (row,) = read_people(content)
    assert (row.line, row.email, roles_in(row.roles), row.organisation) == (
        *(2, "a@b.example"),
        *([MANAGER], "fudan"),
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"name,roles\nA,manager\n", "column-missing"),
        (b"email,mail\na@b.example,c@d.example\n", "column-twice"),
        (b"email\n", "no-rows"),
        (b"email\n" + b"a@b.example\n" * 1001, "too-many-rows"),
        (b"email\n" + b"x" * 700_001, "file-too-large"),
        (b'email\n"a@b.example\n', "unclosed-quote"),
        (b"email\n\xff\xfe\x00", "not-text"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused, match=code):
        read_people(content)


def test_a_broken_row_is_refused_in_its_place(cast: Cast) -> None:
    rows = read_people(b"email,roles\na@new.example,researcher\nb@new.example\n")
    report = refused(cast, *rows)
    assert codes(report) == [[], [":wrong-cells"]]
    assert [one.line for one in report.outcomes] == [2, 3]


@given(st.lists(st.sampled_from([RESEARCHER, MANAGER, FINANCE]), max_size=6))
def test_roles_are_each_read_once_in_their_order(roles: list[str]) -> None:
    for sign in (";", " , ", "、", "；"):
        assert roles_in(sign.join(roles)) == (
            [role for role in joining.ROLES if role in roles] or [RESEARCHER]
        )


@given(st.text(max_size=30))
def test_any_text_is_roles_or_refused(text: str) -> None:
    try:
        assert set(roles_in(text)) <= set(joining.ROLES)
    except Invalid as refusal:
        assert refusal.problems[0].code == "unknown-role"


def test_tags_of_one_mailbox_count_as_one_address(cast: Cast) -> None:
    """Alone and in a file: `a+1`, `A+2` and `a` are read by one person."""
    by = By(cast.actor("chen"), NOW)
    names = [f"a+{n}@new.example" for n in range(joining.MOST_TO_ADDRESS - 1)]
    run(cast, *names)
    invitation_send(by, organisation=cast.fudan, email="A+X@new.example", roles=[])
    before = Invitation.objects.count()
    for name in ("a+y@new.example", "a@new.example"):
        with pytest.raises(WrongState, match="invited-too-often"):
            invitation_send(by, organisation=cast.fudan, email=name, roles=[])
    told = codes(refused(cast, "a+z@new.example", "ab@new.example", "a@other.example"))
    assert told == [["email:invited-too-often"], [], []]
    assert Invitation.objects.count() == before
