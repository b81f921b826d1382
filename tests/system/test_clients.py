"""Programs that nobody here wrote do what a LIMS does, one with the generated package of a release, one with
types made of the description that an installation serves: they find an instrument, book, move, check in,
upload and read what it costs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from config.local.client import PACKAGE, build_client
from config.local.release import NOBODY, ROOT
from tests.factories.attachments import picture
from tests.flows.installation import HOST, Installation, Person, installed, until
from tests.flows.test_first_day import invite, publish, the_administrator
from tests.providers.running import node
from tests.system.conftest import run

TOOLS = ROOT / "node_modules"

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Inhabited:
    """An installation with a manager, the id of the instrument that they have published, and the token of a
    researcher."""

    place: Installation
    manager: Person
    instrument: str
    token: str

    def approve(self, booking: object) -> None:
        self.manager.api("POST", f"reservations/{booking}/approve/", {})

    def wait(self, moment: datetime) -> None:
        self.place.wait(moment - self.place.now())


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhabited]:
    with installed(tmp_path_factory.mktemp("installation")) as place:
        admin = the_administrator(place, tmp_path_factory.mktemp("administrator"))
        (host,) = admin.api("GET", "organisations/")["results"]
        zhao, wang = place.person("zhao"), place.person("wang")
        invite(admin, zhao, host, ["manager"])
        invite(admin, wang, host, ["researcher"])
        facility = {"organisation": host["code"], "name": "Mass spectrometry", "time_zone": "Asia/Shanghai"}
        instrument = publish(zhao, zhao.api("POST", "facilities/", facility, 201))
        token = place.manage("issue_token", wang.email).splitlines()[-1]
        yield Inhabited(place, zhao, instrument["id"], token)


def weekday(place: Installation, hour: int) -> datetime:
    """An hour in UTC, of a working day that is at least two days away."""
    day = (place.now() + timedelta(days=2)).date()
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, time(hour), UTC)


class Generated:
    """The package `instrument-commons-client`, as `make release` builds it for this code; `call` fails unless
    the answer has the status, and returns it parsed."""

    def __init__(self, address: str, token: str, folder: Path) -> None:
        wheel, _ = build_client(ROOT, folder / "work", folder / "dist", "0.0.1", NOBODY, then=1_700_000_000)
        run(sys.executable, "-m", "ensurepip")  # an environment that uv made has none
        run(
            *(sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"),
            *("--target", folder / "installed", wheel),
        )
        sys.path.insert(0, str(folder / "installed"))
        self.models: Any = import_module(f"{PACKAGE}.models")
        headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
        self.client = import_module(PACKAGE).connect(f"{address}/", token, headers=headers)

    def call(self, operation: str, *path: Any, status: int = 200, **how: Any) -> Any:
        function = import_module(f"{PACKAGE}.api.{operation}").sync_detailed
        answer = function(*path, client=self.client, **how)
        assert answer.status_code == status, (operation, answer.content)
        self.headers = answer.headers
        return answer.parsed


def test_a_generated_python_client_books(
    here: Inhabited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # and back again at the end
    books(
        Generated(here.place.address, here.token, tmp_path), here.instrument, weekday(here.place, 2),
        approve=here.approve, wait=here.wait,
    )  # fmt: skip


def books(
    lims: Generated,
    instrument: str,
    start: datetime,
    *,
    approve: Callable[[Any], object],
    wait: Callable[[datetime], object],
) -> None:
    models = lims.models
    (found,) = (row for row in lims.call("instruments.instruments").results if str(row.id) == instrument)
    wish = {"start": start, "end": start + timedelta(hours=2), "instrument": found.id}
    wish |= {"service_mode": models.QuoteBodyRequestServiceMode.SELF}
    quote = lims.call("reservations.quote", body=models.QuoteBodyRequest(**wish))
    assert quote.refusals == []

    purpose = models.PurposeBodyRequest(code=models.PurposeBodyRequestCode.RESEARCH, text="Proteomics")
    body = models.ReservationBodyRequest(
        **wish | {"service_mode": models.ReservationBodyRequestServiceMode.SELF}, purpose=purpose
    )
    create = {"body": body, "idempotency_key": "lims-1", "status": 201}
    booked = lims.call("reservations.reservation_create", **create)
    assert booked.state == "requested" and booked.quote.payable == quote.payable
    assert lims.call("reservations.reservation_create", **create).id == booked.id
    version, later = lims.headers["ETag"], start + timedelta(hours=3)
    move = models.MoveBodyRequest(start=later, end=later + timedelta(hours=2))
    moved = lims.call("reservations.reservation_move", booked.id, body=move, if_match=version)
    assert moved.start == later
    lims.call("reservations.reservation_move", booked.id, body=move, if_match=version, status=412)
    approve(booked.id)

    wait(later)
    lims.call("reservations.reservation_check_in", booked.id, body=models.CheckInBodyRequest())
    file = import_module(f"{PACKAGE}.types").File(BytesIO(picture()), "gel.jpg", "image/jpeg")
    comment = models.CommentFileBodyRequest(file=file, name="gel.jpg", text="As it was")
    lims.call("reservations.reservation_comment_file", booked.id, body=comment, status=201)
    lims.call("reservations.reservation_check_out", booked.id, body=models.CheckOutBodyRequest())
    (charge,) = until(lambda: lims.call("money.charges").results, "the charge, which a worker makes")
    assert charge.payable.amount == moved.quote.payable


class Typed:
    """The program of `typescript/`, checked by the compiler against the types that openapi-typescript makes
    of the description."""

    def __init__(self, description: bytes, folder: Path) -> None:
        self.folder = folder
        for file in (Path(__file__).parent / "typescript").iterdir():
            shutil.copy(file, folder)
        (folder / "package.json").write_text('{"type": "module"}')
        (folder / "node_modules").symlink_to(TOOLS)
        (folder / "openapi.json").write_bytes(description)
        # What is left out has its default: a field with one need not be sent.
        types = ("openapi.json", "-o", "commons.d.ts", "--default-non-nullable=false")
        self.ran("openapi-typescript/bin/cli.js", *types)
        self.ran("typescript/bin/tsc", "-p", ".")

    def ran(self, tool: str, *arguments: str) -> str:
        command = [node(), str(TOOLS / tool), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, step: str, **task: str) -> Any:
        """What a step of the program tells; fails where the program does."""
        command = [node(), "--import", "./host.mjs", "out/books.js", json.dumps(task | {"step": step})]
        env = os.environ | {"COMMONS_HOST": HOST}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def test_a_program_in_typescript_books(here: Inhabited, tmp_path: Path) -> None:
    portal = Typed(here.place.person("maker").ask("GET", "/api/v1/schema/").content, tmp_path)
    start = weekday(here.place, 2)
    times = [f"{start + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (0, 2, 3, 5)]
    task = dict(zip(("start", "end", "later", "laterEnd"), times, strict=True))
    task |= {"address": here.place.address, "token": here.token, "instrument": here.instrument}
    told = portal.run("book", **task)

    here.approve(told["booking"])
    here.wait(start + timedelta(hours=3))
    used = portal.run("use", **task, booking=told["booking"])
    assert used == {"state": "completed", "payable": told["payable"], "user": "Wang"}
