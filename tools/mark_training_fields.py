"""Write the marks by which nucrec recognizes the training fields of the detector that ships.

Usage: python tools/mark_training_fields.py mnfinder-fields.zip
"""

import argparse
from pathlib import Path

import numpy as np

import nucrec.fields
from nucrec._files import replacing
from nucrec.fields import FieldDetector, load_mnfinder_fields
from nucrec.fields._training_marks import FILE, marks_of


def main() -> None:
    """Hash all annotated fields, and write the hashes under the name of the detector."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("fields", metavar="FIELDS", help="as for load_mnfinder_fields")
    fields = load_mnfinder_fields(parser.parse_args().fields).fields
    marks = np.unique(np.concatenate([marks_of(field.read()) for field in fields]))
    path = Path(nucrec.fields.__file__).parent / "data" / FILE
    name = FieldDetector.pretrained().card_.name.rstrip(" .0123456789")
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: marks})
    print(f"{len(fields)} fields, {len(marks)} marks, {path.stat().st_size} bytes: {path}")


if __name__ == "__main__":
    main()
