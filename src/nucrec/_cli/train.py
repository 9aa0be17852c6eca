"""The command `nucrec train`."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nucrec._cli.command import add_command, add_labelled, add_output_options, add_seed
from nucrec._cli.inputs import check_input
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, file_to_write
from nucrec._cli.parser import number, whole_number

if TYPE_CHECKING:
    from nucrec.datasets import ImageDataset
    from nucrec.models import Evaluation, ImageClassifier

DESCRIPTION = """\
Train a network on labelled images, and save it to one file for nucrec predict and nucrec evaluate.

A fifth of the images is held out as a test set: progress shows the accuracy on them, the report on
them is printed, and then the probabilities are calibrated with them. Images that belong together, such
as those of a slide, must not be in both the training and the test set: --group-by names them. With
--test-size 0, the network is trained on all images, and there is no report.
"""
EXAMPLES = """\
examples:
  nucrec train cells -o model.keras --group-by folder
  nucrec train cells.csv -o model.keras --group-by slide --html training.html
  nucrec train cells -o model.keras --test-size 0 --epochs 20
  nucrec train corrected.csv --images plate-7 --test-size 0 -o corrected.keras
  nucrec train cells -o model.keras --backbone inception-resnet-v2 --checkpoint unfinished
"""

_INTERRUPTED = (
    "the training was interrupted, and the weights with the smallest loss on these images were kept, "
    "so these metrics are too good"
)


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "train a network on labelled images, test it and save it"
    command = add_command(commands, "train", run, about, DESCRIPTION, EXAMPLES)
    add_labelled(command, classes="the classes to train on, the positive one last")
    _add_writing(command)
    _add_network(command.add_argument_group("the network and its training"))
    _add_test(command.add_argument_group("the test"))


def _add_writing(command: Any) -> None:
    command.add_argument(
        *("-o", "--out"),
        required=True,
        type=file_to_write(".keras"),
        metavar="FILE",
        help="the file of the model; its name ends in .keras",
    )
    command.add_argument(
        "--html",
        type=file_to_write(".html"),
        metavar="FILE",
        help="write a page as well: the training by epoch, the test report, the held-out groups, and "
        "the misclassified images with heat maps; its name ends in .html",
    )
    add_output_options(command, "the test report")


def _add_network(group: Any) -> None:
    add = group.add_argument
    add(
        "--backbone",
        default="efficientnet-lite0",
        metavar="NAME",
        help="efficientnet-lite0 (default), inception-resnet-v2, efficientnet-v2-b0, resnet50, "
        "mobilenet-v3-large, densenet121, or cnn (small, not pre-trained)",
    )
    add(
        "--weights",
        default="imagenet",
        metavar="WHICH",
        help="initial weights of a pre-trained network: imagenet (default), none, or a file",
    )
    add(
        "--mode",
        choices=("finetune", "features"),
        default="finetune",
        help="finetune trains the whole network, features its classification head only (default: "
        "finetune)",
    )
    add(
        "--image-size",
        type=whole_number,
        metavar="N",
        help="height and width that images are resized to, in pixels (default: that of the "
        "backbone)",
    )
    add("--epochs", type=whole_number, metavar="N", help="epochs (default: that of the backbone)")
    add_seed(group, "the test images and of the training")
    add(
        "--checkpoint",
        metavar="FOLDER",
        help="save the state of the training here after each epoch; the same command resumes it",
    )


def _add_test(group: Any) -> None:
    group.add_argument(
        "--test-size",
        type=number,
        default=0.2,
        metavar="SHARE",
        help="share of the images to hold out for the test, below 1; 0 trains on all (default: 0.2)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, print the report and return the exit code."""
    from nucrec.datasets import load_folder, split

    check_input("LABELLED", arguments.data, "labelled")
    check_input("--images", arguments.images, "folder")
    weights = None if arguments.weights in ("imagenet", "none") else arguments.weights
    reads = [arguments.data, *filter(None, [arguments.images, weights])]
    check_outputs("train", reads, {"--out": arguments.out, "--html": arguments.html})
    train = load_folder(
        arguments.data,
        group_by=arguments.group_by,
        class_names=arguments.classes,
        channel=arguments.channel,
        images=arguments.images,
    )
    test = found = None
    if arguments.test_size:
        train, test = split(train, arguments.test_size, random_state=arguments.seed)
    checkpoint = arguments.checkpoint
    classifier = _network(arguments).fit(train, validation=test, checkpoint_dir=checkpoint)
    if test is not None:
        found = _evaluated(classifier, test)
        classifier.calibrate(test)
    classifier.save(arguments.out)
    if arguments.html is not None:
        _save_page(arguments, classifier, train, found)
    _print_json(arguments, found) if arguments.json else _print(arguments, train, found)
    return 130 if classifier.interrupted_ else 0


def _network(arguments: argparse.Namespace) -> "ImageClassifier":
    from nucrec.models import ImageClassifier

    return ImageClassifier(
        arguments.backbone,
        weights=None if arguments.weights == "none" else arguments.weights,
        mode=arguments.mode,
        image_size=arguments.image_size,
        epochs=arguments.epochs,
        random_state=arguments.seed,
        progress=not arguments.quiet,
    )


def _evaluated(classifier: "ImageClassifier", test: "ImageDataset") -> "Evaluation":
    """Return the evaluation, with a remark if the test images decided which weights were kept."""
    from nucrec.models import Evaluation

    found = Evaluation.of(classifier, test)
    if not classifier.interrupted_:
        return found
    remarks = (*found.report.data_remarks, _INTERRUPTED)
    return replace(found, report=replace(found.report, data_remarks=remarks))


def _save_page(
    arguments: argparse.Namespace,
    classifier: "ImageClassifier",
    train: "ImageDataset",
    found: "Evaluation | None",
) -> None:
    from nucrec.models import save_training_page

    title = f"Training of {Path(arguments.out).name}"
    save_training_page(classifier, arguments.html, found, train=train, title=title)


def _print_json(arguments: argparse.Namespace, found: "Evaluation | None") -> None:
    none = {"report": None, "calibration_error": None}
    told = none if found is None else found.to_dict()
    print_json({"model": arguments.out, **{name: told[name] for name in none}})


def _print(
    arguments: argparse.Namespace, train: "ImageDataset", found: "Evaluation | None"
) -> None:
    print(f"Trained on {train}; saved to {arguments.out}")
    if found is not None:
        print(f"\nOn held-out images:\n\n{found.report}\n")
        print(
            f"Calibration error {found.calibration_error}, before the probabilities were calibrated "
            "with these images"
        )
        if found.groups:
            print(f"\nHeld-out groups: {', '.join(sorted(group.group for group in found.groups))}")
    if arguments.html is not None:
        print(f"\nWritten to {arguments.html}")
