"""The meanings of needs: made by a job, fetched by each process beside its requests."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from instruments.vocabulary.adapters import embedding
from instruments.vocabulary.selectors import needs
from instruments.vocabulary.selectors.needs import Held, embed_vocabulary, load_need_terms, load_vocabulary
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of

SENTENCE = "how coarse is my steel"  # no word of the vocabulary


class Fake:
    """An encoder for which everything means the same; it counts what it was asked."""

    asked: list[list[str]]

    def __init__(self) -> None:
        self.asked = []

    def alike(self, text: str) -> list[str]:
        self.asked.append([text])
        return ["grain-size"]


@pytest.fixture
def fake(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Iterator[Fake]:
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)
    cache.delete_many(["needs.vectors", "needs.vectors.of"])
    encoder = Fake()
    monkeypatch.setattr(embedding, "is_installed", lambda: True)
    monkeypatch.setattr(embedding, "load_encoder", lambda: encoder)
    monkeypatch.setattr(embedding, "encoded", lambda _, texts: ",".join(texts).encode())
    monkeypatch.setattr(embedding, "meanings", lambda encoder, codes, vectors: encoder)
    monkeypatch.setattr(needs, "_held", Held())
    yield encoder
    cache.delete_many(["needs.vectors", "needs.vectors.of"])


def codes(text: str = SENTENCE) -> list[str]:
    return [term.code for term in load_need_terms(text)]


def eventually(text: str = SENTENCE) -> list[str]:
    """What they are when a thread that fetches had its time."""
    for _ in range(200):
        if found := codes(text):
            return found
        time.sleep(0.02)
    return []


def test_words_alone_count_until_the_job_has_run_and_nobody_waits(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes() == [] and codes("grain growth") == ["grain-size"]
    assert embed_vocabulary()
    assert embed_vocabulary() is False  # done already
    assert codes() == []  # looked a moment ago
    monkeypatch.setattr(needs, "_AGAIN", 0.0)
    assert eventually() == ["grain-size"]
    assert fake.asked[-1] == [SENTENCE]


def test_another_vocabulary_is_embedded_anew(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert embed_vocabulary() is True
    held = Held()
    held.fetch(load_vocabulary())
    assert held.alike(load_vocabulary(), SENTENCE) == ["grain-size"]
    monkeypatch.setitem(load_vocabulary().__dict__, "digest", "another")
    assert held.alike(load_vocabulary(), SENTENCE) == []
    assert embed_vocabulary() is True


def test_an_encoder_that_fails_leaves_the_words(fake: Fake, caplog: Any) -> None:
    embed_vocabulary()
    needs._held.fetch(load_vocabulary())

    def fail(text: str) -> list[str]:
        raise ValueError(text)

    fake.alike = fail  # type: ignore[method-assign]
    assert codes() == [] and codes("grain growth") == ["grain-size"]


def test_without_the_package_nothing_is_done(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "is_installed", lambda: False)
    assert embed_vocabulary() is False and cache.get("needs.vectors.of") is None
    monkeypatch.setattr(needs, "_AGAIN", 0.0)
    assert codes() == [] and codes("grain growth") == ["grain-size"]


def test_a_package_that_is_there_is_found_while_a_process_runs(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "MODULE", "usem3_of_a_test")
    monkeypatch.syspath_prepend(tmp_path)
    assert not embedding.is_installed()
    (tmp_path / "usem3_of_a_test").mkdir()
    (tmp_path / "usem3_of_a_test" / "__init__.py").touch()
    assert embedding.is_installed()
