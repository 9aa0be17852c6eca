"""Pages as a browser shows them: all of it, on a phone, in the dark, and asking for nothing."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.html_reader import HOSTILE

from nucrec.evaluate import report
from nucrec.fields import Detection, FieldSet, detect, sample_fields, save_results
from nucrec.models import cnn, predict_folder

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
    predict_folder(model, folder, html=tmp_path / "page.html", html_images=18)
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
