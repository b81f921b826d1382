from config.local.docstrings import CLAUSES, PREPOSITIONS, beginning

SOURCE = '''"""What a page knows."""

class Quote:
    """Whether it holds."""

    async def price(self):
        """Format a price."""

    def _fee(self):
        """For hosts: the fee.

        What follows does not count."""
        text = """Of no interest."""
'''


def test_docstrings_without_a_subject_are_named():
    assert list(beginning(SOURCE, CLAUSES)) == [(1, "What a page knows."), (4, "Whether it holds.")]
    assert list(beginning(SOURCE, PREPOSITIONS)) == [(10, "For hosts: the fee.")]
