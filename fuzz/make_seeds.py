"""Write the seeds of the fuzzers, regressions among them: ``python -m fuzz.make_seeds``.

The network comes from the lowest supported version of Keras, so that all versions read it.
"""

import hashlib
import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from fuzz.targets import SEEDS
from nucrec.datasets import load_mnfinder_crops
from nucrec.models import classical_zoo, cnn, save

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
SIZES = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}


def write(target: str, name: str, content: bytes) -> None:
    """Write one seed."""
    (SEEDS / target).mkdir(parents=True, exist_ok=True)
    (SEEDS / target / name).write_bytes(content)


def encoded(array: np.ndarray, form: str, **options: object) -> bytes:
    """Return an array as an image file."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def images() -> dict[str, bytes]:
    """Return an image of each format and kind."""
    grey = np.asarray(load_mnfinder_crops().images[0])[:24, :20]
    colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)
    deep = grey.astype(np.uint16) * 257
    exif = Image.Exif()
    exif[0x0112] = 6
    found = {
        "grey.png": encoded(grey, "PNG"),
        "deep.png": encoded(deep, "PNG"),
        "colour.jpg": encoded(colour, "JPEG", exif=exif.tobytes()),
        "progressive.jpg": encoded(colour, "JPEG", progressive=True),
        "deep.tif": encoded(deep, "TIFF"),
        "float.tif": encoded(grey.astype(np.float32), "TIFF"),
        "lzw.tif": encoded(colour, "TIFF", compression="tiff_lzw"),
        "packed.tif": encoded(colour, "TIFF", compression="tiff_adobe_deflate"),
        "grey.bmp": encoded(grey, "BMP"),
        "grey.gif": encoded(grey, "GIF"),
        "colour.webp": encoded(colour, "WEBP", lossless=True),
    }
    pages = [Image.fromarray(deep), Image.fromarray(deep)]
    for name, form in (("pages.tif", "TIFF"), ("frames.gif", "GIF"), ("frames.webp", "WEBP")):
        buffer = io.BytesIO()
        first, *rest = pages if form == "TIFF" else [Image.fromarray(colour)] * 2
        first.save(buffer, form, save_all=True, append_images=rest)
        found[name] = buffer.getvalue()
    palette = io.BytesIO()
    Image.fromarray(colour).quantize(16).save(palette, "PNG", transparency=0, bits=4)
    return {**found, "palette.png": palette.getvalue()}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def lying(unpacked: int, method: int) -> bytes:
    """Return an archive with a member that unpacks to far more than it says."""
    content = bytes(unpacked)
    data = bytearray(zipped({"a/1.png": content}, method))
    size, stated = struct.pack("<L", unpacked), struct.pack("<L", 64)
    return bytes(data.replace(size, stated).replace(
        struct.pack("<L", zlib.crc32(content)), struct.pack("<L", zlib.crc32(bytes(64)))
    ))  # fmt: skip


def archives() -> dict[str, bytes]:
    """Return archives as people make them, and some that are made to do harm."""
    png = encoded(np.arange(64, dtype=np.uint8).reshape(8, 8), "PNG")
    cells = {f"cells/{name}/{i}.png": png for name in ("normal", "micronuclei") for i in range(2)}
    return {
        "cells.zip": zipped(cells),
        "packed.zip": zipped({**cells, "__MACOSX/._x": b"", "cells/read me.txt": b"x"}, 8),
        "outside.zip": zipped({**cells, "../x.png": png, "/etc/x.png": png, "C:\\x.png": png}),
        "says-less.zip": lying(2**22, zipfile.ZIP_DEFLATED),
        "says-less-bzip2.zip": lying(2**27, zipfile.ZIP_BZIP2),
        "deep.zip": zipped({"a/" * 500 + "1.png": png}),
    }


def text(value: str) -> bytes:
    """Return the instruction for a text."""
    return b"X" + struct.pack("<L", len(value)) + value.encode()


def torch_file(tensors: bytes, values: bytes = struct.pack("<4f", 1, 2, 3, 4)) -> bytes:
    """Return a file of PyTorch's old format with this pickle of tensors, and one storage "0"."""
    start = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, VERSION, SIZES))
    keys = pickle.dumps(["0"], protocol=2)
    return start + b"\x80\x02" + tensors + b"." + keys + struct.pack("<q", 4) + values


def tensor(offset: int = 0, size: int = 4, kind: str = "FloatStorage") -> bytes:
    """Return the instructions for a tensor of one axis."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode()
    storage += text("0") + text("cpu") + b"K\x04NtQ"
    numbers = f"K{chr(offset)}K{chr(size)}\x85K\x01\x85".encode("latin-1")
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + numbers
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def weights() -> dict[str, bytes]:
    """Return files of weights as they are, and some that are made to do harm."""
    new = b"ccollections\nOrderedDict\n)R"
    named = new + b"(" + text("a") + tensor()
    outside = text("offset") + b"J" + struct.pack("<i", 10**6)
    outside += text("shape") + b"J" + struct.pack("<i", 4096) + b"\x85"
    return {
        "one.pth": torch_file(named + b"u"),
        "attributes.pth": torch_file(named + b"u}" + text("_metadata") + b"}sb"),
        "view-changed-later.pth": torch_file(named + b"}(" + outside + b"ub" + b"u"),
        "memo.pth": torch_file(b"}r\xff\xff\xff\x3f"),
        "deep-key.pth": torch_file(b"})" + b"\x85" * 5_000 + b"Ns"),
        "copies.pth": torch_file(
            new + b"(" + b"".join(text(str(i)) + tensor() for i in range(40)) + b"u"
        ),
        "code.pth": torch_file(b"cos\nsystem\n" + text("true") + b"\x85R"),
    }


def models() -> dict[str, bytes]:
    """Return a small network, a small classical model, and their descriptions to change."""
    crops = load_mnfinder_crops()
    folder = SEEDS / "model"
    folder.mkdir(parents=True, exist_ok=True)
    network = cnn(image_size=16, epochs=1, random_state=0).fit(crops[::9])
    zeros = [np.zeros_like(weight) for weight in network.model_.get_weights()]
    network.model_.set_weights(zeros)  # so that they pack well
    network.save(folder / "network.keras")
    with zipfile.ZipFile(folder / "network.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    write("model", "network.keras", zipped(members, zipfile.ZIP_DEFLATED))
    fitted = classical_zoo(random_state=0)["GNB"].fit(crops, crops.labels)
    save(fitted, folder / "classical.skops", class_names=crops.class_names)
    found = {}
    for letter, name, member in (
        ("k", "network.keras", "config.json"), ("n", "network.keras", "nucrec.json"),
        ("c", "classical.skops", "nucrec.json"), ("s", "classical.skops", "schema.json"),
    ):  # fmt: skip
        with zipfile.ZipFile(folder / name) as file:
            content = json.loads(file.read(member))
        short = json.dumps(content, separators=(",", ":")).encode()
        found[f"{Path(name).stem}.{member}"] = letter.encode() + short
    asked = {"class_name": "x" * 4000 + "\n", "module": "os"}  # the error once held all of it
    found["long-name.config"] = b"k" + json.dumps(asked).encode()
    found["long-format.json"] = b"c" + json.dumps({"format": "9" * 4000}).encode()
    found["deep.config"] = b"k" + b"[" * 5_000
    return found


def main() -> None:
    """Write all seeds."""
    for target, seeds in (
        ("image", images()), ("archive", archives()), ("weights", weights()), ("model", models()),
    ):  # fmt: skip
        for name, content in seeds.items():
            write(target, name, content)
            print(target, name, len(content), hashlib.sha256(content).hexdigest()[:8])


if __name__ == "__main__":
    main()
