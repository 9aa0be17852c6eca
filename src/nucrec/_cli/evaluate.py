"""The command `nucrec evaluate`."""

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucrec._cli.command import add_channel, add_command, add_labelled, names_of_classes
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, file_to_write

if TYPE_CHECKING:
    from nucrec.datasets import ImageDataset

DESCRIPTION = """\
Evaluate a saved model on labelled images: accuracy, precision, recall, F1, Matthews correlation
coefficient, Cohen's kappa and area under the ROC curve with intervals, the confusion matrix, the
calibration error, and the results by group. It says so if the model was trained on some of the images.

With -o, these files are written to a folder:

  report.html      all of this, ROC, precision-recall and calibration curves, misclassified images
  predictions.csv  one row for each image: its true and its predicted class, and probabilities
  metrics.csv      the metrics, unrounded
  groups.csv       one row for each group, if images share one
"""
EXAMPLES = """\
examples:
  nucrec evaluate model.keras labelled
  nucrec evaluate model.keras labelled.csv --group-by slide -o evaluation
  nucrec evaluate model.keras labelled --classes normal,MN --html evaluation.html
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "evaluate a saved model on labelled images"
    command = add_command(commands, "evaluate", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("model", metavar="MODEL", help="a file that nucrec saved, or pretrained")
    add_labelled(command, classes="the images' classes, in the order of the model's")
    add_channel(command)
    add("-o", "--out", metavar="FOLDER", help="write the page and the tables to this folder")
    add(
        "--html",
        type=file_to_write(".html"),
        metavar="FILE",
        help="write the page alone, a name ending in .html",
    )
    add(
        "--confidence",
        type=float,
        default=0.95,
        metavar="C",
        help="confidence level of the intervals, between 0 and 1 (default: 0.95)",
    )
    add("--json", action="store_true", help="print all numbers as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print the report and return the exit code."""
    from nucrec.models import Evaluation, load

    writes = {"--out": arguments.out, "--html": arguments.html}
    check_outputs([arguments.model, arguments.data], writes)
    model = load(arguments.model)
    classes = names_of_classes(arguments)
    found = Evaluation.of(
        model, _images(arguments), classes=classes, confidence=arguments.confidence
    )
    title = f"{Path(arguments.model).name} on {Path(arguments.data).name or arguments.data}"
    written = []
    if arguments.out is not None:
        written += [path.name for path in found.save(arguments.out, title)]
    if arguments.html is not None:
        found.save_html(arguments.html, title)
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(found)
        if written:
            print(f"\nWritten to {arguments.out}: {', '.join(written)}")
        if arguments.html is not None:
            print(f"\nWritten to {arguments.html}")
    return 0


def _images(arguments: argparse.Namespace) -> "ImageDataset":
    from nucrec.datasets import load_folder

    with warnings.catch_warnings():
        # the model says which class is the positive one
        warnings.filterwarnings("ignore", "the names of the classes do not say")
        return load_folder(
            arguments.data,
            group_by=arguments.group_by,
            class_names=names_of_classes(arguments),
            channel=arguments.channel,
        )
