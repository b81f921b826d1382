from tests.factories.api import clock, program  # noqa: F401
