"""Whose rights the programs of PostgreSQL have."""

from pathlib import Path

from config.local.account import Account, elsewhere


class TestAccount:
    def test_every_checkout_has_its_own_place_elsewhere(self) -> None:
        assert elsewhere(Path("/a/.local/postgres")) != elsewhere(Path("/b/.local/postgres"))

    def test_programs_are_called_through_what_lends_them_rights(self) -> None:
        account = Account(Path("/pg"), Path("/home"), prefix=("as", "nobody"))
        assert account.as_owner("initdb", "-D", Path("/d")) == [
            *("as", "nobody", "/pg/bin/initdb", "-D", "/d")
        ]
        assert account.program("createdb", "x") == ["/pg/bin/createdb", "x"]
