"""Which commit `make release` packs, and what it refuses."""

from pathlib import Path
from tomllib import loads

import pytest

from config.local.release import newest_heading, why_not

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("heading", "is_tagged", "is_here", "said"),
    [
        ("0.3.0 (unreleased)", False, False, ""),
        ("0.3.0 (2026-11-30)", True, True, ""),
        ("0.3.0 (2026-11-30)", False, False, "says that 0.3.0 is released"),
        ("0.3.0 (2026-11-30)", True, False, "0.3.0 is released (tag v0.3.0)"),
        ("0.3.0 (unreleased)", True, False, "0.3.0 is released (tag v0.3.0)"),
        ("0.3.0 (unreleased)", True, True, "write the date"),
        ("0.2.0 (2026-10-01)", False, False, "the first heading of CHANGELOG.md 0.2.0"),
        ("Unreleased", False, False, "the first heading of CHANGELOG.md Unreleased"),
        ("0.3.0 (soon)", False, False, "or a date like"),
        ("0.3.0", False, False, "or a date like"),
    ],
)
def test_a_released_version_is_not_packed_again(heading, is_tagged, is_here, said):
    refusal = why_not("0.3.0", heading, is_tagged=is_tagged, is_here=is_here)
    assert (said in refusal) if said else not refusal


def test_the_changelog_names_the_version_of_this_checkout():
    version = loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    heading = newest_heading((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert heading.partition(" ")[0] == version
