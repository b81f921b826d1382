"""A release as an operator has it: the archive, unpacked and installed, and its processes started
as the units of deploy/systemd start them, behind nginx with TLS. `make test-system` runs these;
`make test` passes over them. What is missing here fails: nothing is skipped."""

import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from aiosmtpd.controller import Controller

from config.local.ports import any_free
from config.operations.backups import _bundled
from tests.flows import installation
from tests.ledger.platform import faketime

if os.environ.get("SYSTEM") != "1":
    collect_ignore_glob = ["test_*"]

DEPLOY = installation.ROOT / "deploy"
OPT = "/opt/instrument-commons"
WEBS = ("web@8000", "web@8002")


def run(*words: str | Path, code: int = 0, **how: object) -> str:
    """What a program says, on both streams; it must end with `code`."""
    done = subprocess.run(
        [*map(str, words)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=900, check=False, **how,  # type: ignore[call-overload]
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return str(done.stdout)


@pytest.fixture(scope="session")
def archive() -> Path:
    env = os.environ | {"LOCAL_MODE": "0"}
    said = run(sys.executable, "-m", "config.local", "release", cwd=installation.ROOT, env=env)
    return installation.ROOT / said.splitlines()[-1].split(":")[0]


@pytest.fixture(scope="session")
def folder(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked in an empty folder and installed without a network."""
    place = tmp_path_factory.mktemp("opt")
    run("tar", "-xzf", archive, "-C", place)
    (there,) = place.iterdir()
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else []
    env = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "https://nowhere.invalid/"}
    env |= {"PYTHON": os.path.realpath(sys.executable)}
    run(*unshare, "sh", there / "install.sh", env=env)
    return there


@dataclass(frozen=True)
class Unit:
    """A unit of deploy/systemd with what all share: its command lines, and what environment its
    processes get of what `files` hold, as systemd puts it together."""

    name: str
    folder: Path
    state: Path
    files: dict[str, dict[str, str]]

    @property
    def lines(self) -> list[tuple[str, str]]:
        word, at, instance = self.name.partition("@")
        parts = [f"instrument-commons-{word}{at}.service", "instrument-commons-.service.d/common.conf"]
        text = "".join((DEPLOY / "systemd" / part).read_text("utf-8") for part in parts)
        text = text.replace(OPT, str(self.folder)).replace("%S", str(self.state)).replace("%i", instance)
        text = text.replace("%t", str(self.state)).replace("%%", "%")
        return re.findall(r"^(\w+)=(.*)$", text, re.M)

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.lines if name == key]

    @property
    def env(self) -> dict[str, str]:
        pg_dump = _bundled("pg_dump")  # as the server is the bundled one
        assert pg_dump
        env = {"PATH": f"{Path(pg_dump).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        for line in self.values("Environment"):
            env |= dict([line.split("=", 1)])
        for path in self.values("EnvironmentFile"):
            env |= self.files[Path(path).name]
        for names in self.values("UnsetEnvironment"):
            for name in names.split():
                env.pop(name, None)
        for kind in ("StateDirectory", "RuntimeDirectory"):
            for name in self.values(kind):
                (self.state / name).mkdir(exist_ok=True)
        return env

    @property
    def commands(self) -> list[list[str]]:
        return [shlex.split(line) for line in self.values("ExecStart")]

    def run(self) -> str:
        """Each command to its end, as of a oneshot."""
        return "".join(run(*words, cwd=self.folder, env=self.env) for words in self.commands)


def env_file() -> dict[str, str]:
    """deploy/instrument-commons.env."""
    lines = (DEPLOY / "instrument-commons.env").read_text("utf-8").splitlines()
    return {
        name: "".join(shlex.split(value))
        for name, value in (line.split("=", 1) for line in lines if line and line[0] != "#")
    }


class Site(installation.Installation):
    """As an operator has it."""

    def __init__(
        self, units: dict[str, Unit], owner: str, scratch: Path, post: installation.Post, port: int
    ) -> None:
        address, env = f"https://127.0.0.1:{port}", units[WEBS[0]].env
        super().__init__(address, env, owner, post, scratch / "ahead")
        self.units, self.scratch = units, scratch
        self.certificate = scratch / "fullchain.pem"
        self.ports: dict[str, str] = {}  # in place of those of the units
        self._started: dict[str, ExitStack] = {}

    def start(self, unit: str) -> None:
        """Start a service as systemd does; the log of an earlier start goes on."""
        of = self.units[unit]
        (words,) = of.commands
        words = [self.ports.get(word, word) for word in words]
        stack = self._started[unit] = ExitStack()
        log = self.scratch / f"{unit.partition('@')[0]}.log"
        process = installation.running(words, of.env, log, python=(), cwd=of.folder)
        main = stack.enter_context(process)
        for line in of.values("ExecStartPost"):
            after = [self.ports.get(word, word) for word in shlex.split(line)]
            run(*after, cwd=of.folder, env=of.env | {"MAINPID": str(main)})

    def stop(self, *units: str) -> None:
        for unit in units or list(self._started):
            if stack := self._started.pop(unit, None):
                stack.close()

    def restart(self, unit: str) -> None:
        """Return when it serves again, as `systemctl restart` does."""
        self.stop(unit)
        self.start(unit)

    def person(self, name):
        one = super().person(name)
        one.web.verify = str(self.certificate)
        del one.web.headers["X-Forwarded-Proto"]  # nginx says so
        return one

    @contextmanager
    def wire(self) -> Iterator[ssl.SSLSocket]:
        """A connection to nginx, for who does not speak as a browser does."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        place = ("127.0.0.1", int(self.address.rsplit(":")[-1]))
        plain = socket.create_connection(place, timeout=20)
        with context.wrap_socket(plain, server_hostname=installation.HOST) as wire:
            yield wire

    def status(self, path: str) -> int:
        """What a load balancer hears; 0 where nobody answers."""
        try:
            return requests.get(
                self.address + path,
                headers={"Host": installation.HOST},
                verify=str(self.certificate),
                timeout=20,
            ).status_code
        except requests.ConnectionError:
            return 0

    def manage(self, *words: str, code: int = 0, **more: str) -> str:
        folder, env = self.units[WEBS[0]].folder, self.env | more
        python = folder / "venv/bin/python"
        return run(python, "manage.py", *words, cwd=folder, env=env, code=code)


@contextmanager
def nginx(scratch: Path, folder: Path, https: int, web: int, uploads: int, second: int = 0) -> Iterator[None]:
    """deploy/nginx with the paths and ports of the test."""
    key, certificate = scratch / "privkey.pem", scratch / "fullchain.pem"
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{installation.HOST},IP:127.0.0.1",
        "-keyout", key, "-out", certificate,
    )  # fmt: skip
    site = (DEPLOY / "nginx/instrument-commons.conf").read_text("utf-8")
    for old, new in {
        "/etc/ssl/instrument-commons": str(scratch),
        "/var/log/nginx": str(scratch),
        "root /opt/instrument-commons;": f"root {folder};",
        "alias /opt/instrument-commons/deploy": f"alias {DEPLOY}",
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "127.0.0.1:8001": f"127.0.0.1:{uploads}",
        "127.0.0.1:8002": f"127.0.0.1:{second or web}",
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "listen 80;": f"listen 127.0.0.1:{any_free()};",
        "    listen [::]:443 ssl;\n": "",
        "    listen [::]:80;\n": "",
    }.items():
        assert old in site, old
        site = site.replace(old, new)
    (scratch / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    main = scratch / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {scratch}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main.write_text(
        f"{user} pid {scratch}/nginx.pid; daemon off; events {{}}\n"
        f"http {{ include /etc/nginx/mime.types; {temporary} include {scratch}/site.conf; }}\n"
    )
    words = ["nginx", "-e", str(scratch / "start.log"), "-c", str(main)]
    assert "successful" in run(*words, "-t")
    with installation.running(words, dict(os.environ), scratch / "nginx.log", python=()):
        yield


@pytest.fixture(scope="session")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything, as deploy/README.md has it, in the order it has it."""
    started = (*WEBS, "uploads", "worker", "calls", "beat")
    with site_of(folder, tmp_path_factory.mktemp("site"), "commons_system", "/7", started) as place:
        yield place


@contextmanager
def site_of(folder: Path, scratch: Path, name: str, cache: str, started: Sequence[str]) -> Iterator[Site]:
    """A site with a database and a cache of its own, of which the units `started` run."""
    post = installation.Post()
    https, web, second, uploads, mail_port = (any_free() for _ in range(5))
    with ExitStack() as stack:
        owner, reader = stack.enter_context(installation.database(name))
        mail = Controller(post, hostname="127.0.0.1", port=mail_port)
        mail.start()
        stack.callback(mail.stop)
        backup = reader.replace(f"{name}_web", f"{name}_backup")
        redis = installation.emptied(cache)
        settings = env_file() | {
            "SITE_URL": f"https://{installation.HOST}",
            "SECRET_KEY": "of-many-different-characters-0123456789-" * 2,
            "DATABASE_URL": reader,
            "REDIS_URL": redis,
            "MAIL_PORT": str(mail_port),
            "MEDIA_ROOT": str(scratch / "instrument-commons/media"),
            "MAINTENANCE_FILE": str(scratch / "maintenance.json"),
            "METRICS_TOKEN": "a-token-of-this-test",
            # Its clock goes ahead when the test says so.
            "DJANGO_SETTINGS_MODULE": "ahead",
            "PYTHONPATH": str(scratch),
            "AHEAD": str(scratch / "ahead"),
        }
        shutil.copy(installation.ROOT / "tests/flows/ahead.py", scratch)
        (scratch / "ahead").write_text("0")
        files = {
            "instrument-commons.env": settings,
            "owner.env": {"DATABASE_URL": owner},
            "backup.env": {"DATABASE_URL": backup},
        }
        units = {
            unit: Unit(unit, folder, scratch, files)
            for unit in ("migrate", *WEBS, "uploads", "worker", "calls", "beat", "backup")
        }
        units["migrate"].run()
        installation.psql(owner, installation.documented(name)[1])
        place = Site(units, owner, scratch, post, https)
        place.ports = {"8000": str(web), "8001": str(uploads), "8002": str(second)}
        stack.callback(place.stop)
        for unit in started:
            place.start(unit)
        stack.enter_context(nginx(scratch, folder, https, web, uploads, second))
        installation.until(lambda: place.status("/healthz") == 200, "the web behind nginx")
        yield place


@pytest.fixture(autouse=True, scope="session")
def tools() -> None:
    """All that these tests call is there."""
    needed = (
        "nginx", "caddy", "promtool", "pgbouncer", "pgbackrest", "etcd", "systemd-analyze",
        "openssl", "unshare", "mount",
    )  # fmt: skip
    assert [tool for tool in needed if not shutil.which(tool)] == []
    assert faketime().is_file()
