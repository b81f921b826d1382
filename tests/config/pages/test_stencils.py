"""What a page repeats is its template with other texts in it, whoever's texts came before."""

from uuid import UUID

import pytest
from django.template import engines
from django.utils.translation import override

from config.pages import stencils
from config.pages.stencils import PK, fill

INSTRUMENT = UUID("0197a1de-0000-7000-8000-000000000001")
SOURCES = {
    "shown": "{% load i18n %}{% if is_free %}<b>{{ name }}</b>{% else %}{% translate 'Release' %}{% endif %}"
    " {% url 'bookings:instrument' pk %}{% if pk in starred %} *{% endif %}",
    "asks": "{% if name %}{{ name }}{% endif %}",
}


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    sources = dict(SOURCES)
    monkeypatch.setattr(stencils, "get_template", lambda name: engines["django"].from_string(sources[name]))
    stencils._cut.cache_clear()
    return sources


def test_texts_are_escaped_and_never_those_of_the_one_before():
    form = {"is_free": True, "starred": (PK,)}
    first = fill("shown", form, {"name": "Zhang's <lab>", "pk": INSTRUMENT})
    assert first == f"<b>Zhang&#x27;s &lt;lab&gt;</b> /instruments/{INSTRUMENT}/ *"
    name = f"质谱 \ue000pk\ue001 {PK}"
    other = fill("shown", form, {"name": name, "pk": UUID(int=1)})
    assert other == f"<b>{name}</b> /instruments/{UUID(int=1)}/ *"
    assert stencils._cut.cache_info().misses == 1


def test_each_form_and_each_language_has_a_stencil():
    form, texts = {"is_free": False, "starred": ()}, {"name": "SEM", "pk": INSTRUMENT}
    assert fill("shown", form, texts) == f"Release /instruments/{INSTRUMENT}/"
    with override("zh-hans"):
        assert fill("shown", form, texts) == f"释放 /instruments/{INSTRUMENT}/"
    assert fill("shown", form | {"is_free": True}, texts) == f"<b>SEM</b> /instruments/{INSTRUMENT}/"


def test_a_stencil_that_decides_by_a_text_fails():
    with pytest.raises(TypeError, match="belongs to its form"):
        fill("asks", {}, {"name": "SEM"})


def test_developers_see_at_once_what_they_saved(settings, sources):
    form = {"is_free": False, "starred": ()}
    settings.DEBUG = True
    fill("shown", form, {"pk": INSTRUMENT})
    sources["shown"] = "saved"
    assert fill("shown", form, {"pk": INSTRUMENT}) == "saved"
