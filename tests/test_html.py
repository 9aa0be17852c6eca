"""Pages: valid, whole in one file, and safe whatever names are in them; seen by a browser, too."""

import base64
import json
import os
import re
import shutil
import sys
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from nucrec._html import page, paragraph, picture, section, table, text
from nucrec.errors import InvalidParameterError, MissingExtraError, NucrecError
from nucrec.evaluate import report
from nucrec.models import classical_zoo, cnn, predict_folder

VOID = {"meta", "img", "br"}
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
        if self.open[-1:] != ["style"]:
            self.words += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(html: str) -> Reader:
    """Return what is in a page, after checking what holds for every page."""
    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert [reader.all(tag) == [{}] for tag in ("title", "main", "h1")] == [True] * 3
    assert not reader.all("script") + reader.all("link") + reader.all("iframe")
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for image in reader.all("img"):
        assert image["alt"].strip()
        assert image["src"].startswith(("data:image/svg+xml;base64,", "data:image/jpeg;base64,"))
    assert not any(name.startswith("on") for _, a in reader.tags for name in a)
    assert "url(" not in html
    assert "@import" not in html
    return reader


def test_text_is_shown_and_never_run():
    reader = read(page(HOSTILE, [paragraph(HOSTILE), table(["a"], [[HOSTILE]]), section(HOSTILE)]))
    assert reader.words.count(HOSTILE) == 5
    assert text("a\udce9b\x1b\n\u202ec") == "a\ufffdb\ufffd\ufffd\ufffdc"


def test_pictures_are_small():
    pixels = np.random.default_rng(0).integers(0, 256, (400, 800, 3), dtype=np.uint8)
    (image,) = re.findall('base64,([^"]+)', picture(pixels, "cell"))
    decoded = Image.open(BytesIO(base64.b64decode(image)))
    assert decoded.size == (160, 80)


RESULT = report([0, 0, 1, 1] * 10, [0, 1, 1, 1] * 10, class_names=["nucleus", "a $b_{c$ <i>"])


def test_a_report(tmp_path):
    file = RESULT.save_html(tmp_path / "report.html", "Plate <7>")
    reader = read(file.read_text(encoding="utf-8"))
    for words in ("Plate <7>", "a $b_{c$ <i>", "40 images; intervals: 95%", "0.75", "Wilson"):
        assert words in reader.words
    for value in RESULT.metrics.values():
        assert f"{value.low:.2f} to {value.high:.2f}" in reader.words
    plots = [image["src"].partition(",")[2] for image in reader.all("img")]
    assert len(plots) == 2
    for plot in plots:
        root = ElementTree.fromstring(base64.b64decode(plot))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    again = RESULT.save_html(tmp_path / "again.html", "Plate <7>")
    assert again.read_bytes() == file.read_bytes()
    few = report([0, 1, 1], [0, 1, 0], class_names=["nucleus", "micronucleus"])
    words = read(few.save_html(tmp_path / "few.html").read_text(encoding="utf-8")).words
    assert all(remark in words for remark in few.remarks)


def test_a_report_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("before")
    with pytest.raises(InvalidParameterError, match="ends in .html"):
        RESULT.save_html(tmp_path / "report.pdf")
    with pytest.raises(NucrecError, match="there is no folder"):
        RESULT.save_html(tmp_path / "nowhere" / "report.html")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"nucrec\[plots\]"):
        RESULT.save_html(tmp_path / "report.html")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


@pytest.fixture(scope="module")
def model(crops):
    return cnn(image_size=16, epochs=1, random_state=0).fit(crops)


@pytest.fixture(scope="module")
def plate(crops, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "plate <7>"
    (folder / "well A").mkdir(parents=True)
    for i in range(20):
        Image.fromarray(crops.images[9 * i]).save(folder / "well A" / f"{i}.png")
    Image.fromarray(crops.images[5]).save(folder / HOSTILE.replace("/", "-"))
    Image.fromarray(crops.images[6]).save(folder / os.fsdecode(b"caf\xe9.png"))
    return folder


@pytest.fixture(scope="module")
def prediction(model, plate, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out")
    predict_folder(model, plate, out / "out.csv", html=out / "page.html", html_images=18)
    return out


def test_predictions(prediction, model, plate):
    reader = read((prediction / "page.html").read_text(encoding="utf-8"))
    lines = (prediction / "out.csv").read_bytes().decode(errors="replace").splitlines()[1:]
    rows = [line.rsplit(",", 4) for line in lines]
    probabilities = np.array([[float(row[2]), float(row[3])] for row in rows])
    doubt = np.argsort(np.abs(probabilities[:, 1] - probabilities[:, 0]), kind="stable")[:18]
    shown = [image["alt"] for image in reader.all("img")[1:]]
    names = [rows[k][0].strip('"').replace('""', '"') for k in doubt]
    assert shown[::2] == names
    assert shown[1::2] == [f"{name}: heat of micronucleus" for name in names]
    for k in doubt:
        assert f"{rows[k][1]}, {probabilities[k].max():.2f}" in reader.words
    assert "plate <7>" in reader.words
    bins = np.histogram(probabilities[:, 1], np.linspace(0, 1, 21))[0]
    assert reader.all("img")[0]["alt"].endswith(", ".join(map(str, bins)))


def test_a_classical_model_has_no_heat_and_what_cannot_be_read_is_listed(crops, plate, tmp_path):
    (plate / "broken.png").write_bytes(b"")
    classical = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    names = {"class_names": crops.class_names, "html": tmp_path / "page.html", "html_images": 3}
    with pytest.warns(UserWarning, match="1 of 23 files"):
        predict_folder(classical, plate, tmp_path / "out.csv", **names)
    (plate / "broken.png").unlink()
    reader = read((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(reader.all("img")) == 1 + 3
    assert "Grad-CAM" not in reader.words
    assert "broken.png" in reader.words


def test_no_page_no_prediction(model, plate, tmp_path, monkeypatch):
    for wrong in ({"html": tmp_path / "page.txt"}, {"html_images": -1}):
        with pytest.raises(InvalidParameterError):
            predict_folder(model, plate, tmp_path / "out.csv", **wrong)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"nucrec\[plots\]"):
        predict_folder(model, plate, tmp_path / "out.csv", html=tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


needs_browser = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="needs chromium and chromium-driver",
)


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"):
        options.add_argument(flag)
    for flag in ("background-networking", "component-update", "sync", "dev-shm-usage"):
        options.add_argument(f"--disable-{flag}")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


@needs_browser
@pytest.mark.slow
def test_a_browser_shows_all_and_asks_for_nothing(browser, prediction, tmp_path):
    for file in (prediction / "page.html", RESULT.save_html(tmp_path / "report.html")):
        for width in (390, 1200):
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 400}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(file.as_uri())
            assert browser.title in ("Predictions of plate <7>", "Report")
            loaded = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
            assert browser.execute_script(loaded)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.execute_script("return document.scripts.length") == 0
        assert browser.get_log("browser") == []
        messages = [
            json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
        ]
        requests = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        # the browser itself may ask for its start page
        urls = [r["request"]["url"] for r in requests if r["documentURL"] == file.as_uri()]
        assert urls
        assert all(url.startswith(("file:", "data:")) for url in urls)
        for scheme, dark in (("light", False), ("dark", True)):
            feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
            style = "return getComputedStyle(document.body)"
            brightness = [
                sum(map(int, re.findall(r"\d+", browser.execute_script(f"{style}.{what}"))[:3]))
                / 765
                for what in ("color", "backgroundColor")
            ]
            assert (brightness[0] > brightness[1]) == dark
            assert abs(brightness[0] - brightness[1]) > 0.7
