"""The rules know nothing of where the machine stands, nor of Django: their tests pass in a process
of their own west and east of UTC. (Within Django they would not tell: it sets TZ to UTC.) Tests of
rules that know no times run there only when tests run deep."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEEP

ROOT = Path(__file__).parents[2]
TESTS = sorted(ROOT.glob("tests/**/domain/test_*.py"))
TIMES = re.compile(r"\b(datetime|timedelta|zoneinfo|dateutil|holidays|time)\b")
RUN = """
import sys, time
import hypothesis, pytest
hypothesis.settings.register_profile(
    "here", max_examples=int(sys.argv[1]), deadline=None, database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("here")
bare = ["-q", "--noconftest", "-p", "no:django", "-p", "no:cacheprovider"]
code = pytest.main([*bare, *sys.argv[2:]])
print("django" in sys.modules, -time.timezone)
sys.exit(code)
"""


def knows_times(test):
    """Whether it, or a module of ours that it imports, names them."""
    names = re.findall(r"^from ([\w.]+) import", test.read_text("utf-8"), re.M)
    modules = [ROOT / f"{name.replace('.', '/')}.py" for name in names]
    return any(TIMES.search(path.read_text("utf-8")) for path in (test, *modules) if path.is_file())


@pytest.mark.parametrize(("zone", "offset"), [("America/New_York", -18000), ("Asia/Kolkata", 19800)])
def test_rules_hold_wherever_the_machine_stands(zone, offset):
    tests = [str(test.relative_to(ROOT)) for test in TESTS if DEEP or knows_times(test)]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, "200" if DEEP else "5", *tests],
        cwd=ROOT,
        env={**os.environ, "TZ": zone, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert ran.stdout.split()[-2:] == ["False", str(offset)]
