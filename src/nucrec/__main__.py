"""The command line: thin calls of the public functions."""

import argparse
import json
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nucrec._version import __version__
from nucrec.errors import InvalidParameterError, NucrecError

_REPRODUCE = """\
Reproduce the paper's six tables and Figure 4, published beside obtained, on real micrographs.

Without options: all tables under both protocols, on the 306 crops that ship with nucrec. "paper"
augments first and then draws the test images at random, so that copies of one image are on both
sides; "honest" tests on fields of view that were not trained on, by cross-validation. Tables V
and VI need the extra "offline", the figure needs "plots": pip install "nucrec[offline,plots]".
"""
_REPRODUCE_EXAMPLES = """\
examples:
  nucrec reproduce
  nucrec reproduce --tables 1,2 --protocol honest
  nucrec reproduce --data ~/nucrec_data --out nucrec-results
  nucrec reproduce --preset full --tables 5,6 --out full
  nucrec reproduce --from-record results/run.json --out again
"""
_TRAIN = """\
Train a network on a folder with one sub-folder of images for each class, and save it to one file.

Some of the images are kept back; the report on them is printed, and probabilities are calibrated
with them. --test-size 0 trains on all. Images that belong together stay on one side: say which by
folders inside the class folders and --group-by folder, or in a CSV file (file,label,group).
"""
_TRAIN_EXAMPLES = """\
examples:
  nucrec train cells -o model.keras
  nucrec train cells -o model.keras --group-by folder
  nucrec train cells.csv -o model.keras --test-size 0 --epochs 20
  nucrec train cells -o model.keras --backbone inception-resnet-v2 --checkpoint unfinished
"""
_PREDICT = """\
Predict all images of a folder, at any depth, and write a table: file, predicted class, probability
of each class. Printed for each folder: number and share of images of the positive class, with its
interval.

With --shard-size or --scheduler the table is written in parts, to a folder, and the same command goes
on where it ended. Start a Dask cluster with 'dask scheduler' on one machine and, on each that computes,
'dask worker ADDRESS --nthreads 1'; all must see images and output under the same paths.
"""
_PREDICT_EXAMPLES = """\
examples:
  nucrec predict model.keras plate-7 -o predictions.csv
  nucrec predict model.keras plate-7.zip -o predictions.csv --json
  nucrec predict model.keras plate-7 -o predictions.csv --html report.html
  nucrec predict model.keras plate-7 -o predictions.csv --ask-below 0.05
  nucrec predict model.keras /data/screen -o /data/tables --scheduler tcp://10.0.0.1:8786
"""
_AUDIT = """\
Find images of a folder that show the same or almost the same: copies, re-encoded, resized, brighter,
flipped or turned ones, and windows that overlap. On both sides of a split they make any score too
good. The pairs are printed, and written as a picture, side by side.
"""
_AUDIT_EXAMPLES = """\
examples:
  nucrec audit cells
  nucrec audit cells.zip -o pairs.png --csv pairs.csv
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (failed) or 2 (usage)."""
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # what TensorFlow says while it starts
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return int(arguments.run(arguments))
    except InvalidParameterError as error:
        return _fail(error, 2)
    except NucrecError as error:
        return _fail(error, 1)
    except BrokenPipeError:
        # the reader of our output went away; nothing is left to be written to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(
            "\nnucrec: interrupted; files that were finished are complete, no half files are left",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nucrec",
        description="Tell nucleus from micronucleus in microscope images.",
        epilog="'nucrec COMMAND --help' tells more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"nucrec {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_reproduce(commands)
    _add_train(commands)
    _add_predict(commands)
    _add_audit(commands)
    return parser


def _add_command(commands: Any, name: str, about: str, description: str, examples: str) -> Any:
    return commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_reproduce(commands: Any) -> None:
    about = "reproduce the paper's tables, published beside obtained"
    command = _add_command(commands, "reproduce", about, _REPRODUCE, _REPRODUCE_EXAMPLES)
    command.set_defaults(run=_reproduce)
    add = command.add_argument
    add("--tables", default="all", metavar="N,N", help="table numbers, such as 1,2 (default: all)")
    add("--protocol", choices=("paper", "honest", "both"), default="both", help="(default: both)")
    add(
        "--preset",
        choices=("quick", "full"),
        default="quick",
        help="quick: minutes on a laptop; full: the paper's network and epochs, resumable (quick)",
    )
    add(
        "--data", metavar="PATH", help="NucRec or class folder, zip or CSV (default: shipped crops)"
    )
    add("--out", default="results", metavar="FOLDER", help="where to write (default: results)")
    add(
        "--from-record",
        metavar="FILE",
        help="repeat the run of a run.json, with its parameters, and compare the numbers",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of everything (default: 0)")
    add(
        "--repeats",
        type=int,
        default=2,
        metavar="N",
        help="how many times the honest protocol draws its three folds (default: 2)",
    )
    add("--jobs", type=int, metavar="N", help="classifiers at a time (default: one for each core)")
    add("--timeout", type=float, default=600.0, metavar="S", help="seconds for a classifier (600)")
    add("--json", action="store_true", help="print the run record as JSON instead of the tables")
    add("--quiet", action="store_true", help="no progress on standard error")


def _add_train(commands: Any) -> None:
    about = "train a network on a folder of images and save it"
    command = _add_command(commands, "train", about, _TRAIN, _TRAIN_EXAMPLES)
    command.set_defaults(run=_train)
    add = command.add_argument
    add(
        "data", metavar="FOLDER", help="one sub-folder for each class, a zip of that, or a CSV file"
    )
    add(
        *("-o", "--out"),
        required=True,
        type=_model_file,
        metavar="FILE",
        help="the model, a name ending in .keras",
    )
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
    add("--seed", type=int, default=0, metavar="N", help="seed of everything (default: 0)")
    add("--checkpoint", metavar="FOLDER", help="keep the state here; the same call goes on from it")
    add("--json", action="store_true", help="print the report as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def _model_file(name: str) -> str:
    """Return the name of a file to save to, or refuse it before the training rather than after."""
    path = Path(name).expanduser()
    if path.suffix != ".keras":
        raise argparse.ArgumentTypeError(f"expected a name that ends in .keras, received {name!r}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return name


def _add_predict(commands: Any) -> None:
    about = "predict a folder of images with a saved model"
    command = _add_command(commands, "predict", about, _PREDICT, _PREDICT_EXAMPLES)
    command.set_defaults(run=_predict)
    add = command.add_argument
    add("model", metavar="MODEL", help="a file that nucrec saved")
    add("data", metavar="FOLDER", help="images at any depth, or a zip of them")
    add("-o", "--out", required=True, metavar="OUT", help="the table to write, CSV, or its folder")
    add("--html", metavar="FILE", help="write a page as well: counts, and the doubtful images")
    add(
        "--html-images",
        type=int,
        default=60,
        metavar="N",
        help="how many images the page shows at most (default: 60)",
    )
    add("--scheduler", metavar="ADDRESS", help="predict in shards on the workers of a Dask cluster")
    add("--shard-size", type=int, metavar="N", help="images in a shard (default: 10240)")
    add(
        "--ask-below",
        type=float,
        metavar="RATE",
        help="mark the images that a person should decide, so that the model loses at most this "
        "share of the images of each class, such as 0.05",
    )
    add("--json", action="store_true", help="print the summary as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def _add_audit(commands: Any) -> None:
    about = "find images that show the same"
    command = _add_command(commands, "audit", about, _AUDIT, _AUDIT_EXAMPLES)
    command.set_defaults(run=_audit)
    add = command.add_argument
    add("data", metavar="FOLDER", help="images at any depth, or a zip of them")
    add(
        *("-o", "--out"),
        default="duplicates.png",
        metavar="FILE",
        help="the picture of the pairs, if there are any (default: duplicates.png)",
    )
    add("--csv", metavar="FILE", help="write all pairs as a table")
    add(
        "--similarity",
        type=float,
        default=0.965,
        metavar="S",
        help="smallest correlation of two whole images (default: 0.965)",
    )
    add(
        "--min-overlap",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="smallest share of the smaller of two windows (default: 0.5)",
    )
    add("--json", action="store_true", help="print the pairs as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def _reproduce(arguments: argparse.Namespace) -> int:
    from nucrec.paper import reproduce

    if arguments.from_record is not None:
        return _repeat(arguments)
    result = reproduce(
        data=arguments.data,
        tables=arguments.tables,
        preset=arguments.preset,
        protocol=arguments.protocol,
        out=arguments.out,
        random_state=arguments.seed,
        n_repeats=arguments.repeats,
        n_jobs=arguments.jobs,
        timeout=arguments.timeout,
        progress=not arguments.quiet,
    )
    if arguments.json:
        sys.stdout.write(result.files[-1].read_text(encoding="utf-8"))
    else:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6
        print(result.to_text(columns))
        print(f"\nWritten to {result.files[-1].parent}, with intervals: ", end="")
        print(", ".join(path.name for path in result.files))
    for reason in result.missing:
        print(f"nucrec: missing: {reason}", file=sys.stderr)
    return 1 if result.record["failures"] and result.missing else 0


def _repeat(arguments: argparse.Namespace) -> int:
    from nucrec.paper import repeat

    found = repeat(
        arguments.from_record,
        arguments.data,
        arguments.out,
        n_jobs=arguments.jobs,
        progress=not arguments.quiet,
    )
    if arguments.json:
        _print_json(found.to_dict())
    else:
        print(found)
    return 0 if found.agrees else 1


def _print_json(value: dict[str, Any]) -> None:
    """Print plain dicts, lists and numbers; undefined numbers become null."""
    print(json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None), indent=2))


def _train(arguments: argparse.Namespace) -> int:
    from nucrec.datasets import load_folder, split
    from nucrec.evaluate import calibration_error, report
    from nucrec.models import ImageClassifier

    classifier = ImageClassifier(
        arguments.backbone,
        weights=None if arguments.weights == "none" else arguments.weights,
        image_size=arguments.image_size,
        epochs=arguments.epochs,
        random_state=arguments.seed,
        progress=not arguments.quiet,
    )
    images = load_folder(arguments.data, group_by=arguments.group_by)
    train, test = images, None
    if arguments.test_size:
        train, test = split(images, arguments.test_size, random_state=arguments.seed)
    classifier.fit(train, checkpoint_dir=arguments.checkpoint)
    found = error = None
    if test is not None:
        scores = classifier.predict_proba(test)
        names, groups = test.class_names, test.shared_groups
        found = report(test.labels, scores.argmax(1), scores, names, groups)
        error = calibration_error(test.labels, scores, names, groups)
        classifier.calibrate(test)
    classifier.save(arguments.out)
    if arguments.json:
        told = {"model": arguments.out, "report": found and found.to_dict()}
        _print_json({**told, "calibration_error": error and asdict(error)})
        return 130 if classifier.interrupted_ else 0
    print(f"Trained on {train}; saved to {arguments.out}")
    if found is not None and error is not None:
        print(f"\nOn images kept back:\n\n{found}\n")
        print(f"Calibration error {error}, before probabilities were calibrated with these images")
    return 130 if classifier.interrupted_ else 0


def _predict(arguments: argparse.Namespace) -> int:
    from nucrec.models import load, predict_folder, predict_shards

    show = not arguments.quiet
    common: dict[str, Any] = {"ask_below": arguments.ask_below, "progress": show}
    if arguments.scheduler is None and arguments.shard_size is None:
        common |= {"html": arguments.html, "html_images": arguments.html_images}
        model = load(arguments.model)
        found = predict_folder(model, arguments.data, arguments.out, **common)
    elif arguments.html is not None:
        raise InvalidParameterError("--html goes with one table: leave out the shards, or --html")
    else:
        files = (arguments.model, arguments.data, arguments.out)
        if arguments.shard_size is not None:
            common["shard_size"] = arguments.shard_size
        found = predict_shards(*files, scheduler=arguments.scheduler, **common)
    _print_json(found.to_dict()) if arguments.json else print(found)
    if not arguments.json:
        print(f"Written to {found.path}" + (f" and {arguments.html}" if arguments.html else ""))
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from nucrec.audit import duplicates, save_contact_sheet
    from nucrec.datasets import load_images

    images = load_images(arguments.data)
    show = not arguments.quiet
    found = duplicates(images, arguments.similarity, arguments.min_overlap, progress=show)
    _print_json(found.to_dict()) if arguments.json else print(found)
    written = [arguments.csv] if arguments.csv else []
    if arguments.csv:
        found.save_csv(arguments.csv)
    if len(found):
        written.append(str(save_contact_sheet(found, arguments.out, images)))
    if written and not arguments.json:
        print(f"\nWritten to {' and '.join(written)}")
    return 0


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as one line, without the place in the code that it comes from."""
    print(f"nucrec: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(error: NucrecError, code: int) -> int:
    print(f"nucrec: {' '.join(str(error).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
