"""Look at every page of the built site in headless Chromium, as its readers will.

Usage: python docs/includes/check_site.py SITE_FOLDER [--screenshots FOLDER]

Needs Chromium, its driver, and selenium. Exit codes: 0, all is well; 1, with what is wrong; 3, there
is no Chromium to look with.
"""

import argparse
import contextlib
import functools
import http.server
import json
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SEARCHED, FOUND = "classical_zoo", "reference/models/#nucrec.models.classical_zoo"
# what a search shows, which may lie in a shadow tree
HITS = """
const within = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
  element.shadowRoot ? [element, ...within(element.shadowRoot)] : [element]);
return within(document).filter((e) => e.checkVisibility() && e.href).map((e) => e.href);
"""
# the address of each link, and of each image whether it is there; all names that can be jumped to
LOOK = """
const all = (what) => [...document.querySelectorAll(what)];
return {
  links: all("a[href]").map((a) => a.href),
  broken: all("img").filter((i) => !i.complete || !i.naturalWidth).map((i) => i.src),
  nameless: all("article img:not([alt])").map((i) => i.src),
  anchors: all("[id], a[name]").map((e) => e.id || e.name),
  width: document.scrollingElement.scrollWidth,
};
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the folder without a word."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the folder and give its address."""
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.contextmanager
def opened(browser: str, driver: str) -> Iterator[Any]:
    """Start a browser that nobody has used before, with a log of its console and its requests."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = webdriver.ChromeService(executable_path=driver)
        window = webdriver.Chrome(options=options, service=service)
        try:
            window.get("about:blank")
            window.get_log("performance")  # what the browser did on its own
            yield window
        finally:
            window.quit()


def resize(window: Any, width: int, height: int) -> None:
    """Give the page this many pixels, also fewer than a window can have."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def foreign_requests(window: Any, address: str) -> set[str]:
    """Return the requests to other hosts since the last call."""
    messages = (json.loads(entry["message"])["message"] for entry in window.get_log("performance"))
    urls = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    return {url for url in urls if url.startswith(("http", "ws")) and not url.startswith(address)}


def look(
    window: Any, address: str, page: str, shots: Path | None
) -> tuple[dict[str, Any], list[str]]:
    """Return what is on a page, and what is wrong with it by itself."""
    wrong = []
    for name, (width, height) in WIDTHS.items():
        resize(window, width, height)
        window.get(address + page)
        seen: dict[str, Any] = window.execute_script(LOOK)
        if seen["width"] > width:
            wrong.append(f"{seen['width']} pixels wide on a {name} of {width}")
        if shots is not None:
            shots.mkdir(parents=True, exist_ok=True)
            stem = page.removesuffix("index.html").strip("/").replace("/", "-") or "home"
            window.save_screenshot(str(shots / f"{stem}-{name}.png"))
    wrong += [f"image not shown: {url}" for url in seen["broken"]]
    wrong += [f"image without alternative text: {url}" for url in seen["nameless"]]
    wrong += [f"console: {entry['message']}" for entry in window.get_log("browser")]
    wrong += [f"asks another host: {url}" for url in sorted(foreign_requests(window, address))]
    return seen, wrong


def broken_links(seen: dict[str, dict[str, Any]], site: Path, address: str) -> dict[str, list[str]]:
    """Return, for each page, the links into the site that lead nowhere."""
    found: dict[str, list[str]] = {}
    for page, content in seen.items():
        for link in content["links"]:
            url, anchor = urldefrag(link)
            if not url.startswith(address):
                continue
            target = unquote(urlsplit(url).path).lstrip("/")
            target += "index.html" if target.endswith("/") or not target else ""
            known = seen[target]["anchors"] if target in seen else None
            missing = not (site / target).is_file()
            if missing or (anchor and known is not None and unquote(anchor) not in known):
                found.setdefault(page, []).append(f"link to nothing: {link}")
    return found


def search(window: Any, address: str) -> list[str]:
    """Search as a reader does, and return what is wrong with the answer."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    resize(window, *WIDTHS["desktop"])
    window.get(address)

    def hits(window: Any) -> list[str]:
        links: list[str] = window.execute_script(HITS)
        return [re.sub(r"\?h=[^#]*", "", link) for link in links if SEARCHED in link]

    window.find_element("css selector", "body").send_keys("/")  # the key that opens the search
    window.switch_to.active_element.send_keys(SEARCHED)
    try:
        WebDriverWait(window, 20).until(lambda w: any(FOUND in url for url in hits(w)))
    except TimeoutException:
        return [f"searching {SEARCHED} does not find {FOUND}: {hits(window)}"]
    return []


def check(site: Path, browser: str, driver: str, shots: Path | None) -> dict[str, list[str]]:
    """Return what is wrong, by page."""
    # not those of the sitemap: it is empty as long as nobody says where the site will be
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    wrong: dict[str, list[str]] = {}
    seen = {}
    with served(site) as address, opened(browser, driver) as window:
        for page in pages:
            seen[page], wrong[page] = look(window, address, page, shots)
        for page, links in broken_links(seen, site, address).items():
            wrong[page] += links
        wrong["search"] = search(window, address)
    return wrong


def main() -> int:
    """Print what is wrong with the site."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, metavar="SITE_FOLDER")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if not (arguments.site / "index.html").is_file():
        parser.error(f"{arguments.site} is no built site: mkdocs build --site-dir {arguments.site}")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        print("check_site: Chromium or its driver is not installed", file=sys.stderr)
        return 3
    wrong = check(arguments.site.resolve(), browser, driver, arguments.screenshots)
    for page, reasons in wrong.items():
        for reason in dict.fromkeys(reasons):
            print(f"{page}: {reason}", file=sys.stderr)
    faults = sum(map(len, wrong.values()))
    print(f"{len(wrong) - 1} pages and the search looked at, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
