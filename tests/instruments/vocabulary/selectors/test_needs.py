"""The meanings of needs: made by a job, fetched by each process before it answers."""

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
    cache.delete_many(["needs.vectors.coded", "needs.vectors.coded.of"])
    encoder = Fake()
    monkeypatch.setattr(embedding, "is_installed", lambda: True)
    monkeypatch.setattr(embedding, "load_encoder", lambda: encoder)
    monkeypatch.setattr(embedding, "encoded", lambda _, texts: ",".join(texts).encode())
    monkeypatch.setattr(embedding, "meanings", lambda encoder, codes, vectors: encoder)
    monkeypatch.setattr(needs, "_held", Held())
    yield encoder
    cache.delete_many(["needs.vectors.coded", "needs.vectors.coded.of"])


def codes(text: str = SENTENCE) -> list[str]:
    return [term.code for term in load_need_terms(text)]


def test_words_alone_count_until_the_job_has_run_and_then_meanings_at_once(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "_AGAIN", 0.0)
    assert codes() == [] and codes("grain growth") == ["grain-size"]
    assert embed_vocabulary()
    assert embed_vocabulary() is False  # done already
    assert codes() == ["grain-size"]
    assert fake.asked[-1] == [SENTENCE]


def test_vectors_are_looked_for_once_in_a_while(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "_AGAIN", 100.0)
    assert codes() == [] and embed_vocabulary() and codes() == []
    assert needs._held.meanings is None


def test_a_process_that_loads_first_answers_its_first_search_by_meaning(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_vocabulary()
    loaded: list[int] = []
    monkeypatch.setattr(embedding, "load_encoder", lambda: loaded.append(1) or fake)
    needs.meanings_load()
    assert codes() == ["grain-size"] and loaded == [1]


def test_the_encoder_is_loaded_before_there_are_vectors(fake: Fake) -> None:
    needs.meanings_load()
    assert needs._held.encoder is fake and needs._held.meanings is None


def test_vectors_of_the_vocabulary_before_count_until_there_are_new_ones(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So processes that began before a change of the vocabulary and after it answer alike."""
    monkeypatch.setattr(needs, "_AGAIN", 0.0)
    assert embed_vocabulary() is True
    before, after = Held(), Held()
    before.fetch(load_vocabulary())
    first = before.digest
    monkeypatch.setitem(load_vocabulary().__dict__, "digest", "another")
    for held in (before, after):
        assert held.alike(load_vocabulary(), SENTENCE) == ["grain-size"] and held.digest == first
    assert embed_vocabulary() is True
    for held in (before, after):
        assert held.alike(load_vocabulary(), SENTENCE) == ["grain-size"] and held.digest == "another"


def test_what_fails_to_load_is_not_tried_with_each_search(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_vocabulary()
    tried: list[int] = []

    def fail() -> Any:
        tried.append(1)
        raise ImportError

    monkeypatch.setattr(embedding, "load_encoder", fail)
    assert codes() == codes() == [] and len(tried) == 1


def test_an_encoder_that_fails_leaves_the_words(fake: Fake, caplog: Any) -> None:
    embed_vocabulary()
    needs._held.fetch(load_vocabulary())

    def fail(text: str) -> list[str]:
        raise ValueError(text)

    fake.alike = fail  # type: ignore[method-assign]
    assert codes() == [] and codes("grain growth") == ["grain-size"]


def test_without_the_package_nothing_is_done(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "is_installed", lambda: False)
    assert embed_vocabulary() is False and cache.get("needs.vectors.coded.of") is None
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
