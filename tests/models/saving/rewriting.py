"""Files of models, changed."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path


def rewritten(
    path: Path, target: Path, change: Callable[[dict[str, bytes]], object], *, forge: bool = False
) -> Path:
    """Write the archive with changed members; with `forge`, with hashes that fit."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if forge:
        about = json.loads(members["nucrec.json"])
        others = {k: v for k, v in members.items() if k != "nucrec.json"}
        about["members"] = {k: hashlib.sha256(v).hexdigest() for k, v in others.items()}
        members["nucrec.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target
