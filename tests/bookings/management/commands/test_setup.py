"""`manage.py setup`: an installation from nothing."""

import builtins
import io
import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from accounts.models import Installation, Organisation, OutboxMessage, Region, RoleGrant, TrailEntry, User
from accounts.selectors.installation import KEPT, installation
from tests.accounts.pages import mails, page_of

FILE = """
site: {name: Instrument sharing of Anhui, name_zh: 安徽共享, languages: [zh-hans, en]}
regions:
  - {scheme: iso-3166-2, code: CN-AH, shares: true}
  - {scheme: gb-t-2260, code: "310000", shares: true}
  - {scheme: ISO 3166-2, code: GB-SCT, name: Scotland, time_zone: Europe/London, currency: GBP,
     holiday_calendar: GB-SCT}
organisations:
  - {code: first-university, name: First University, name_zh: 第一大学, kind: university,
     region: CN-AH}
administrator: {email: Admin@Example.org, name: Administrator}
"""
MADE = (Installation, Region, Organisation, User, RoleGrant, OutboxMessage, TrailEntry)
PASSWORD = "mistral under the 7 bridges"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.delete(KEPT)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "site.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def run(*args: str) -> list[str]:
    out = io.StringIO()
    call_command("setup", *args, stdout=out)
    return out.getvalue().splitlines()


def refused(*args: str) -> tuple[int, list[str]]:
    """Exit code and what was said of the problems; nothing is written."""
    before, errors = [model.objects.count() for model in MADE], io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("setup", *args, stderr=errors, stdout=io.StringIO())
    assert [model.objects.count() for model in MADE] == before
    return error.value.returncode, errors.getvalue().splitlines()


def test_a_file_makes_an_installation_whose_administrator_sets_a_password(
    written: Any, client: Client
) -> None:
    assert installation().version == 0
    lines = run(written(FILE))
    assert lines[:6] == [
        "installation Instrument sharing of Anhui: made",
        "region CN-AH: made",
        "region 310000: made",
        "region GB-SCT: made",
        "organisation first-university: made",
        "administrator admin@example.org: made",
    ]
    row = Installation.objects.get()
    assert (row.name, row.name_zh, row.languages, row.admits_strangers) == (
        *("Instrument sharing of Anhui", "安徽共享", ["zh-hans", "en"]),
        True,
    )
    regions = Region.objects.order_by("code").values_list(
        *("scheme", "code", "name", "name_zh", "time_zone", "currency", "holiday_calendar", "shares")
    )
    china = ("Asia/Shanghai", "CNY", "CN", True)
    assert list(regions) == [
        ("GB/T 2260", "310000", "Shanghai", "上海市", *china),
        ("ISO 3166-2", "CN-AH", "Anhui", "安徽", *china),
        ("ISO 3166-2", "GB-SCT", "Scotland", "", "Europe/London", "GBP", "GB-SCT", False),
    ]
    assert Organisation.objects.get().region.code == "CN-AH"
    admin = User.objects.get()
    assert (admin.email, admin.language, admin.time_zone) == (
        *("admin@example.org", "zh-hans"),
        "Asia/Shanghai",
    )
    assert not admin.has_usable_password()
    assert RoleGrant.objects.get().role == "administrator"
    (letter,) = mails()
    assert letter.to == ["admin@example.org"]
    for link in (lines[-1], re.findall(r"https?://\S+/accounts/password/reset/key/\S+", letter.body)[0]):
        path = link.partition("//")[2].partition("/")[2]
        assert client.get(f"/{path}").status_code == 302
    form = client.get(f"/{path}", follow=True)
    where = form.redirect_chain[-1][0]
    done = client.post(where, {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=admin).verified
    again = client.get(f"/{path}", follow=True)
    assert "password1" not in page_of(again), "the address opens once"
    last = run(written(FILE))
    assert last[-1].endswith("/accounts/login/")
    client.post("/accounts/login/", {"login": "admin@example.org", "password": PASSWORD})
    assert client.get("/people/").status_code == 200


def test_a_second_run_changes_nothing_and_says_so(written: Any) -> None:
    first = run(written(FILE))
    before = {model: model.objects.count() for model in MADE}
    second = run(written(FILE))
    assert [line.split(": ")[1] for line in second[:6]] == ["exists"] * 6
    fresh = {model: model.objects.count() for model in MADE}
    assert fresh == before | {OutboxMessage: before[OutboxMessage] + 1}, "a fresh link by mail"
    assert "/accounts/password/reset/key/" in first[-1]
    assert "/accounts/password/reset/key/" in second[-1]


def test_what_exists_with_other_values_is_left_as_it_is(written: Any) -> None:
    run(written(FILE))
    other = FILE.replace("of Anhui", "of China").replace("第一大学", "二").replace("Admin@", "b@")
    lines = run(written(other.replace("CN-AH, shares: true", "CN-AH, shares: false")))
    assert lines[0] == "installation Instrument sharing of Anhui: exists, left as it is (other name)"
    assert lines[1] == "region CN-AH: exists, left as it is (other shares)"
    assert lines[4] == "organisation first-university: exists, left as it is (other name_zh)"
    assert lines[5] == "administrator admin@example.org: exists, left as it is (other email)"
    assert Installation.objects.get().name == "Instrument sharing of Anhui"
    assert Region.objects.get(code="CN-AH").shares is True
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (("languages: [zh", "langs: [zh"), ["site.langs: … (unknown-field)"]),
        (("zh-hans, en", "zh-hans, fr"), ["site.languages[1]: … (unknown-value)"]),
        (("[zh-hans, en]", "en"), ["site.languages: … (not-a-list)"]),
        (("name: Instrument sharing of Anhui", "name: 7"), ["site.name: … (not-a-text)"]),
        (("shares: true", "shares: maybe"), ["regions[0].shares: … (not-a-boolean)"]),
        (('"310000"', "310000"), ["regions[1].code: … (not-a-text)"]),
        (
            ("CN-AH, s", "CN-XX, s"),
            [
                "regions[0].name: … (not-a-known-code)",
                "regions[0].time_zone: … (not-a-known-code)",
                "regions[0].currency: … (not-a-known-code)",
                "organisations[0].region: … (unknown-region)",
            ],
        ),
        (
            ("Europe/London, currency: GBP", "Europe/Londinium, currency: XXX"),
            [
                "regions[2].currency: … (unknown-currency)",
                "regions[2].time_zone: … (unknown-time-zone)",
            ],
        ),
        (
            ("calendar: GB-SCT", "calendar: QQ"),
            ["regions[2].holiday_calendar: … (unknown-calendar)"],
        ),
        (("code: GB-SCT", "code: CN-AH"), ["regions[2].code: … (repeated)"]),
        (("GB-SCT, name", "GB-SCT, parent: GB, name"), ["regions[2].parent: … (unknown-region)"]),
        (("first-university", "first university"), ["organisations[0].code: … (not-a-code)"]),
        (("kind: university", "kind: school"), ["organisations[0].kind: … (unknown-value)"]),
        (
            ("kind: university", "kind: university, is_small: true"),
            ["organisations[0].is_small: … (small-is-enterprise)"],
        ),
        (("Admin@Example.org", "admin"), ["administrator.email: … (not-a-mail-address)"]),
        (
            ("Admin@Example.org, name", "Admin@Example.org, role"),
            ["administrator.role: … (unknown-field)"],
        ),
        (
            ("administrator: {", "admin: {"),
            ["administrator: … (required)", "admin: … (unknown-field)"],
        ),
        (("site: {name", "site: {logo: none.png, name"), ["site.logo: … (unreadable-file)"]),
        (("site: {name", "site: {logo: site.yaml, name"), ["site.logo: … (broken-file)"]),
        (("administrator:", "site: {name: B}\nadministrator:"), ["site: … (repeated)"]),
    ],
)  # fmt: skip
def test_each_wrong_thing_of_a_file_is_named_with_its_place(
    written: Any, change: tuple[str, str], problems: list[str]
) -> None:
    assert change[0] in FILE
    code, said = refused(written(FILE.replace(*change, 1)))
    assert [re.sub(r"^line \d+: (.*?): .* \(", r"\1: … (", line) for line in said] == problems
    assert code == 2


def test_all_problems_are_said_at_once(written: Any) -> None:
    text = FILE.replace("zh-hans, en", "xx").replace("kind: university", "kind: club")
    code, said = refused(written(text.replace("Admin@Example.org", "nobody")))
    assert code == 2
    assert [line.split(": ")[:2] for line in said] == [
        ["line 2", "site.languages[0]"],
        ["line 9", "organisations[0].kind"],
        ["line 11", "administrator.email"],
    ]


def test_what_is_wrong_in_shape_keeps_nobody_from_hearing_what_is_wrong_in_sense(written: Any) -> None:
    """One run names all: a key twice, types, a logo that is not there, a place that nobody knows. A region
    that is refused is not said to be missing as well."""
    text = FILE.replace("shares: true}", "shares: perhaps}", 1).replace("GBP", "XXX")
    text = text.replace("region: CN-AH}", "region: CN-AH, kind: club}").replace(
        "site: {", "site: {logo: no.png, "
    )
    more = "  - {code: two, name: Two, kind: institute, region: CN-ZZ}\nadministrator:"
    code, said = refused(written(text.replace("administrator:", more)))
    assert code == 2
    assert sorted(re.sub(r"^(.*?: .*?): .*(\(.*\))$", r"\1 \2", line) for line in said) == [
        "line 10: organisations[0].kind (repeated)",
        "line 10: organisations[0].kind (unknown-value)",
        "line 11: organisations[1].region (unknown-region)",
        "line 2: site.logo (unreadable-file)",
        "line 4: regions[0].shares (not-a-boolean)",
        "line 6: regions[2].currency (unknown-currency)",
    ]


@pytest.mark.parametrize("text", ["", "- a\n- b", "site: [", "a: &a [*a]", "!!python/object:os.x {}"])
def test_what_is_no_setup_at_all_is_refused(written: Any, text: str) -> None:
    assert refused(written(text))[0] == 2
    assert refused("/nowhere/site.yaml")[0] == 2


def test_a_logo_is_kept_as_a_picture_alone(written: Any, tmp_path: Path) -> None:
    Image.new("RGB", (1600, 400), "navy").save(tmp_path / "logo.jpg", comment=b"<script>")
    run(written(FILE.replace("site: {", "site: {logo: logo.jpg, ")))
    with Image.open(Installation.objects.get().logo) as kept:
        assert (kept.format, kept.size) == ("PNG", (384, 96))
    assert run(written(FILE.replace("site: {", "site: {logo: logo.jpg, ")))[0].endswith(": exists")


def test_the_demonstration_is_not_set_up(written: Any) -> None:
    User.objects.create_user("researcher@demo.test", is_demo=True)
    assert refused(written(FILE))[0] == 1


def test_a_strangers_account_does_not_become_the_administrators(written: Any) -> None:
    stranger = User.objects.create_user("admin@example.org", "a password of theirs")
    address = EmailAddress.objects.create(user=stranger, email=stranger.email, primary=True)
    code, said = refused(written(FILE))
    assert (code, said[0].rpartition(" ")[2]) == (2, "(unconfirmed-account)")
    address.verified = True
    address.save()
    lines = run(written(FILE))
    assert lines[5] == "administrator admin@example.org: made"
    assert lines[-1].endswith("/accounts/login/")
    assert mails() == []


# Asking


ANSWERS = [
    "Sharing of Anhui", "", "", "zh en", "en", "perhaps", "no",  # the platform
    "CN-AH", "", "CN-AH", "XX 1", "XX-1", "", "Scotland", "", "Europe/Nowhere", "Europe/London",
    "GBP", "", "no", "",  # regions
    "the first", "first", "First University", "", "club", "university", "QQ", "CN-AH",
    "",  # organisations
    "admin", "admin@example.org", "",  # the administrator
]  # fmt: skip


def answering(monkeypatch: pytest.MonkeyPatch, answers: list[Any]) -> None:
    waiting = iter(answers)

    def give(prompt: str = "") -> str:
        answer = next(waiting)
        if isinstance(answer, BaseException):
            raise answer
        return str(answer)

    monkeypatch.setattr(builtins, "input", give)


def test_without_a_file_each_answer_is_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ANSWERS)
    out, errors = io.StringIO(), io.StringIO()
    call_command("setup", stdout=out, stderr=errors)
    assert [line.strip() for line in errors.getvalue().splitlines()] == [
        "This is not one of the choices.",
        "Answer yes or no.",
        "This is listed twice.",
        "This must be a short code of letters, digits, dots, dashes and underscores.",
        "There is no such time zone. Use a name such as Asia/Shanghai.",
        "This must be a short code of letters, digits, dots, dashes and underscores.",
        "This is not one of the choices.",
        "This is not one of: CN-AH, XX-1.",
        "This must be an e-mail address.",
    ]
    row = Installation.objects.get()
    assert (row.name, row.languages, row.admits_strangers) == ("Sharing of Anhui", ["en"], False)
    columns = "code", "scheme", "shares", "time_zone"
    assert list(Region.objects.order_by("code").values_list(*columns)) == [
        ("CN-AH", "ISO 3166-2", True, "Asia/Shanghai"),
        ("XX-1", "ours", False, "Europe/London"),
    ]
    assert Organisation.objects.get().kind == "university"
    assert "/accounts/password/reset/key/" in out.getvalue().splitlines()[-1]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), EOFError()])
@pytest.mark.parametrize("after", [0, 8, len(ANSWERS) - 1])
def test_ctrl_c_leaves_nothing(monkeypatch: pytest.MonkeyPatch, end: Any, after: int) -> None:
    answering(monkeypatch, [*ANSWERS[:after], end])
    assert refused()[0] == 130
