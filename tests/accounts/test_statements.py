"""SQL in files of its own."""

from pathlib import Path

from accounts.statements import statements


def test_fragments_have_names_and_lose_their_comments(tmp_path: Path) -> None:
    (tmp_path / "things.sql").write_text(
        """-- Of things.

-- name: counted
-- How many there are, {not filled in}.
SELECT count(*)  -- all
FROM {table}
WHERE id > %s

-- name: table
things
"""
    )
    found = statements(str(tmp_path / "things.py"))
    assert list(found) == ["counted", "table"]
    statement = found["counted"].format(table=found["table"]).as_string()
    assert statement == "SELECT count(*)\nFROM things\nWHERE id > %s"
