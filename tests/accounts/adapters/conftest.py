from tests.accounts.pages import no_attempts_before, signed_in, wang  # noqa: F401
