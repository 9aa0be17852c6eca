"""What is fuzzed: each target takes bytes, and any bytes must work or raise a `NucrecError`.

``python -m fuzz.targets NAME`` runs one under atheris, with the options of libFuzzer.
"""

import contextlib
import hashlib
import inspect
import json
import os
import pickle
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SEEDS = Path(__file__).parent / "seeds"
LONGEST_MESSAGE = 2000
_MOST_PIXELS = 2**22  # the memory that is taken grows with this limit, which is a setting of Pillow
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ACTS = ("os.", "shutil.", "subprocess.", "socket.connect", "ctypes.dlopen", "pty.")
_HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")

_root = Path(tempfile.gettempdir())
_watching = False
_seen: list[str] = []


def image(data: bytes) -> None:
    """Decode one image file."""
    from PIL import Image

    from nucrec._pixels.image import check_image
    from nucrec._reading.decode import decode
    from nucrec.errors import NucrecError

    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, _MOST_PIXELS
    try:
        array = decode(data, "x").array
    except NucrecError as error:
        _check_message(error)
        return
    finally:
        Image.MAX_IMAGE_PIXELS = before
    assert array.size <= 4 * _MOST_PIXELS
    assert array.dtype.kind in "uif", array.dtype
    assert array.dtype not in ("int8", "int16", "float16"), array.dtype
    try:
        check_image("x", array)
    except NucrecError as error:
        raise AssertionError("what was decoded is no image") from error


def archive(data: bytes) -> None:
    """Load a zip archive, with and without classes."""
    from nucrec.datasets import load_folder, load_images
    from nucrec.errors import NucrecError

    path = _root / "input.zip"
    path.write_bytes(data)
    for load in (load_folder, load_images):
        with contextlib.suppress(NucrecError):
            assert len(load(path)) > 0


def weights(data: bytes) -> None:
    """Read tensors from a file of PyTorch's old format."""
    from nucrec.errors import NucrecError
    from nucrec.models._weights.torch_file import read_torch_tensors

    try:
        tensors = read_torch_tensors(data, "x")
    except NucrecError as error:
        _check_message(error)
        return
    assert sum(tensor.nbytes for tensor in tensors.values()) <= len(data)
    assert all(tensor.flags.c_contiguous for tensor in tensors.values())


def model(data: bytes) -> None:
    """Check a model's file, and load it if it is no network: Keras would be too slow here.

    The first letter says what follows: a whole archive (P, its own first letter), or a text that takes
    the place of a member of a good one, with hashes that fit: the network (k), the description of a
    network (n) or of a classical model (c), or a classical model (s).
    """
    from nucrec.errors import NucrecError
    from nucrec.models import load, model_info

    name, member = _PARTS.get(data[:1], ("", ""))
    content = _forged(SEEDS / "model" / name, member, data[1:]) if name else data
    # an archive does not pack the names of its members
    path = _root / ("input.skops" if b"schema.json" in content else "input.keras")
    path.write_bytes(content)
    try:
        if model_info(path).kind != "network":
            load(path)
    except NucrecError as error:
        _check_message(error)


_PARTS = {
    b"k": ("network.keras", "config.json"),
    b"n": ("network.keras", "nucrec.json"),
    b"c": ("classical.skops", "nucrec.json"),
    b"s": ("classical.skops", "schema.json"),
}


def _forged(path: Path, changed: str, content: bytes) -> bytes:
    """Return an archive with one member changed, and hashes that fit."""
    with zipfile.ZipFile(path) as good:
        members = {name: good.read(name) for name in good.namelist()}
    if "model.weights.h5" in members:
        members["model.weights.h5"] = b""  # large, and not looked into here
    members[changed] = content
    about: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        about = json.loads(members.pop("nucrec.json") if changed != "nucrec.json" else content)
    members.pop("nucrec.json", None)
    if isinstance(about, dict):
        about["members"] = {k: hashlib.sha256(v).hexdigest() for k, v in members.items()}
        content = json.dumps(about).encode()
    out = _root / "forged.zip"
    with zipfile.ZipFile(out, "w") as forged:
        for name, kept in {**members, "nucrec.json": content}.items():
            forged.writestr(name, kept)
    return out.read_bytes()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "image": image,
    "archive": archive,
    "weights": weights,
    "model": model,
}


def _check_message(error: Exception) -> None:
    message = str(error)
    assert len(message) <= LONGEST_MESSAGE, f"a message of {len(message)} letters"


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is written outside of our folder, started or connected to."""
    if not _watching:
        return
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & _WRITES:
            return
        with contextlib.suppress(TypeError, ValueError):
            if Path(os.fsdecode(path)).is_relative_to(_root):
                return
    elif event in _HARMLESS or not event.startswith(_ACTS):
        return
    _seen.append(f"{event} {arguments!r:.200}")


@contextlib.contextmanager
def watched(root: Path) -> Iterator[None]:
    """Raise if what runs inside writes to anything but `root`, or starts or deletes anything."""
    global _root, _watching
    if not hasattr(_watch, "added"):
        sys.addaudithook(_watch)
        _watch.added = True  # type: ignore[attr-defined]
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _root, _watching = root, True
    _seen.clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _watching, sys.dont_write_bytecode = False, before
    assert not _seen, f"acted outside of its folder: {_seen}"


def warm_up(name: str, root: Path) -> None:
    """Run a target unwatched: what is loaded on first use does more than reading a file."""
    global _root
    _root = root
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in sorted((SEEDS / name).iterdir()):
            TARGETS[name](seed.read_bytes())


def main() -> None:
    """Run one target under atheris."""
    name, *options = sys.argv[1:]
    import atheris

    with atheris.instrument_imports(include=["nucrec", "PIL", "skops"]):
        import PIL.Image

        PIL.Image.init()
        if name in ("weights", "model"):
            import skops.io  # noqa: F401
    # these are loaded before they can be instrumented as a whole
    for owner in (zipfile, zipfile.ZipFile, zipfile.ZipExtFile, pickle._Unpickler):
        for function in list(vars(owner).values()):
            if inspect.isfunction(function):
                atheris.instrument_func(function)
    prefixes = [option.partition("=")[2] for option in options if "artifact_prefix" in option]
    prefix = prefixes[-1] if prefixes else ""
    with tempfile.TemporaryDirectory() as folder:

        def one(data: bytes) -> None:
            try:
                with watched(Path(folder)):
                    TARGETS[name](data)
            except BaseException:
                Path(f"{prefix}crash-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
                raise

        warm_up(name, Path(folder))
        atheris.Setup([sys.argv[0], *options], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
