"""Reading pages: valid, whole in one file, and without anything that runs."""

from html.parser import HTMLParser

VOID = {"meta", "input", "img", "br"}
HOSTILE = "<script>document.title='x'<img src=x onerror=alert(1)> & \"'.png"


class Reader(HTMLParser):
    """Checks that elements are closed in order, and keeps what a test asks for."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.words = ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes), "an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.words += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(html: str, *, with_script: bool = False) -> Reader:
    """Return what is in a page, after checking what holds for every page."""
    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert [reader.all(tag) == [{}] for tag in ("title", "main", "h1")] == [True] * 3
    assert not reader.all("link") + reader.all("iframe")
    data = {"type": "application/json", "id": "data"}
    assert reader.all("script") == ([data, {}] if with_script else [])
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for image in reader.all("img"):
        assert image["alt"].strip()
        assert image["src"].startswith(("data:image/svg+xml;base64,", "data:image/jpeg;base64,"))
    assert not any(name.startswith("on") for _, a in reader.tags for name in a)
    assert "url(" not in html
    assert "@import" not in html
    return reader
