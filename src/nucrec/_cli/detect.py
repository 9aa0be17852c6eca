"""The command `nucrec detect`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucrec._cli.assay import add_control
from nucrec._cli.command import add_channel, add_command, add_out_folder, add_output_options
from nucrec._cli.detect_assay import check_assay, links_of, save_assay, wants_assay
from nucrec._cli.inputs import check_input
from nucrec._cli.output import print_json
from nucrec._cli.parser import number, whole_number
from nucrec._written import ASSAY, ASSAY_FOLDER, DETECTION, REVIEW, check_not_replaced
from nucrec.errors import InvalidParameterError

if TYPE_CHECKING:
    from nucrec.fields import Cells, FieldDetector, FieldSet, ReviewPage, SavedResults

DESCRIPTION = """\
Find nuclei and micronuclei in fields of view, and write to a folder:

  report.html      rates by well with intervals, doubtful cells, fields with outlines, quality
  conditions.csv   the rate of micronucleated cells of each condition and dose, with --layout
  summary.csv      the rate of each well, or of each field if wells are not known
  cells.csv        one row for each cell: position, size, micronuclei, quality, scored or why not
  micronuclei.csv  one row for each micronucleus, with its cell
  fields.csv       one row for each field, with remarks
  overlays         a picture of each field, with outlines
  labels           label images of nuclei and micronuclei: TIFF, for Fiji, napari and Cellpose
  report           with --control or --historical: rates by condition, tests and decision, as from
                   nucrec assay
  review.html      with --review: cells to confirm or reject by keyboard, the detector's call hidden

After an interruption, the same command continues where it stopped. Wells are read from the file
names (B03, r02c03), or from a table of conditions, doses and replicates (--layout).
"""
EXAMPLES = """\
examples:
  nucrec detect --example -o results
  nucrec detect plate-7 -o results --channel DAPI --pixel-size 0.65 --layout layout.csv
  nucrec detect plate-7 -o results --layout layout.csv --control DMSO
  nucrec detect plate-7 -o results --review 600

after --review: open results/review.html in a browser, answer, save reviewed.csv, and use it to correct
the rates: nucrec assay results/cells.csv --reviewed reviewed.csv
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "find nuclei and micronuclei in fields of view"
    command = add_command(commands, "detect", run, about, DESCRIPTION, EXAMPLES)
    command.add_argument(
        "data", nargs="?", metavar="PLATE", help="fields at any depth of a folder, or a zip of it"
    )
    command.add_argument(
        "--example", action="store_true", help="use the sample fields that ship with nucrec"
    )
    _add_reading(command.add_argument_group("fields"))
    _add_counting(command.add_argument_group("counting"))
    add_control(command.add_argument_group("assay: tests and decision, in the folder report"))
    _add_writing(command.add_argument_group("output"))


def _add_reading(group: Any) -> None:
    add_channel(group)
    add = group.add_argument
    add(
        "--pixel-size",
        type=number,
        metavar="UM",
        help="the size of a pixel in micrometres (default: as stated in the files)",
    )
    add(
        "--masks",
        metavar="PATH",
        help="a folder or zip with label images of the nuclei, or outlines from ImageJ, COCO or "
        "QuPath, named like the fields (default: nuclei are found)",
    )
    add(
        "--layout",
        metavar="CSV",
        help="the treatment of each well: a table with the column well or file, and any of condition, "
        "dose and replicate, or a block for each of these in the shape of the plate",
    )


def _add_counting(group: Any) -> None:
    add = group.add_argument
    add(
        "--detector",
        metavar="FILE",
        help="a detector of your own, written by FieldDetector.save (default: the one that ships)",
    )
    add(
        "--humn",
        action="store_true",
        help="count only micronuclei of 1/16 to 1/3 of the diameter of their nucleus",
    )


def _add_writing(group: Any) -> None:
    add = group.add_argument
    add_out_folder(group, "results")
    add(
        "--labels",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep the label images of nuclei and micronuclei (default: --labels); without them, the "
        "same command starts again",
    )
    add(
        "--review",
        nargs="?",
        type=whole_number,
        const=400,
        metavar="N",
        help="write review.html, on which a person states whether each of N cells, 10 to 2000, has a "
        "micronucleus (default: 400): a random sample of cells called with and without one",
    )
    add(
        "--overwrite",
        action="store_true",
        help="discard results in the folder and start again, whatever settings they were made with",
    )
    add("--n-jobs", type=whole_number, metavar="N", help="threads (default: one for each core)")
    add_output_options(group, "the rates")


def run(arguments: argparse.Namespace) -> int:
    """Detect, write everything, print the rates and return the exit code."""
    if arguments.review is not None and not 10 <= arguments.review <= 2000:
        raise InvalidParameterError(
            f"--review: expected 10 to 2000 cells, received {arguments.review}"
        )
    check_input("--detector", arguments.detector, "detector")
    check_input("--historical", arguments.historical, "table")
    reads = [
        getattr(arguments, name) for name in ("data", "masks", "layout", "historical", "detector")
    ]
    check_not_replaced("--out", arguments.out, DETECTION, reads)
    if wants_assay(arguments):
        check_not_replaced("--out", Path(arguments.out, ASSAY_FOLDER), ASSAY, reads)
    fields = _fields(arguments)
    check_assay(fields, arguments)
    try:
        cells, saved, page = _detect(fields, arguments)
    except KeyboardInterrupt as interrupt:
        where = f"{interrupt}; " if str(interrupt) else ""
        raise KeyboardInterrupt(f"{where}the same command continues from there") from None
    report = save_assay(cells, arguments) if wants_assay(arguments) else None
    if arguments.json:
        further = {} if report is None else {"assay": report.to_dict()}
        reviewed = {} if page is None else {"review": str(page.path)}
        print_json(saved.to_dict() | further | reviewed)
    else:
        folders = [] if report is None else [ASSAY_FOLDER]
        print(*(each for each in (saved, report) if each is not None), sep="\n\n")
        print(f"Written to {arguments.out}: {', '.join([*saved.files, *folders])}")
        if page is not None:
            print(page)
    return 0


def _detect(
    fields: "FieldSet", arguments: argparse.Namespace
) -> "tuple[Cells, SavedResults, ReviewPage | None]":
    from nucrec.fields import detect, save_results

    common: dict[str, Any] = {"n_jobs": arguments.n_jobs, "progress": not arguments.quiet}
    detector = _detector(arguments.detector)
    cells = detect(
        fields,
        detector,
        diameter_ratio=(1 / 16, 1 / 3) if arguments.humn else None,
        out=arguments.out,
        write_labels=True,  # pictures are drawn from them
        overwrite=arguments.overwrite,
        **common,
    )
    name = "the sample fields" if arguments.example else Path(arguments.data).name
    title = f"Micronuclei in {name or arguments.data}"
    page = None if arguments.review is None else _review(arguments, cells, fields, detector, title)
    saved = save_results(
        cells,
        fields,
        arguments.out,
        detector=detector,
        title=title,
        labels=arguments.labels,
        links=links_of(arguments),
        **common,
    )
    return cells, saved, page


def _review(
    arguments: argparse.Namespace,
    cells: "Cells",
    fields: "FieldSet",
    detector: "FieldDetector",
    title: str,
) -> "ReviewPage":
    from nucrec.fields import review

    return review(
        cells,
        fields,
        Path(arguments.out) / REVIEW,
        n=arguments.review,
        labels=arguments.out,
        detector=detector,
        title=title,
        progress=not arguments.quiet,
    )


def _fields(arguments: argparse.Namespace) -> "FieldSet":
    from nucrec.fields import load_fields, sample_fields

    if arguments.example == (arguments.data is not None):
        raise InvalidParameterError(
            "PLATE and --example exclude each other: give either one"
            if arguments.example
            else "PLATE: give a folder of fields of view, or --example for the sample fields"
        )
    if arguments.example:
        names = ("masks", "layout", "channel", "pixel_size")
        given = [name for name in names if getattr(arguments, name) is not None]
        if given:
            option = given[0].replace("_", "-")
            raise InvalidParameterError(f"--{option} cannot be combined with --example")
        return sample_fields().fields
    check_input("PLATE", arguments.data, "fields")
    check_input("--masks", arguments.masks, "masks")
    check_input("--layout", arguments.layout, "table")
    _check_apart("fields", arguments.data, arguments.out)
    if arguments.masks is not None:
        _check_apart("masks", arguments.masks, arguments.out)
    return load_fields(
        arguments.data,
        channel=arguments.channel,
        pixel_size=arguments.pixel_size,
        masks=arguments.masks,
        layout=arguments.layout,
    )


def _detector(path: str | None) -> "FieldDetector":
    from nucrec.fields import FieldDetector

    return FieldDetector.pretrained() if path is None else FieldDetector.load(path)


def _check_apart(kind: str, data: str, out: str) -> None:
    """Raise if the pictures that are written would be read as fields or masks the next time."""
    read, written = (Path(name).expanduser().resolve() for name in (data, out))
    if written.is_relative_to(read):
        raise InvalidParameterError(
            f"--out: {out} is inside the folder of the {kind}, {data}, so its pictures would be read "
            f"as {kind} the next time. Choose a folder outside it."
        )
