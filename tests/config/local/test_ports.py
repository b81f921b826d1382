"""Ports that are free, and those that are not."""

import socket
from collections.abc import Iterator

import pytest

from config.local import environment
from config.local.console import Failed
from config.local.ports import LOOPBACK, any_free, first_free, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


class TestPorts:
    def test_a_taken_port_is_not_free(self, taken: int) -> None:
        assert not is_free(taken)

    def test_the_wanted_port_is_taken_when_free(self) -> None:
        wanted = any_free()
        assert first_free(wanted) == wanted

    def test_a_port_in_use_is_moved_round(self, taken: int) -> None:
        found = first_free(taken)
        assert found != taken
        assert is_free(found)

    def test_with_no_free_neighbour_any_free_port_serves(self, taken: int) -> None:
        assert is_free(first_free(taken, tries=1))

    def test_the_last_port_has_no_neighbour(self) -> None:
        assert 0 < first_free(65535) <= 65535

    @pytest.mark.parametrize("text", ["web", "0", "65536", "-1", "80.5"])
    def test_a_port_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(Failed, match="PORT"):
            environment.preferred_port({"PORT": text})

    def test_port_is_honoured_and_has_a_default(self) -> None:
        assert environment.preferred_port({"PORT": "9123"}) == 9123
        assert environment.preferred_port({"PORT": ""}) == environment.preferred_port({}) == 8000
