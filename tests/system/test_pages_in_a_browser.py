"""Pages as a browser shows them: all of it, on a phone, in the dark, and asking for nothing."""

import csv
import json
import re
import shlex
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.html_reader import HOSTILE

from nucrec.__main__ import main
from nucrec.datasets import load_folder
from nucrec.evaluate import report
from nucrec.fields import Detection, FieldSet, detect, sample_fields, save_results
from nucrec.models import cnn, load, predict_folder

RESULT = report([0, 0, 1, 1] * 10, [0, 1, 1, 1] * 10, class_names=["nucleus", "a $b_{c$ <i>"])

needs_browser = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="needs chromium and chromium-driver",
)


@pytest.fixture
def prediction(crops, tmp_path) -> Path:
    """The page of a folder that is not named like one."""
    folder = tmp_path / "plate <7>"
    folder.mkdir()
    for i in range(20):
        Image.fromarray(crops.images[9 * i]).save(folder / f"{i}.png")
    Image.fromarray(crops.images[5]).save(folder / HOSTILE.replace("/", "-"))
    model = cnn(image_size=16, epochs=1, random_state=0).fit(crops)
    names = ["nucleus", "a $b_{c$ <i>"]
    page = {"html": tmp_path / "page.html", "html_images": 18}
    predict_folder(model, folder, tmp_path / "out.csv", class_names=names, **page)
    return tmp_path / "page.html"


@pytest.fixture
def detection(tmp_path) -> Path:
    """The page of annotated fields, in wells whose names are long, and of one that is hostile."""
    sample = sample_fields()
    shown = dict(zip((HOSTILE, "B02", "B03"), range(3), strict=True))

    class Annotated:
        def predict(self, field, *, pixel_size=None, nuclei=None):
            nuclei, micronuclei = (
                f(shown[field.name]) for f in (sample.nuclei, sample.micronuclei)
            )
            numbers = np.unique(micronuclei, return_inverse=True)[1].reshape(nuclei.shape)
            found = numbers.astype(np.int32)
            return Detection(nuclei, found, np.full(found.max(), 0.7), 30.0, ("a remark " * 30,))

    fields = FieldSet.from_arrays([field.read() for field in sample.fields], list(shown))
    cells = detect(fields, Annotated())
    save_results(cells, fields, tmp_path / "out", detector=Annotated(), title="Micronuclei in <7>")
    return tmp_path / "out" / "report.html"


def rows_of(table: Path) -> list[dict]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


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
def test_a_browser_shows_all_and_asks_for_nothing(browser, prediction, detection, tmp_path):
    for file in (prediction, detection, RESULT.save_html(tmp_path / "report.html")):
        for width in (390, 1200):
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 400}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(file.as_uri())
            assert browser.title in ("Predictions of plate <7>", "Micronuclei in <7>", "Report")
            loaded = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
            assert browser.execute_script(loaded)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        n_scripts = browser.execute_script("return document.scripts.length")
        assert n_scripts == (2 if file == prediction else 0)
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


def press(browser, keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(keys).perform()


def text_of(browser, name: str) -> str:
    return browser.find_element("id", name).text


def enlarged(browser) -> str:
    """Return the name of the image that fills the window, "" if none does."""
    of_target = "const f = document.querySelector('figure:target'); "
    return browser.execute_script(of_target + "return f ? f.closest('li').dataset.name : ''")


def shown(browser) -> list[str]:
    script = "return [...document.querySelectorAll('.cards li:not([hidden])')]"
    return browser.execute_script(f"{script}.map((card) => card.dataset.name)")


def choose(browser, name: str, value: str) -> None:
    browser.execute_script(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
        "s.dispatchEvent(new Event('change'))",
        name,
        value,
    )


def saved_table(browser, downloads: Path) -> Path:
    path = downloads / "corrected.csv"
    path.unlink(missing_ok=True)
    press(browser, "s")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # Chromium begins with an empty file
        if path.exists() and path.stat().st_size:
            break
        time.sleep(0.05)
    return path


@needs_browser
@pytest.mark.slow
def test_a_person_labels_images_and_trains_on_them(browser, prediction, tmp_path, monkeypatch):
    from selenium.webdriver.common.keys import Keys

    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(prediction.as_uri())
    images = shown(browser)
    assert len(images) == 18
    assert text_of(browser, "said") == "No image is labelled yet."
    low = browser.execute_script(
        "return [...document.querySelectorAll('button, select, input[type=search], summary, .file')]"
        ".map((e) => e.getBoundingClientRect().height).filter((h) => h > 0 && h < 44).length"
    )
    assert low == 0

    press(browser, "f")  # the first image fills the window
    assert enlarged(browser) == images[0]
    press(browser, "2")  # and the next one
    assert enlarged(browser) == images[1]
    press(browser, "1" + Keys.ARROW_RIGHT + Keys.ARROW_LEFT + "+")
    assert enlarged(browser) == images[2]
    width = "return document.querySelector('figure:target img').getBoundingClientRect().width"
    before = browser.execute_script(width)
    press(browser, "+")
    assert browser.execute_script(width) == pytest.approx(1.25 * before, rel=0.01)
    press(browser, Keys.ESCAPE)
    assert enlarged(browser) == ""
    buttons = browser.find_elements("css selector", ".cards li .answers button")
    for button in buttons[6:12:2]:  # the first class for the images after these
        browser.execute_script("arguments[0].click()", button)
    browser.execute_script("arguments[0].click()", buttons[10])  # taken back
    browser.refresh()  # nothing is lost
    labels = {images[0]: 1, images[1]: 0, images[3]: 0, images[4]: 0}
    assert text_of(browser, "said").startswith("4 labelled: 3 nucleus, 1 a $b_{c$ <i>; ")

    choose(browser, "labelled", "yes")
    assert set(shown(browser)) == set(labels)
    choose(browser, "labelled", "")
    choose(browser, "call", "1")
    calls = {row["file"]: row["predicted"] for row in rows_of(prediction.with_name("out.csv"))}
    positive = [name for name in images if calls[name] != "nucleus"]
    assert set(shown(browser)) == set(positive)
    choose(browser, "call", "")
    choose(browser, "sort", "name")
    order = [int(name[:-4]) for name in shown(browser) if name in images[:12] and name[0].isdigit()]
    assert order == sorted(order)

    table = saved_table(browser, tmp_path)
    rows = rows_of(table)
    assert {row["file"]: row["label"] for row in rows} == {
        name: ("nucleus", "a $b_{c$ <i>")[k] for name, k in labels.items()
    }
    assert {row["file"]: row["predicted"] for row in rows} == {name: calls[name] for name in labels}
    found = load_folder(table, images=tmp_path / "plate <7>")
    assert dict(zip(found.ids.tolist(), found.labels.tolist(), strict=True)) == labels
    command = browser.find_element("css selector", ".command").get_attribute("textContent")
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    options = ["--backbone", "cnn", "--epochs", "1", "--image-size", "16", "--test-size", "0"]
    assert (program, main([*arguments, *options, "--quiet"])) == ("nucrec", 0)
    assert load("corrected.keras").class_names_ == ("nucleus", "a $b_{c$ <i>")

    browser.execute_script("window.confirm = () => true")
    browser.execute_script("document.getElementById('clear').click()")
    assert text_of(browser, "said") == "No image is labelled yet."
    browser.find_element("id", "load").send_keys(str(table))
    deadline = time.monotonic() + 30
    while "Loaded" not in text_of(browser, "said") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert text_of(browser, "said").startswith("Loaded 4 labels. 4 labelled: 3 nucleus")
    assert browser.get_log("browser") == []
