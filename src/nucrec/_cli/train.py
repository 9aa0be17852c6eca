"""The command `nucrec train`."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from nucrec._cli.command import add_command
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, file_to_write

if TYPE_CHECKING:
    from nucrec.datasets import ImageDataset
    from nucrec.evaluate import Metric, Report
    from nucrec.models import ImageClassifier

DESCRIPTION = """\
Train a network on a folder with one sub-folder of images for each class, and save it to one file.

Some of the images are kept back; the report on them is printed, and probabilities are calibrated
with them. --test-size 0 trains on all. Images that belong together stay on one side: say which by
folders inside the class folders and --group-by folder, or in a CSV file (file,label,group).
"""
EXAMPLES = """\
examples:
  nucrec train cells -o model.keras
  nucrec train cells -o model.keras --group-by folder
  nucrec train cells.csv -o model.keras --test-size 0 --epochs 20
  nucrec train cells -o model.keras --backbone inception-resnet-v2 --checkpoint unfinished
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "train a network on a folder of images and save it"
    command = add_command(commands, "train", run, about, DESCRIPTION, EXAMPLES)
    command.add_argument(
        "data", metavar="FOLDER", help="one sub-folder for each class, a zip of that, or a CSV file"
    )
    command.add_argument(
        *("-o", "--out"),
        required=True,
        type=file_to_write(".keras"),
        metavar="FILE",
        help="the model, a name ending in .keras",
    )
    _add_network(command.add_argument_group("the network and its training"))
    _add_test(command.add_argument_group("the test"))
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _add_network(group: Any) -> None:
    add = group.add_argument
    add(
        "--backbone",
        default="efficientnet-lite0",
        metavar="NAME",
        help="efficientnet-lite0 (default), inception-resnet-v2, efficientnet-v2-b0, resnet50, "
        "mobilenet-v3-large, densenet121, or cnn",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="WHICH",
        help="imagenet (default), none, or the path of a file",
    )
    add("--image-size", type=int, metavar="N", help="pixels (default: what suits the backbone)")
    add("--epochs", type=int, metavar="N", help="(default: the recipe's)")
    add("--seed", type=int, default=0, metavar="N", help="seed of everything (default: 0)")
    add("--checkpoint", metavar="FOLDER", help="keep the state here; the same call goes on from it")


def _add_test(group: Any) -> None:
    add = group.add_argument
    add(
        "--group-by",
        choices=("image", "folder"),
        default="image",
        help="folder: images in folders of one name belong together (default: image)",
    )
    add(
        "--test-size",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of the images to test on; 0 trains on all (default: 0.2)",
    )


class _Judgement(NamedTuple):
    """How good a network is on images that it was not trained on."""

    report: "Report"
    calibration_error: "Metric"


def run(arguments: argparse.Namespace) -> int:
    """Train, print the report and return the exit code."""
    from nucrec.datasets import load_folder, split

    check_outputs([arguments.data], {"--out": arguments.out})
    train, test = load_folder(arguments.data, group_by=arguments.group_by), None
    if arguments.test_size:
        train, test = split(train, arguments.test_size, random_state=arguments.seed)
    classifier = _network(arguments).fit(train, checkpoint_dir=arguments.checkpoint)
    judgement = None
    if test is not None:
        judgement = _judge(classifier, test)
        classifier.calibrate(test)
    classifier.save(arguments.out)
    if arguments.json:
        _print_json(arguments.out, judgement)
    else:
        print(f"Trained on {train}; saved to {arguments.out}")
        _print(judgement)
    return 130 if classifier.interrupted_ else 0


def _network(arguments: argparse.Namespace) -> "ImageClassifier":
    from nucrec.models import ImageClassifier

    return ImageClassifier(
        arguments.backbone,
        weights=None if arguments.weights == "none" else arguments.weights,
        image_size=arguments.image_size,
        epochs=arguments.epochs,
        random_state=arguments.seed,
        progress=not arguments.quiet,
    )


def _judge(classifier: "ImageClassifier", test: "ImageDataset") -> _Judgement:
    from nucrec.evaluate import calibration_error

    scores = classifier.predict_proba(test)
    error = calibration_error(test.labels, scores, test.class_names, test.groups)
    return _Judgement(classifier.evaluate(test), error)


def _print_json(model: str, judgement: _Judgement | None) -> None:
    told = {
        "report": judgement and judgement.report.to_dict(),
        "calibration_error": judgement and asdict(judgement.calibration_error),
    }
    print_json({"model": model, **told})


def _print(judgement: _Judgement | None) -> None:
    if judgement is None:
        return
    print(f"\nOn images kept back:\n\n{judgement.report}\n")
    print(
        f"Calibration error {judgement.calibration_error}, before probabilities were calibrated with "
        "these images"
    )
