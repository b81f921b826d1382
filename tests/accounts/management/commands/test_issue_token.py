"""`manage.py issue_token`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiToken
from tests.factories.api import (
    Program,
    clock,  # noqa: F401
)
from tests.factories.cast import NOW, Cast


def issue(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("issue_token", *arguments, stdout=out)
    return out.getvalue().rstrip("\n").split("\n")


def test_the_token_is_alone_on_the_last_line_and_good_for_everything(cast: Cast) -> None:
    lines = issue("Wang@Fudan.example", "--days", "7")
    assert len(lines) > 1
    assert "wang@fudan.example" in lines[0]
    assert lines[-1] == lines[-1].strip()
    row = ApiToken.objects.get()
    assert row.scopes == ["book", "manage", "read", "upload"]
    assert row.expires_at == NOW + timedelta(days=7)
    assert Program(lines[-1]).get("organisations/?mine=1").status == 200


def test_ninety_days_unless_said_otherwise(cast: Cast) -> None:
    issue("wang@fudan.example")
    assert ApiToken.objects.get().expires_at == NOW + timedelta(days=90)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody@fudan.example"],
        ["wang@fudan.example", "--days", "0"],
        ["wang@fudan.example", "--days", "367"],
        ["wang@fudan.example", "--days", "soon"],
    ],
)
def test_what_it_refuses(cast: Cast, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        issue(*arguments)
    assert not ApiToken.objects.exists()


def test_a_closed_account_gets_none(cast: Cast) -> None:
    cast.wang.is_active = False
    cast.wang.save()
    with pytest.raises(CommandError, match="closed"):
        issue("wang@fudan.example")
