"""Scripts of pages, and what a page needs to run them."""

import base64
import hashlib
from importlib import resources

SHARED = "tables.js"
"""What all scripts use: reading and saving tables."""


def script_of(package: str, name: str) -> str:
    """Return the script of a page, which lies in a package, after the functions that all share."""
    shared = (resources.files(__package__) / SHARED).read_text(encoding="utf-8")
    return shared + (resources.files(package) / name).read_text(encoding="utf-8")


def digest_of(script: str) -> str:
    """Return what a page's content security policy allows that script by."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def json_in_page(text: str) -> str:
    """Return JSON as it may stand in a page: nothing in it ends the element that it is in."""
    return text.replace("<", "\\u003c")
