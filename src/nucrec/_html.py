"""Self-contained HTML pages: nothing is loaded from elsewhere, and names are shown as text."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nucrec._files import write_text
from nucrec._optional import require
from nucrec._paths import output_file
from nucrec._text import Row, html, html_table
from nucrec._validation import invalid
from nucrec._version import __version__
from nucrec._web import digest_of, json_in_page

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --soft: #595960; --line: #d0d0d7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ed; --paper: #17171a; --soft: #a5a5ae; --line: #46464f; }
}
body { margin: 0 auto; padding: 1rem; max-width: 64rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1, h2 { line-height: 1.2; }
.wide { overflow-x: auto; font-size: .92rem; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid var(--line);
  text-align: right; white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
.plot { max-width: 100%; height: auto; background: #fff; border-radius: .3rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.2rem;
  padding: 0; list-style: none; }
figure { margin: 0; }
.gallery img { width: 8rem; height: 8rem; object-fit: contain; background: #000; }
figcaption, footer { font-size: .9rem; color: var(--soft); }
figcaption b { display: block; color: var(--ink); }
.numbers { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin: 1rem 0; }
.numbers div { display: flex; flex-direction: column-reverse; }
.numbers dt { font-size: .9rem; color: var(--soft); }
.numbers dd { margin: 0; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr));
  gap: 1.2rem; }
.wall img { width: 100%; height: auto; border-radius: .3rem; }
summary { cursor: pointer; padding: .3rem 0; }
.wide + .wide { margin-top: 1.5rem; }
.prose th, .prose td { text-align: left; white-space: normal; vertical-align: top; }
.facts td:first-child { white-space: nowrap; color: var(--soft); }
.named th:nth-child(2), .named td:nth-child(2) { text-align: left; }
.verdict { font-size: 1.3rem; line-height: 1.3; margin: .3rem 0; }
.enlarge { cursor: zoom-in; text-decoration: none; }
.only-large { display: none; }
figure:target { position: fixed; inset: 0; z-index: 1; overflow: auto; padding: 1rem;
  background: var(--paper); }
figure:target .only-large { display: inline-block; padding: .3rem 1.2rem .3rem 0; color: inherit; }
figure:target .enlarge { display: block; cursor: auto; }
figure:target img { width: auto; height: auto; object-fit: contain; }
.wall figure:target img { width: 100%; max-height: 84vh; }
.gallery figure:target img { width: min(47%, 80vh); }
@media print {
  :root { color-scheme: light; --ink: #000; --paper: #fff; --soft: #444; --line: #999; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; font-size: 7.5pt; }
  th, td { padding: .12rem .3rem; }
  td:first-child { white-space: normal; }
  h2, h3 { break-after: avoid; }
  tr, img, figure, .numbers { break-inside: avoid; }
  .gallery { grid-template-columns: repeat(3, 1fr); gap: .6rem; }
  .gallery img { width: 48%; height: auto; }
  details::details-content { content-visibility: visible; display: block; }
  figure:target { position: static; padding: 0; }
  figure:target .only-large { display: none; }
  * { print-color-adjust: exact; }
}
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Script:
    """The script of a page, with what the page must allow for it to run.

    Attributes
    ----------
    code : str
        The script.
    data : str
        What it works on, as JSON.
    """

    code: str
    data: str

    @property
    def html(self) -> str:
        """The elements at the end of a page."""
        return (
            f'<script type="application/json" id="data">{json_in_page(self.data)}</script>\n'
            f"<script>{self.code}</script>\n"
        )

    @property
    def policy(self) -> str:
        """What allows this script, and no other."""
        return f"; script-src '{digest_of(self.code)}'"


def check_page(name: str, path: object) -> Path:
    """Return the path of a page, after checking that it can be written with its plots."""
    where = output_file(name, path)
    if where.suffix.lower() not in (".html", ".htm"):
        raise invalid(name, "a name that ends in .html", str(path))
    require("matplotlib", extra="plots")
    return where


class SavedAsPage:
    """A result that `save_html` writes to a page; ``_page_parts`` returns the parts of the page."""

    def save_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write the result, with its tables and plots, to one HTML file.

        Parameters
        ----------
        path : str or Path
            The file, ending in ".html"; an existing one is replaced atomically.
        title : str, optional
            The heading of the page; by default the name of the class.

        Returns
        -------
        pathlib.Path
            The path of the file, which is self-contained and works offline.

        Raises
        ------
        InvalidParameterError
            The name does not end in ".html".
        MissingExtraError
            matplotlib is not installed.
        NucrecError
            The file cannot be written.
        """
        where = check_page("path", path)
        heading = type(self).__name__ if title is None else title
        write_text(where, page(heading, self._page_parts()))
        return where

    def _page_parts(self) -> Sequence[str]:
        raise NotImplementedError


def page(title: str, parts: Iterable[str], *, style: str = "", script: Script | None = None) -> str:
    """Return an HTML5 document made of HTML parts, with further style and a script."""
    body = "\n".join(parts)
    policy, end = (_POLICY, "") if script is None else (_POLICY + script.policy, script.html)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html(title)}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
<main>
<h1>{html(title)}</h1>
{body}
</main>
<footer>nucrec {__version__}</footer>
{end}</body>
</html>
"""


def section(heading: str, *parts: str) -> str:
    """Return a section made of HTML parts."""
    return f"<section>\n<h2>{html(heading)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(words: str) -> str:
    """Return a paragraph of text."""
    return f"<p>{html(words)}</p>"


def link(words: str, target: str) -> str:
    """Return a paragraph with a link to another page."""
    return f'<p><a href="{html(target)}">{html(words)}</a></p>'


def table(header: Row, rows: Sequence[Row]) -> str:
    """Return a table that scrolls sideways if it is too wide."""
    return f'<div class="wide" tabindex="0">{html_table(header, rows)}</div>'


def prose_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a table of sentences with wrapped lines."""
    return f'<div class="wide prose" tabindex="0">{html_table(header, rows)}</div>'


def named_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a table whose second column also holds names."""
    return f'<div class="wide named" tabindex="0">{html_table(header, rows)}</div>'


def facts(rows: Sequence[Row]) -> str:
    """Return a table of facts, with one name and value per row."""
    return f'<div class="wide prose facts" tabindex="0">{html_table(("", ""), rows)}</div>'


def heading(words: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{html(words)}</h3>"


def bullets(entries: Iterable[str]) -> str:
    """Return a bulleted list of sentences, or nothing if there are none."""
    items = "".join(f"<li>{html(each)}</li>" for each in entries)
    return f"<ul>{items}</ul>" if items else ""


def plot(draw: Callable[[], Any], alt: str) -> str:
    """Return the matplotlib figure drawn by `draw` as an SVG image.

    As an image, it cannot share element ids with another figure.
    """
    with require("matplotlib", extra="plots").rc_context({"svg.hashsalt": "nucrec"}):
        file = io.StringIO()
        draw().savefig(file, format="svg", metadata={"Date": None})
    return drawing(file.getvalue(), alt)


def drawing(svg: str, alt: str) -> str:
    """Return an SVG document as an image."""
    data = _data("svg+xml", svg.encode())
    return f'<p><img class="plot" src="{data}" alt="{html(alt)}"></p>'


def picture(pixels: Any, alt: str, longest: int = 160, quality: int = 85) -> str:
    """Return an array of uint8, grey or RGB, as a small image."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0)  # thin lines keep their colour
    return f'<img src="{_data("jpeg", file.getvalue())}" alt="{html(alt)}">'


def gallery(entries: Iterable[tuple[str, str, Sequence[str]]], kind: str = "picture") -> str:
    """Return a gallery of (name, remark, pictures as HTML), each of which can be enlarged.

    `kind` distinguishes the galleries of a page.
    """
    items = (
        f"<li{_place(kind, k)}>{_figure(kind, k, ' '.join(pictures), name, remark)}</li>"
        for k, (name, remark, pictures) in enumerate(entries, 1)
    )
    return '<ul class="gallery">\n' + "\n".join(items) + "\n</ul>"


def wall(pictures: Iterable[tuple[str, str, str]], kind: str = "field") -> str:
    """Return large pictures, given as (HTML, name, remark as HTML), each of which can be enlarged."""
    figures = (
        f"<div{_place(kind, k)}>{_figure(kind, k, image, name, remark, is_html=True)}</div>"
        for k, (image, name, remark) in enumerate(pictures, 1)
    )
    return '<div class="wall">\n' + "\n".join(figures) + "\n</div>"


def file_link(words: str, path: str) -> str:
    """Return a link to a file beside the page."""
    return f'<a href="{html(quote(path))}">{html(words)}</a>'


def _place(kind: str, number: int) -> str:
    return f' id="{kind}-{number}"'


def _figure(
    kind: str, number: int, pictures: str, name: str, remark: str, *, is_html: bool = False
) -> str:
    """Return a figure that fills the window while it is the target of the address, without a script."""
    large = f"{kind}-{number}-large"
    words = f"<b>{html(name)}</b>{remark if is_html else html(remark)}"
    return (
        f'<figure id="{large}"><a class="only-large" href="#{kind}-{number}">Close</a>'
        f'<a class="only-large" href="#{kind}-{number + 1}-large">Next</a>'
        f'<a class="enlarge" href="#{large}" title="Enlarge">{pictures}</a>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def numbers(values: Iterable[tuple[str, str]]) -> str:
    """Return a few numbers in large type, each with a caption."""
    entries = (f"<div><dt>{html(what)}</dt><dd>{html(value)}</dd></div>" for value, what in values)
    return '<dl class="numbers">' + "".join(entries) + "</dl>"


def folded(summary: str, *parts: str) -> str:
    """Return HTML parts that are shown when the summary is clicked."""
    return f"<details>\n<summary>{html(summary)}</summary>\n" + "\n".join(parts) + "\n</details>"


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
