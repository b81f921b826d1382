"""Build the archive that an operator unpacks and installs without a network, and the Python client beside it
(`make release`).

It contains the last commit, never uncommitted files of the checkout. The same commit with the same pins gives
the same bytes, so that anybody can build it again and compare.
"""

import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from io import BytesIO
from pathlib import Path

from config.local.checkout import LOCAL, ROOT, shown
from config.local.client import build_client
from config.local.console import Failed, say, step
from config.local.processes import run_to_end

NAME = "instrument-commons"
PYTHONS = ("3.12", "3.13")
UNRELEASED = "(unreleased)"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
PINS = "requirements-release.txt"
SERVES = (
    "accounts", "bookings", "instruments", "config", "manage.py", "deploy", "docs",
    "CHANGELOG.md", "LICENSE", "README.md", PINS, "requirements-needs.txt",
    ":(exclude)config/local", ":(exclude)config/bootstrap.sh",
)  # fmt: skip
# Collecting static files asks no server; settings want to know them all the same.
NOBODY = {
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "REDIS_URL": "redis://localhost",
    "SECRET_KEY": "abcdefghij" * 5,
    "SITE_URL": "https://localhost",
    "ALLOWED_HOSTS": "localhost",
}


def make_release() -> Path:
    """Build the archive in dist/, with its checksum beside it; return its path."""
    version = _version()
    name = f"{NAME}-{version}"
    stage = LOCAL / "release" / name
    shutil.rmtree(stage.parent, ignore_errors=True)
    stage.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(_git("archive", "HEAD", "--", *SERVES))) as code:
        code.extractall(stage, filter="data")
    (stage / "VERSION").write_text(version + "\n")
    (stage / PINS).rename(stage / "requirements.txt")
    for name in ("install.sh", "manage"):
        (stage / "deploy" / name).rename(stage / name)
    with step("Collecting static files"):
        _collect_static(stage)
    with step("Building the Python client"):
        client = build_client(stage, stage.parent / "client", ROOT / "dist", version, NOBODY, _time())
    with step(f"Getting wheels for Python {' and '.join(PYTHONS)}"):
        _get_wheels(stage)
    with step("Packing"):
        archive = _pack(stage)
    shutil.rmtree(stage.parent)
    _write_sums(archive.parent)
    for path in client:
        say(shown(path))
    say(f"{shown(archive)}: {archive.stat().st_size // 1_000_000} MB")
    return archive


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip()
        raise Failed(f"A release is made of a commit: git {words[0]}: {problem}")
    return done.stdout


def _time() -> int:
    """Return the time of the commit, which all files get."""
    return int(_git("show", "-s", "--format=%ct", "HEAD"))


def _version() -> str:
    """Return the version in pyproject.toml if the commit releases it; otherwise with the commit's hash
    appended."""
    version = tomllib.loads(_git("show", "HEAD:pyproject.toml").decode())["project"]["version"]
    if _git("status", "--porcelain"):
        say("What is not committed does not become part of the release.")
    here, tags = (_git("tag", *which).decode().split() for which in (("--points-at", "HEAD"), ("--list",)))
    heading = newest_heading(_git("show", "HEAD:CHANGELOG.md").decode())
    if refusal := why_not(version, heading, is_tagged=f"v{version}" in tags, is_here=f"v{version}" in here):
        raise Failed(refusal)
    if f"v{version}" in here:
        return str(version)
    return f"{version}+{_git('rev-parse', '--short=8', 'HEAD').decode().strip()}"


def newest_heading(changelog: str) -> str:
    """Return the text of the first heading of a version: "0.3.0 (unreleased)"."""
    found = re.search(r"^## (.*)$", changelog, re.M)
    return found[1].strip() if found else ""


def why_not(version: str, heading: str, *, is_tagged: bool, is_here: bool) -> str:
    """Return why a commit may not be packed; empty if it may. `heading`: the newest of CHANGELOG.md;
    `is_tagged`: the version has its tag, `is_here`: at this commit.

    A version that is not released says "unreleased" in place of its date. The commit that writes the date
    gets the tag, and nobody else packs that version."""
    named, _, state = heading.partition(" ")
    if named != version:
        return f"pyproject.toml says {version}, and the first heading of CHANGELOG.md {named or 'nothing'}."
    if is_tagged and not is_here:
        return f"{version} is released (tag v{version}): begin the next one, in CHANGELOG.md, too."
    is_dated = re.fullmatch(r"\(\d{4}-\d\d-\d\d\)", state)
    if state != UNRELEASED and not is_dated:
        return f'CHANGELOG.md: "## {version} {UNRELEASED}", or a date like 2026-11-30 in the brackets.'
    if is_dated and not is_here:
        return (
            f"CHANGELOG.md says that {version} is released: tag the commit that says so "
            f"(git tag -a v{version}), or begin the next version."
        )
    if is_here and not is_dated:
        return (
            f'v{version} is the tag of a commit whose CHANGELOG.md says "{UNRELEASED[1:-1]}": write the date.'
        )
    return ""


def _collect_static(stage: Path) -> None:
    """Collect static files, including the checkout's front-end files, so that the installation needs neither
    those nor node."""
    link = stage / "node_modules"
    link.symlink_to(ROOT / "node_modules")
    env = {"PATH": os.environ["PATH"], "STATIC_ROOT": "static", "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    run_to_end("manage.py collectstatic", words, env | NOBODY, cwd=stage)
    link.unlink()


def _get_wheels(stage: Path) -> None:
    """Download exactly the pinned wheels and check their hashes; nothing is built from source."""
    if not importlib.util.find_spec("pip"):  # as in an environment that uv made
        run_to_end("ensurepip", [sys.executable, "-m", "ensurepip"], os.environ)
    for python in PYTHONS:
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        words += ["--require-hashes", "--only-binary=:all:", "-r", "requirements.txt"]
        words += ["--dest", "wheels", "--implementation", "cp", "--python-version", python]
        for platform in PLATFORMS:
            words += ["--platform", platform]
        run_to_end("pip download", words, os.environ, cwd=stage)


def _pack(stage: Path) -> Path:
    """Pack the archive reproducibly: names sorted, no owner, and the time of the commit for all files."""
    then = _time()

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = then
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    archive = ROOT / "dist" / f"{stage.name}.tar.gz"
    archive.parent.mkdir(exist_ok=True)
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=then) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        tar.add(stage, stage.name, recursive=False, filter=plain)  # else its mode is whatever umask says
        for path in sorted(stage.rglob("*")):
            tar.add(path, f"{stage.name}/{path.relative_to(stage)}", recursive=False, filter=plain)
    return archive


def _write_sums(folder: Path) -> None:
    """Write the digests of a folder's files in the format of `sha256sum -c`."""
    lines = []
    for archive in sorted([*folder.glob("*.tar.gz"), *folder.glob("*.whl")]):
        with archive.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {archive.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))
