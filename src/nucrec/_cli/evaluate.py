"""The command `nucrec evaluate`."""

import argparse
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucrec._cli.command import (
    add_command,
    add_confidence,
    add_labelled,
    add_output_options,
)
from nucrec._cli.inputs import check_input, check_order
from nucrec._cli.output import print_json
from nucrec._cli.outputs import (
    check_outputs,
    check_page,
    folder_to_write,
    page_to_write,
)
from nucrec._written import EVALUATION, check_not_replaced
from nucrec.errors import InvalidParameterError

if TYPE_CHECKING:
    from nucrec.datasets import ImageDataset

DESCRIPTION = """\
Evaluate a saved model on labelled images that it was not trained on. Printed are accuracy,
precision, recall, F1, Matthews correlation coefficient (MCC), Cohen's kappa and the area under the
ROC curve (AUC), each with its interval, the confusion matrix, the calibration error, and the
results by group. A note tells whether the model was trained on some of the images. The word
"pretrained" stands for the model that ships with nucrec.

With -o, these files are written to a folder:

  report.html      all of this, with ROC, precision-recall and calibration curves, and the misclassified
                   images, those of a network with heat maps
  predictions.csv  one row for each image: true class, predicted class, probabilities
  metrics.csv      the metrics, unrounded
  groups.csv       one row for each group, if images share groups
"""
EXAMPLES = """\
examples:
  nucrec evaluate model.keras labelled
  nucrec evaluate model.keras labelled.csv --group-by slide -o evaluation
  nucrec evaluate model.keras corrected.csv --images plate-7
  nucrec evaluate model.keras labelled --classes normal,MN --html evaluation.html
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "evaluate a saved model on labelled images"
    command = add_command(commands, "evaluate", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("model", metavar="MODEL", help="a file that nucrec saved, or pretrained")
    add_labelled(command, classes="the classes of the images, in the order of the model's")
    add(
        *("-o", "--out"),
        type=folder_to_write,
        metavar="FOLDER",
        help="write the page and the tables to this folder",
    )
    add(
        "--html",
        type=page_to_write,
        metavar="FILE",
        help="write the page alone; its name ends in .html",
    )
    add_confidence(command)
    add_output_options(command, "all numbers")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print the report and return the exit code."""
    from nucrec.models import Evaluation, load

    check_order("evaluate", arguments.model, arguments.data)
    check_input("MODEL", arguments.model, "model")
    check_input("LABELLED", arguments.data, "labelled")
    check_input("--images", arguments.images, "folder")
    check_page("--html", arguments.html, arguments.out)
    reads = [arguments.model, arguments.data, *filter(None, [arguments.images])]
    check_outputs("evaluate", reads, {"--out": arguments.out, "--html": arguments.html})
    if arguments.out is not None:
        check_not_replaced("--out", arguments.out, EVALUATION, reads)
    model, images = load(arguments.model), _images(arguments)
    options = {"classes": arguments.classes, "confidence": arguments.confidence}
    try:
        found = Evaluation.of(model, images, **options)
    except InvalidParameterError as error:  # "images" is the option --images only while loading
        raise InvalidParameterError(re.sub("^images: ", "LABELLED: ", str(error))) from error
    title = f"{Path(arguments.model).name} on {Path(arguments.data).name or arguments.data}"
    written = []
    if arguments.out is not None:
        files = ", ".join(path.name for path in found.save(arguments.out, title, model=model))
        written.append(f"Written to {arguments.out}: {files}")
    if arguments.html is not None:
        written.append(f"Written to {found.save_html(arguments.html, title, model=model)}")
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(found, *written, sep="\n\n")
    return 0


def _images(arguments: argparse.Namespace) -> "ImageDataset":
    from nucrec.datasets import load_folder

    with warnings.catch_warnings():
        # the model says which class is the positive one
        warnings.filterwarnings("ignore", "the names of the classes do not say")
        return load_folder(
            arguments.data,
            group_by=arguments.group_by,
            class_names=arguments.classes,
            channel=arguments.channel,
            images=arguments.images,
            allow_absent=True,
        )
