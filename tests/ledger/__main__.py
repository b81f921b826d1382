"""`python -m tests.ledger`: people book over HTTP while the platform is killed, stopped and
starved under them; afterwards what it keeps is held against what it has told them."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.ledger import checker
from tests.ledger.clients import booking
from tests.ledger.journal import Journal
from tests.ledger.platform import Nemesis, Platform

# Mounts nobody else sees, and processes that end with us however we end.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", "--"]
SETTLED_IN = 420.0  # a letter that was put off twice waits 5 minutes, then for the job of the minute


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger", description=__doc__)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder of a good run, too")
    given = parser.parse_args()
    if os.environ.get("LEDGER") != "alone":
        os.environ["LEDGER"] = "alone"
        os.execvp(ALONE[0], [*ALONE, sys.executable, "-m", "tests.ledger", *sys.argv[1:]])
    folder = Path(tempfile.mkdtemp(prefix="instrument-commons-ledger-"))
    folder.chmod(0o755)
    report = _run(folder, given)
    print("\n".join(report.lines))
    if report.problems or given.keep:
        print(f"Journal, logs and the database are in {folder}.")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.problems else 0


def _run(folder: Path, given: argparse.Namespace) -> checker.Report:
    path = folder / "journal.jsonl"
    journal, platform = Journal(path), Platform(folder, disk=512 + int(given.seconds))
    with platform.running() as world:
        began, load = time.time(), os.getloadavg()[0]
        with booking(platform.addresses, world, journal, given.seed):
            Nemesis(platform, journal, given.seed).run(given.seconds)
        took = time.time() - began
        platform.mail.is_calm = True
        settled = time.monotonic() + SETTLED_IN
        while platform.waiting(within=30) and time.monotonic() < settled:
            time.sleep(1)
        platform.stop("beat", "worker")
        report = checker.check(platform, path)
        if report.problems or given.keep:
            platform.program("pg_dump", "-Fc", "-f", str(folder / "database.dump"), "ledger")
        machine = f"{os.cpu_count()} processors, load before {load:.1f}"
        first = f"Seed {given.seed}, {took:.0f} s, {len(world['tokens'])} clients, {machine}"
        report.lines.insert(0, first)
    return report


if __name__ == "__main__":
    sys.exit(main())
