"""Render Markdown as parts of pages. Nothing that a file contains becomes markup by itself."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_ALIGNED = {"text-align:right": "text-end", "text-align:center": "text-center", "text-align:left": ""}
_SENTENCE = re.compile(r"(?<=\.)\s")
LONGEST_SUMMARY = 170


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page from one heading to the next, as text."""

    anchor: str
    heading: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    title: str
    summary: str
    html: SafeString  # without the title
    sections: tuple[Section, ...]

    @property
    def contents(self) -> list[Section]:
        return [section for section in self.sections if section.level == 2]


class _Html(RendererHTML):
    """Wide tables and code scroll within themselves, reached by the keyboard."""

    def table_open(self, *_: Any) -> str:
        return '<div class="table-responsive" tabindex="0"><table class="table table-sm">'

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f'<pre tabindex="0"><code>{escape(tokens[idx].content)}</code></pre>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return self.fence(tokens, idx)


class Reader:
    """Reads Markdown files. `target` returns the address that a link leads to here, or None if it leads to
    something that is not shown: its text stays. `picture` returns the attributes of an image."""

    def __init__(
        self, target: Callable[[str], str | None], picture: Callable[[str], dict[str, str | int | float]]
    ) -> None:
        self._target, self._picture = target, picture
        self._markdown: Any = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Html).enable("table")

    def read(self, source: str) -> Rendered:
        tokens: list[Token] = self._markdown.parse(source)
        self._rewrite(tokens)
        title, rest = _title(tokens)
        sections = tuple(_sections(rest))
        html = self._markdown.renderer.render(rest, self._markdown.options, {})
        paragraphs = (rest[i + 1] for i, token in enumerate(rest) if token.type == "paragraph_open")
        return Rendered(
            title,
            _summary(next((_text(each) for each in paragraphs), "")),
            mark_safe(html),  # noqa: S308  # the renderer escapes what it does not write itself
            sections,
        )

    def _rewrite(self, tokens: list[Token]) -> None:
        """Give headings anchors, and links, pictures and cells what they need here."""
        used: Counter[str] = Counter()
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                anchor = anchor_of(_text(tokens[index + 1]))
                token.attrSet("id", f"{anchor}-{used[anchor]}" if used[anchor] else anchor)
                used[anchor] += 1
            if (style := token.attrs.pop("style", None)) is not None:  # none passes the policy of pages
                token.attrSet("class", _ALIGNED[str(style)])
            if token.children:
                token.children = list(self._inline(token.children))

    def _inline(self, children: list[Token]) -> Iterator[Token]:
        is_text = False
        for token in children:
            if token.type == "link_open":
                address = self._target(str(token.attrGet("href")))
                if is_text := address is None:
                    continue
                token.attrSet("href", str(address))
            elif token.type == "link_close" and is_text:
                is_text = False
                continue
            elif token.type == "image":
                token.attrs |= self._picture(str(token.attrGet("src")))
            yield token


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading, the same that code hosting sites give it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def marked(text: str, words: list[str]) -> SafeString:
    """Return the part of a text where the first of the words stands, with all of them marked."""
    low = text.lower()
    first = min((at for word in words if (at := low.find(word)) >= 0), default=0)
    start = text.rfind(" ", 0, max(first - 60, 0)) + 1
    end = text.find(" ", start + 200)
    part = text[start : end if end > 0 else None]
    if not words:
        return format_html("{}", part)
    pieces = re.split(f"({'|'.join(map(re.escape, words))})", part, flags=re.I)
    html = "".join(
        f"<mark>{escape(each)}</mark>" if number % 2 else escape(each) for number, each in enumerate(pieces)
    )
    return mark_safe(("… " if start else "") + html + (" …" if end > 0 else ""))  # noqa: S308  # escaped


def _text(inline: Token) -> str:
    """Return the text of a paragraph, heading or cell without its markup."""
    if inline.children is None:
        return inline.content
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content for child in inline.children
    )


def _title(tokens: list[Token]) -> tuple[str, list[Token]]:
    """Return the title of the file and what stands below it."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return _text(tokens[1]), tokens[3:]
    return "", tokens


def _sections(tokens: list[Token]) -> Iterator[Section]:
    anchor, heading, level, texts = "", "", 1, list[str]()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            yield Section(anchor, heading, level, " ".join(texts))
            anchor, heading = str(token.attrGet("id")), _text(tokens[index + 1])
            level, texts = int(token.tag[1:]), []
        elif token.type in {"inline", "fence", "code_block"} and tokens[index - 1].type != "heading_open":
            texts.append(re.sub(r"\s+", " ", _text(token)))
    yield Section(anchor, heading, level, " ".join(texts))


def _summary(paragraph: str) -> str:
    sentence = _SENTENCE.split(paragraph, maxsplit=1)[0].rstrip(":")
    if len(sentence) <= LONGEST_SUMMARY:
        return sentence
    return sentence[:LONGEST_SUMMARY].rpartition(" ")[0].rstrip(",;:") + " …"
