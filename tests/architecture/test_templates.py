"""What a browser would pass over in silence."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.architecture.test_translations import ROOT, files

TAG = re.compile(r"""<([a-z][\w-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>""", re.S)
ATTRIBUTE = re.compile(r"""(?<![\w-])([a-zA-Z][\w:-]*)(?==|\s|$)""")
BRANCH = re.compile(r"{%\s*el(?:se|if)\b.*?%}(?:(?!{%\s*(?:end)?if\b).)*?(?={%\s*(?:el|endif))", re.S)


def repeated_attributes(source: str) -> Iterator[str]:
    """Elements that say an attribute twice: a browser keeps the first. Of branches of a template
    only the first is read."""
    source = re.sub(r"{#.*?#}|{%\s*comment\b.*?endcomment\s*%}", "", source, flags=re.S)
    while source != (shorter := re.sub(BRANCH, "", source)):
        source = shorter
    source = re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.S)
    for tag, said in TAG.findall(source):
        names = Counter(ATTRIBUTE.findall(re.sub(r"\"[^\"]*\"|'[^']*'", '""', said)))
        yield from (f"<{tag} {name}>" for name, number in names.items() if number > 1)


def test_no_element_says_an_attribute_twice() -> None:
    assert list(repeated_attributes('<p id="a" {% if b %}class="x"{% else %}class="y"{% endif %}>')) == []
    assert list(repeated_attributes("<b data-a='1' x data-a=\"{{ y }}\">")) == ["<b data-a>"]
    astray = {
        str(path.relative_to(ROOT)): twice
        for path in files(".html")
        if "templates" in path.parts
        if (twice := list(repeated_attributes(path.read_text(encoding="utf-8"))))
    }
    assert astray == {}


def test_what_a_dialog_repeats_is_on_the_page() -> None:
    """Each part that `data-confirm-cost` names is one of the same template."""
    for path in files(".html"):
        source = path.read_text(encoding="utf-8")
        for name in re.findall(r'data-confirm-cost="([^"{]*)"', source):
            assert f'id="{name}"' in source, (path, name)


def test_parts_of_a_component_are_filled_directly_in_it() -> None:
    """Within an `if` nothing would be filled, and nothing would say so."""
    tag = re.compile(r"\{%\s*(?:(end)?(component|fill|columns|if|for|with|timezone))\b")
    wrong = []
    for path in files(".html"):
        inside: list[str] = []
        for ends, name in tag.findall(path.read_text(encoding="utf-8")):
            if ends:
                inside.pop()
                continue
            if name in ("fill", "columns") and inside[-1] != "component":
                wrong.append(str(path.relative_to(ROOT)))
            if name != "columns":
                inside.append(name)
    assert wrong == []


LONGEST = 150


def test_no_line_of_a_template_is_too_long_to_read() -> None:
    """The formatter leaves what it cannot break; a part of a page of its own can be."""
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(".html")
        if "templates" in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST
    ]
    assert long == []
