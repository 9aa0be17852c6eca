"""Cut the sample fields that ship in the wheel out of the annotated mnfinder fields.

    python tools/sample_fields.py WHEEL_OF_MNFINDER src/nucrec/fields/data/sample-fields.zip

The same bytes come out every time.
"""

import argparse
import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from nucrec.fields import AnnotatedFields, load_mnfinder_fields

WINDOWS = {
    "training-2022-05-25-rpe1-1": ("rpe1-widefield-20x", 96, 288, 480),
    "training-2023-05-31-misc-1": ("hela-confocal-40x", 0, 0, 512),
    "training-2023-05-31-misc-11": ("mcc13-confocal-20x", 0, 128, 512),
}
"""Fields, what their cut-out is called, its top, left and side in pixels."""
CROPS = Path(__file__).parents[1] / "src/nucrec/datasets/data/mnfinder-crops.zip"
"""Where the text of the licence is, too."""
METADATA = ("experiment", "cell_line", "microscope", "objective", "dna_stain")


def main() -> int:
    """Write the archive; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "source", type=Path, help="the wheel of mnfinder, or an archive of its fields"
    )
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    with zipfile.ZipFile(CROPS) as archive:
        licence = archive.read("LICENSE").decode()
    write(load_mnfinder_fields(arguments.source), arguments.output, licence)
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes")
    return 0


def write(annotated: AnnotatedFields, output: Path, licence: str) -> None:
    """Write the cut-outs with their annotation."""
    fields = [["field", *METADATA, "source", "top", "left"]]
    links = [["field", "micronucleus", "nucleus"]]
    files: dict[str, bytes] = {"LICENSE": licence.encode()}
    for i, source in enumerate(annotated.fields.names):
        if source not in WINDOWS:
            continue
        name, top, left, side = WINDOWS[source]
        window = np.s_[top : top + side, left : left + side]
        nuclei, micronuclei = annotated.nuclei(i)[window], annotated.micronuclei(i)[window]
        files[f"fields/{name}.tif"] = image(annotated.fields[i].read()[window], "TIFF")
        files[f"nuclei/{name}.png"] = image(nuclei.astype(np.uint16), "PNG")
        files[f"micronuclei/{name}.png"] = image(micronuclei.astype(np.uint16), "PNG")
        facts = [str(annotated.metadata[column][i]) for column in METADATA]
        fields.append([name, *facts, source, str(top), str(left)])
        there = set(np.unique(nuclei).tolist())
        for number in np.unique(micronuclei[micronuclei > 0]).tolist():
            parent = annotated.parents(i).get(number)
            links.append([name, str(number), str(parent) if parent in there else ""])
    files |= {"fields.csv": table(fields), "micronuclei.csv": table(links)}
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), content)


def image(pixels: npt.NDArray[np.generic], kind: str) -> bytes:
    """Return pixels as a file."""
    buffer = io.BytesIO()
    options = {"compression": "tiff_adobe_deflate"} if kind == "TIFF" else {"optimize": True}
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, **options)
    return buffer.getvalue()


def table(rows: list[list[str]]) -> bytes:
    """Return rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    sys.exit(main())
