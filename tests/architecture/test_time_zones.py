"""The rules know nothing of where the machine stands, nor of Django: their tests pass in a process
of their own west and east of UTC. (Within Django they would not tell: it sets TZ to UTC.)"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DEEP

ROOT = Path(__file__).parents[2]
DOMAINS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/**/domain"))
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


@pytest.mark.parametrize(
    ("zone", "offset"), [("America/New_York", -18000), ("Asia/Kolkata", 19800)]
)
def test_rules_hold_wherever_the_machine_stands(zone, offset):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, "200" if DEEP else "5", *DOMAINS],
        cwd=ROOT,
        env={**os.environ, "TZ": zone, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert ran.stdout.split()[-2:] == ["False", str(offset)]
