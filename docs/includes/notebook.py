"""Run docs/notebook.ipynb, and write docs/notebook.md: the same with its outputs, for the site.

Usage: python docs/includes/notebook.py [--only-page]

With --only-page the notebook is taken as it was run last. The text that stands for a picture to those
who do not see it is the "alt" in the metadata of its cell.
"""

import argparse
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parents[1] / "notebook.ipynb"
PAGE = NOTEBOOK.with_suffix(".md")
DOWNLOAD = "[Download this notebook](notebook.ipynb), or read it here as it was run.\n"
TIMEOUT = 600  # seconds for a cell


def executed(notebook: dict[str, Any], folder: str | Path) -> dict[str, Any]:
    """Return the notebook with the outputs of a fresh kernel that works in `folder`."""
    import nbclient
    import nbformat

    node = nbformat.from_dict(notebook)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(node, timeout=TIMEOUT, resources=resources).execute()
    return dict(node)


def without_traces(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook without times and versions, so that only what changed differs."""
    cells = []
    for cell in notebook["cells"]:
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k == "alt"}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {**notebook, "cells": cells, "metadata": metadata}


def page(notebook: dict[str, Any]) -> str:
    """Return the notebook with its outputs as Markdown."""
    first, *others = notebook["cells"]
    title, _, rest = _text(first["source"]).partition("\n")
    parts = [title, DOWNLOAD, rest.strip(), *(part for cell in others for part in _cell(cell))]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    source = _text(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell["outputs"]:
        yield _output(output, cell["metadata"].get("alt", ""))


def _output(output: dict[str, Any], alt: str) -> str:
    """Return the richest form of an output."""
    if output["output_type"] == "stream":
        return f"```text\n{_text(output['text']).rstrip()}\n```"
    data = output["data"]
    if "text/html" in data:
        return "".join(_text(data["text/html"]).splitlines())  # a line is one block of HTML
    if "image/png" in data:
        if not alt:
            raise SystemExit("a cell with a picture needs an alt text in its metadata")
        source = "".join(_text(data["image/png"]).split())
        return f'<p><img src="data:image/png;base64,{source}" alt="{html.escape(alt)}"></p>'
    return f"```text\n{_text(data['text/plain'])}\n```"


def _text(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def main() -> None:
    """Run the notebook, and write it and its page."""
    import tempfile

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only-page", action="store_true")
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    if not arguments.parse_args().only_page:
        with tempfile.TemporaryDirectory() as folder:
            notebook = without_traces(executed(notebook, folder))
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        NOTEBOOK.write_text(text, encoding="utf-8")
    PAGE.write_text(page(notebook), encoding="utf-8")


if __name__ == "__main__":
    main()
