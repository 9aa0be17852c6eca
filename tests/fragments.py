"""Reading what a notebook is given: valid, bounded, without anything that runs; pictures as pixels."""

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image
from tests.html_reader import Reader

LARGEST = 200_000


class Fragment(NamedTuple):
    words: str
    pictures: list[np.ndarray]
    alts: list[str]
    rows: list[list[str]]


class TableReader(Reader):
    """Keeps the cells of tables, too."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag, attributes):
        super().handle_starttag(tag, attributes)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        super().handle_data(data)
        if self.open[-1:] in (["td"], ["th"]):
            self.rows[-1][-1] += data


def shown(result) -> Fragment:
    """Return what a notebook shows of a result, after checking what holds for all of it."""
    html = result._repr_html_()
    assert len(html) <= LARGEST
    reader = TableReader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert {tag for tag, _ in reader.tags} <= TAGS
    assert {name for _, attributes in reader.tags for name in attributes} <= ATTRIBUTES
    images = reader.all("img")
    pictures = [decoded(image["src"]) for image in images]
    assert len(repr(result)) < 1000 or not images, "text beside pictures is short"
    return Fragment(reader.words, pictures, [image["alt"] for image in images], reader.rows)


TAGS = {
    *("div", "p", "b", "br", "img", "table", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary"),
}
ATTRIBUTES = {"class", "style", "src", "alt"}


def decoded(source: str) -> np.ndarray:
    """Return the pixels of a picture in the page."""
    kind, _, data = source.partition(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))
