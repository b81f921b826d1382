"""The ledger test (tests/ledger): a minute and a half, or twenty minutes with TEST_PROFILE=deep."""

import subprocess
import sys

from tests.conftest import DEEP
from tests.flows.installation import ROOT

SECONDS = 1200 if DEEP else 90
BESIDES = 1500  # to make a world before, to deliver, read and verify everything afterwards


def test_nothing_that_was_acknowledged_is_lost() -> None:
    words = ["-m", "tests.ledger", "--seconds", str(SECONDS), "--seed", "1"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=SECONDS + BESIDES, check=False,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout
