"""Web processes that are started again, in a new folder as at an upgrade, while people read and book
through nginx: nobody notices. And what is said where no process answers."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event

import pytest
import requests

from tests.flows.installation import HOST, manage
from tests.system.conftest import WEBS, Site, site_of

READ = ("/", "/map/", "/accounts/login/", "/api/v1/instruments/", "/healthz")
NEXT = "9.9.9"


@pytest.fixture(scope="module")
def restarted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    started = (*WEBS, "uploads")
    with site_of(folder, tmp_path_factory.mktemp("restarted"), "commons_restart", "/6", started) as place:
        yield place


class People:
    """Three who read and two who book, each request on a connection of its own; what each was answered."""

    def __init__(self, place: Site, world: dict[str, object]) -> None:
        self.place, self.world = place, world
        self.answers: Counter[str] = Counter()
        self.booked: list[tuple[str, str]] = []
        self.longest = 0.0
        self.stop = Event()
        self._hours = count(3)

    def ask(self, what: str, method: str, path: str, **how: object) -> requests.Response | None:
        began = time.monotonic()
        try:
            answer = requests.request(
                method, self.place.address + path, verify=str(self.place.certificate), timeout=60,
                allow_redirects=False, **how,  # type: ignore[arg-type]
            )  # fmt: skip
        except requests.RequestException as problem:
            self.answers[f"{what}: {type(problem).__name__}"] += 1
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - began)
        self.answers[f"{what}: {answer.status_code}"] += 1
        return answer

    def read(self, first: int) -> None:
        for number in count(first):
            if self.stop.is_set():
                return
            self.ask("read", "GET", READ[number % len(READ)], headers={"Host": HOST})

    def book(self, name: str) -> None:
        headers = {"Host": HOST, "Authorization": f"Bearer {self.world['tokens'][name]}"}  # type: ignore[index]
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        while not self.stop.is_set():
            start = hour + timedelta(hours=next(self._hours))
            wish = {
                "instrument": self.world["instruments"][0],  # type: ignore[index]
                "start": start.isoformat(),
                "end": (start + timedelta(hours=1)).isoformat(),
                "service_mode": "self",
                "purpose": {"code": "research", "text": ""},
            }
            answer = self.ask("book", "POST", "/api/v1/reservations/", json=wish, headers=headers)
            if answer is not None and answer.status_code == 201:
                self.booked.append((name, answer.json()["id"]))


def test_a_restart_in_a_new_folder_fails_no_request(
    restarted: Site, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = "from tests.ledger.world import build; build()"
    env = restarted.env | {"DATABASE_URL": restarted.owner, "THROTTLE_ANONYMOUS": "1000000/min"}
    made = manage(env, "shell", "-v", "0", "-c", build)
    assert made.returncode == 0, made.stderr
    people = People(restarted, json.loads(made.stdout))
    new = tmp_path / "next"
    shutil.copytree(
        folder, new, symlinks=True, ignore=shutil.ignore_patterns("venv", "wheels", "__pycache__")
    )
    (new / "venv").symlink_to(folder / "venv")
    (new / "VERSION").write_text(f"{NEXT}\n")
    began = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(people.read, first) for first in range(3)]
        running += [pool.submit(people.book, name) for name in ("wang", "hu")]
        try:
            time.sleep(3)
            before = people.answers.total()
            for unit in (*WEBS, "uploads"):  # as docs/upgrading.md has it
                restarted.units[unit] = replace(restarted.units[unit], folder=new)
                restarted.restart(unit)
            during = people.answers.total() - before
            time.sleep(2)
        finally:
            people.stop.set()
        for each in running:
            each.result()
    with capsys.disabled():
        print(
            f"\n{people.answers.total()} requests in {time.monotonic() - began:.0f} s, {during} of them in "
            f"the restart: {dict(people.answers)}, the longest {people.longest:.1f} s"
        )
    assert {answer for answer in people.answers if not answer.startswith("read: ")} == {"book: 201"}
    assert set(people.answers) == {"read: 200", "book: 201"}
    assert during > 20
    for name, pk in people.booked:
        token = people.world["tokens"][name]  # type: ignore[index]
        headers = {"Host": HOST, "Authorization": f"Bearer {token}"}
        people.ask("booked", "GET", f"/api/v1/reservations/{pk}/", headers=headers)
    assert people.answers["booked: 200"] == len(people.booked)
    versions = {restarted.person("reader").ask("GET", "/healthz").json()["version"] for _ in range(6)}
    assert versions == {NEXT}


def test_uploads_are_answered_by_the_web_meanwhile(restarted: Site) -> None:
    restarted.stop("uploads")
    answer = restarted.person("uploader").ask("OPTIONS", "/api/v1/uploads/", 204)
    assert answer.headers["Tus-Version"] == "1.0.0"
    restarted.start("uploads")


def test_a_release_whose_migrations_are_missing_does_not_start(restarted: Site) -> None:
    """The first fails, so that the second is not touched, which goes on serving."""
    unit = restarted.units[WEBS[0]]
    late = unit.folder / "accounts/migrations/9999_later.py"
    late.write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('accounts', '0001_squashed_0015_closed_organisations')]\n"
    )
    try:
        with pytest.raises(AssertionError, match="lacks migrations of this release"):
            restarted.restart(WEBS[0])
        restarted.stop(WEBS[0])
        assert restarted.status("/accounts/login/") == 200
    finally:
        late.unlink()
        restarted.restart(WEBS[0])


def test_where_nobody_answers_it_is_said_in_both_languages(restarted: Site) -> None:
    restarted.stop(*WEBS)
    reader = restarted.person("early")
    for method in ("GET", "POST"):
        page = reader.ask(method, "/instruments/", 503)
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Retry-After"] == "5"
        assert "The site is being restarted" in page.text and "网站正在重新启动" in page.text
        problem = reader.ask(method, "/api/v1/reservations/", 503)
        assert problem.headers["Content-Type"] == "application/problem+json"
        assert problem.json()["code"] == "site-away"
    reader.ask("GET", "/away-of-the-platform/away.html", 404)  # only where it is meant
