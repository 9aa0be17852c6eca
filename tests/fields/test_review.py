"""The page on which a person reviews cells, and what is done with the answers."""

import base64
import csv
import io
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest
from PIL import Image
from tests.fields.drawn import drawn, plate
from tests.html_reader import Reader

from nucrec.assay import summarize
from nucrec.errors import DatasetError, InvalidParameterError
from nucrec.fields import Cells, FieldSet, crops, detect, review

WELLS = ("B02", "B03", "B04", "C02", "C03", "C04")
EVIL = "=1+1<script>alert(1)</script>\n\x1b[31m"


@pytest.fixture(scope="module")
def small() -> tuple[Cells, FieldSet, Any]:
    """Six wells of two conditions, 24 nuclei each; every sixth and every third is micronucleated."""
    places = [(40 + 60 * row, 40 + 60 * column) for row in range(4) for column in range(6)]
    found = []
    for well in range(6):
        every = 6 if well < 3 else 3
        spots = [(y, x + 18, 3) for k, (y, x) in enumerate(places) if k % every == 0]
        found.append(drawn([(y, x, 12) for y, x in places], spots, (280, 400)))
    fields, detector = plate(*found)
    named = FieldSet.from_arrays([f.read() for f in fields], list(WELLS))
    detector.answers = dict(zip(WELLS, [each[1] for each in found], strict=True))
    cells = detect(named, detector, n_jobs=1)
    columns = dict(cells.cells)
    columns["well"] = columns["field"]
    columns["condition"] = np.where(np.char.startswith(columns["field"], "B"), "DMSO", EVIL)
    columns["scored"] = np.ones(len(cells), bool)
    return Cells(columns, cells.micronuclei, cells.fields), named, detector


@pytest.fixture(scope="module")
def page(small, tmp_path_factory) -> Path:
    cells, fields, detector = small
    path = tmp_path_factory.mktemp("review") / "review.html"
    written = review(cells, fields, path, n=60, detector=detector, title=f"Plate {EVIL}")
    assert (written.n_positive, written.n_negative, len(written)) == (20, 40, 60)
    assert "nucrec assay" in str(written)
    return path


def words_of(page: Path) -> str:
    """Return what a reader sees, after checking that elements are closed in order."""
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    assert len(reader.all("script")) == 2
    return reader.words


def content(page: Path) -> dict[str, Any]:
    """Return what the page knows of its cells."""
    text = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    return json.loads(data)


def rows_of(page: Path) -> list[dict[str, str]]:
    data = content(page)
    lines = [data["header"], *(cell["row"] + ",," for cell in data["cells"])]
    return list(csv.DictReader(io.StringIO("\n".join(lines), newline="")))


def test_the_sample_is_of_both_calls_in_each_condition_with_the_weights_of_its_strata(small, page):
    cells = small[0].cells
    rows = rows_of(page)
    keys = [(row["field"], int(row["cell_id"])) for row in rows]
    assert len(set(keys)) == 60
    table = {key: i for i, key in enumerate(zip(cells["field"], cells["cell_id"], strict=True))}
    strata = Counter(row["stratum"] for row in rows)
    for row, key in zip(rows, keys, strict=True):
        positive = bool(cells["n_micronuclei"][table[key]] > 0)
        assert row["called"] == ("yes" if positive else "no")
        of_condition = np.char.startswith(cells["field"], key[0][0])
        size = ((cells["n_micronuclei"] > 0)[of_condition] == positive).sum()
        assert int(row["stratum_cells"]) == size
        assert float(row["weight"]) == pytest.approx(size / strata[row["stratum"]], rel=1e-14)
    assert len(strata) == 4
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(len(table), rel=1e-13)
    # 12 and 24 positive cells: 20 of them as the square roots
    positives = sorted(n for name, n in strata.items() if "positive" in name)
    assert positives == [8, 12]
    by_well = Counter(
        field for (field, _), row in zip(keys, rows, strict=True) if row["called"] == "no"
    )
    for wells in (WELLS[:3], WELLS[3:]):  # systematic: as many from each, but for one
        assert max(by_well[w] for w in wells) - min(by_well[w] for w in wells) <= 1


def test_the_order_tells_nothing_and_a_seed_gives_the_page_again(small, page, tmp_path):
    called = np.array([row["called"] == "yes" for row in rows_of(page)])
    changes = np.count_nonzero(called[1:] != called[:-1])
    assert changes > 12  # 27 are expected; 1 if sorted
    cells, fields, detector = small
    again, other = tmp_path / "again.html", tmp_path / "other.html"
    review(cells, fields, again, n=60, detector=detector, title=f"Plate {EVIL}")
    assert again.read_bytes() == page.read_bytes()
    review(cells, fields, other, n=60, detector=detector, random_state=1)
    assert content(other)["key"] != content(page)["key"]


def test_the_page_is_one_file_that_hides_calls_and_treatments(page):
    text = page.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]+"|https?://|@import|url\(', text)
    words = words_of(page)
    for hidden in ("called positive", "DMSO", "B02", "alert(1)</script>"):
        assert hidden not in words.replace("Plate =1+1<script>alert(1)</script>", "")
    assert all(cell["about"] == "" for cell in content(page)["cells"])
    assert "\x1b" not in text


def opened(url: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(picture.convert("RGBA"))


def test_pictures_show_the_nucleus_in_the_middle_with_its_outline(small, page):
    cells = small[0].cells
    for cell in content(page)["cells"][:8]:
        grey, outline = opened(cell["image"])[..., 0], opened(cell["outline"])
        size = len(grey)
        assert grey.shape == (size, size)
        middle = slice(size // 2 - 4, size // 2 + 5)
        assert (grey[middle, middle] > 200).all()  # also where the field ends nearby
        drawn_pixels = outline[..., 3] > 0
        green = drawn_pixels & (outline[..., 1] > outline[..., 0] + 100) & (outline[..., 2] < 150)
        ys, xs = np.nonzero(green)
        scale = outline.shape[0] / size
        assert np.ptp(xs) / scale == pytest.approx(25, abs=2)  # a disc of radius 12
        assert (ys.mean() / scale, xs.mean() / scale) == pytest.approx((size / 2, size / 2), abs=2)
        yellow = drawn_pixels & (outline[..., 0] > 200)
        assert not yellow.any()
    assert len(cells["field"]) == 144


def test_what_was_found_is_shown_if_asked_for(small, tmp_path):
    cells, fields, detector = small
    path = tmp_path / "open.html"
    review(cells, fields, path, n=10, detector=detector, blind=False)
    shown = content(path)["cells"]
    for cell, row in zip(shown, rows_of(path), strict=True):
        assert row["field"] in cell["about"]
        assert ("1 found" if row["called"] == "yes" else "none found") in cell["about"]
    hidden = review(cells, fields, tmp_path / "blind.html", n=10, detector=detector).path
    assert [row["called"] for row in rows_of(hidden)] == [row["called"] for row in rows_of(path)]
    assert content(hidden)["key"] != content(path)["key"]  # where the browser keeps answers
    yellow = [(opened(cell["outline"])[..., 0] == 240).any() for cell in shown]
    assert any(yellow)
    assert "too high" in words_of(path)


def test_label_images_of_a_detection_are_used(small, tmp_path):
    cells, fields, detector = small
    detect(fields, detector, n_jobs=1, out=tmp_path, write_labels=True)
    asked = len(detector.asked)
    review(cells, fields, tmp_path / "review.html", n=12, labels=tmp_path)
    assert len(detector.asked) == asked


def test_many_cells_of_one_plate_stay_within_the_sample(small, tmp_path):
    cells, fields, detector = small
    written = review(cells, fields, tmp_path / "all.html", n=2000, detector=detector)
    assert (written.n_positive, written.n_negative) == (36, 108)
    assert {row["weight"] for row in rows_of(written.path)} == {"1"}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 9}, InvalidParameterError, "n: expected a whole number of at least 10"),
        ({"n": 2001}, InvalidParameterError, "at most 2000"),
        ({"path": "review.csv"}, InvalidParameterError, "ends in .html"),
        ({"fields": 2}, DatasetError, "fields: B04, which occurs in cells, is missing"),
        ({"labels": "none"}, Exception, "no label images of B02"),
    ],
)
def test_bad_reviews_are_told(small, tmp_path, options, error, words):
    cells, fields, detector = small
    given = {"n": 60, **options}
    path = tmp_path / given.pop("path", "review.html")
    fields = fields[: given.pop("fields", 6)]
    if "labels" in given:
        given["labels"] = tmp_path / given["labels"]
    else:
        given["detector"] = detector
    with pytest.raises(error, match=words):
        review(cells, fields, path, **given)
    assert not path.exists()


# in the browser


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[Any]:
    """Chromium, with a folder for its downloads."""
    pytest.importorskip("selenium")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium or no driver of it")
    from selenium import webdriver

    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options, webdriver.ChromeService(executable_path=driver))
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    started.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    started.downloads = downloads
    yield started
    started.quit()


def press(window: Any, keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(window).send_keys(keys).perform()


def text_of(window: Any, name: str) -> str:
    return window.find_element("id", name).text


def saved(window: Any) -> Path:
    """Press S, and return the file that is downloaded."""
    target = window.downloads / "reviewed.csv"
    target.unlink(missing_ok=True)
    press(window, "s")
    deadline = time.monotonic() + 60
    while not _size(target) and time.monotonic() < deadline:  # Chromium begins with an empty file
        time.sleep(0.05)
    return target


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.slow
def test_a_person_reviews_by_keyboard_and_the_file_corrects_the_rates(
    small, page, window, tmp_path
):
    from selenium.webdriver.common.keys import Keys

    cells, fields, _ = small
    window.get(page.as_uri())
    window.execute_script("localStorage.clear()")
    window.refresh()
    assert text_of(window, "where") == "Cell 1 of 60"
    assert not window.find_elements("css selector", "h1 script")
    press(window, "y" + "u" + "n")
    assert text_of(window, "done") == "3 answered, 1 of them unsure"
    press(window, Keys.ARROW_LEFT + Keys.BACKSPACE)
    assert text_of(window, "where") == "Cell 2 of 60"
    chosen = window.find_elements("css selector", "[data-answer][aria-pressed=true]")
    assert [button.get_attribute("data-answer") for button in chosen] == ["unsure"]
    window.refresh()  # nothing is lost
    assert text_of(window, "where") == "Cell 2 of 60"
    assert "3 answers were kept" in text_of(window, "said")

    hidden = "return document.querySelector('.outline').hidden"
    assert not window.execute_script(hidden)
    press(window, "o")
    assert window.execute_script(hidden)
    press(window, "o++]ci")
    style = "return getComputedStyle(document.querySelector('.grey'))"
    assert window.execute_script(f"{style}.transform").startswith("matrix(1.56, 0, 0, 1.56")
    assert "brightness(1.25) contrast(1.8) invert(1)" in window.execute_script(f"{style}.filter")
    press(window, "r")

    rows = rows_of(page)
    truth = ["y" if row["called"] == "yes" else "n" for row in rows]
    yes = [i for i, row in enumerate(rows) if row["called"] == "yes"]
    truth[yes[0]], truth[yes[1]], truth[-1] = "n", "3", "u"
    press(window, Keys.ARROW_LEFT + "".join(truth[:30]))
    some = saved(window).read_text(encoding="utf-8")
    press(window, "".join(truth[30:]))
    assert "All cells are answered" in text_of(window, "said")
    path = saved(window)
    table = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [{k: row[k] for k in list(row)[:12]} for row in table] == [
        {k: row[k] for k in list(row)[:12]} for row in rows
    ]
    words = {"y": "yes", "n": "no", "3": "yes", "u": "unsure"}
    assert [row["reviewed"] for row in table] == [words[key] for key in truth]
    assert [row["reviewed_micronuclei"] for row in table] == [
        "3" if k == "3" else "" for k in truth
    ]

    found = summarize(cells).corrected(reviewed=path)
    weight = {i: float(row["weight"]) for i, row in enumerate(rows)}
    expected = 1 - weight[yes[0]] / 36 if yes[0] != 59 else 1
    if rows[-1]["called"] == "no":  # the unsure one is none of the positive cells
        assert found.review.precision.value == pytest.approx(expected, rel=1e-4)
    assert (found.review.n_unsure, found.review.recall.value) == (1, 1)

    labels = [small[2].answers[name].nuclei for name in WELLS]
    masked = FieldSet.from_arrays([f.read() for f in fields], list(WELLS), masks=labels)
    dataset = crops(masked, cells, reviewed=path)
    assert len(dataset) == 59
    assert dataset.labels.sum() == truth.count("y") + 1
    assert set(dataset.metadata["called"].tolist()) == {"nucleus", "micronucleus"}
    assert dataset.metadata["well"].tolist() == dataset.groups.tolist()

    press_clear = "window.confirm = () => true; document.getElementById('clear').click()"
    window.execute_script(press_clear)
    assert text_of(window, "done") == "0 answered"
    semicolons = tmp_path / "half.csv"  # as a spreadsheet may save it
    half = list(csv.reader(io.StringIO(some, newline="")))
    with semicolons.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(half)
    window.find_element("id", "load").send_keys(str(semicolons))
    deadline = time.monotonic() + 30
    while "Loaded" not in text_of(window, "said") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert text_of(window, "said") == "Loaded 30 answers."
    assert text_of(window, "where") == "Cell 31 of 60"
    other = tmp_path / "other.csv"
    other.write_text(some.replace(content(page)["key"], "review-0123456789"), encoding="utf-8")
    window.find_element("id", "load").send_keys(str(other))
    while "another review" not in text_of(window, "said") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (
        text_of(window, "said") == "60 rows of this file are of another review: nothing was loaded."
    )
    assert window.get_log("browser") == []


def loaded(window: Any, path: Path, lines: list[str], between: str = "\n") -> str:
    """Load lines of a table, and return what the page says of them."""
    path.write_bytes(between.join(lines).encode())
    window.execute_script("document.getElementById('said').textContent = 'waiting'")
    window.find_element("id", "load").send_keys(str(path))
    deadline = time.monotonic() + 30
    while text_of(window, "said") == "waiting" and time.monotonic() < deadline:
        time.sleep(0.05)
    return text_of(window, "said")


@pytest.mark.slow
def test_what_a_loaded_file_says_is_understood_or_told(page, window, tmp_path):
    window.get(page.as_uri())
    window.execute_script("localStorage.clear()")
    window.refresh()
    ids = [cell["id"] for cell in content(page)["cells"]]
    header = "review_id,reviewed"
    path = tmp_path / "some.csv"
    lines = ["sep=,", header, f"{ids[0]},TRUE", f"{ids[1]},0", f"{ids[2]},ja", f"{ids[3]},"]
    told = 'Loaded 2 answers. 1 row not understood, such as "ja": use yes, no or unsure.'
    assert loaded(window, path, lines, "\r") == told
    assert text_of(window, "done") == "2 answered"

    contradicting = ["", header, f"{ids[4]},yes", f"{ids[4]},no"]
    assert "different answer for a cell (1 row)" in loaded(window, path, contradicting)
    assert text_of(window, "done") == "2 answered"

    window.execute_script("window.asked = []; window.confirm = (t) => !asked.push(t)")
    other = [header, f"{ids[0]},no", f"{ids[4]},?"]
    assert loaded(window, path, other, "\r\n") == "Nothing was loaded: the answers here are kept."
    (asked,) = window.execute_script("return asked")
    assert "another answer for 1 of the cells" in asked
    window.execute_script("window.confirm = () => true")
    assert loaded(window, path, other, "\r\n") == "Loaded 2 answers."
    assert text_of(window, "done") == "3 answered, 1 of them unsure"


# training on the answers


@pytest.fixture
def masked() -> tuple[FieldSet, SimpleNamespace, str]:
    mask = np.zeros((100, 160), np.int32)
    mask[20:40, 30:40], mask[60:80, 80:100], mask[60:80, 106:118] = 4, 9, 300
    fields = FieldSet.from_arrays([mask.astype(np.uint16)], ["=a"], masks=[mask])
    table = {
        "field": np.array(["=a"] * 3),
        "cell_id": np.array([4, 9, 300]),
        "n_micronuclei": np.array([0, 2, 1]),
        "scored": np.ones(3, bool),
        "well": np.array(["B02"] * 3),
    }
    lines = ["field,cell_id,called,reviewed", "'=a,300,yes,no", "'=a,4,no,yes", "'=a,9,yes,unsure"]
    return fields, SimpleNamespace(cells=table), "\n".join(lines)


def test_reviewed_cells_become_crops_of_the_class_that_was_answered(masked, tmp_path):
    fields, cells, text = masked
    path = tmp_path / "reviewed.csv"
    path.write_text(text, encoding="utf-8")
    found = crops(fields, cells, reviewed=path)
    assert found.class_names == ("nucleus", "micronucleus")
    assert found.metadata["cell_id"].tolist() == [4, 300]
    assert found.labels.tolist() == [1, 0]
    assert found.metadata["called"].tolist() == ["nucleus", "micronucleus"]
    assert found.metadata["well"].tolist() == ["B02", "B02"]
    without_table = crops(fields, reviewed=path)
    assert without_table.labels.tolist() == [1, 0]
    saved_crops = crops(fields, cells, reviewed=path, out=tmp_path / "crops")
    assert saved_crops.labels.tolist() == [1, 0]
    assert (tmp_path / "crops" / "micronucleus" / "=a" / "4.png").is_file()
    frame = pandas.read_csv(path)
    assert crops(fields, cells, reviewed=frame).fingerprint == found.fingerprint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("=a,4,no", "=a,5,no"), "line 3: cell 5 of field =a is not in the masks"),
        (("'=a,4,no", "b,4,no"), "line 3: cell 4 of field b is not in the masks"),
        (
            ("300,yes", "300,no"),
            "cell 300 of field =a was called without a micronucleus in the review, but is with",
        ),
        (("=a,9", "=a,4"), "line 4: cell 4 of field =a is listed twice"),
        (("yes,no", "yes,perhaps"), "line 2: reviewed must be yes, no or empty"),
        (("=a,4,", "=a,four,"), "line 3: cell_id must be a whole number"),
        (("cell_id", "number"), "expected a header line with field, cell_id"),
    ],
)
def test_reviews_of_other_plates_are_refused(masked, tmp_path, change, words):
    fields, cells, text = masked
    path = tmp_path / "reviewed.csv"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(DatasetError, match=words):
        crops(fields, cells, reviewed=path)


def test_a_review_without_answers_gives_no_crops(masked, tmp_path):
    fields, cells, text = masked
    path = tmp_path / "reviewed.csv"
    path.write_text(text.replace("yes,no", "yes,").replace("no,yes", "no,?"), encoding="utf-8")
    with pytest.raises(DatasetError, match="no cell has an answer"):
        crops(fields, cells, reviewed=path)
    with pytest.raises(InvalidParameterError, match="reviewed: expected the path of a CSV"):
        crops(fields, cells, reviewed=3)
