"""The command `nucrec predict`."""

import argparse
from typing import Any

from nucrec._cli.command import (
    FormerName,
    add_channel,
    add_command,
    add_output_options,
)
from nucrec._cli.inputs import check_input, check_order
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs, table_to_write
from nucrec._cli.parser import number, whole_number
from nucrec.errors import InvalidParameterError

DESCRIPTION = """\
Predict the class of every image in a folder, at any depth, with a saved model. The table that is
written has one row for each image: file, predicted class, probability of each class, and any
property that is unlike the training images. The number and the share of images of the positive
class are printed for each folder, with the interval; for a calibrated network, the share is also
corrected for its errors.

The model is a file that nucrec saved, or the word "pretrained": the classifier of crops of single
cells that ships with nucrec.

For very many images: with --shard-size or --scheduler the table is written in parts, to a folder,
and the same command continues where it was interrupted. Start a Dask cluster with 'dask scheduler'
on one machine and 'dask worker ADDRESS --nthreads 1' on each machine that computes; all of them
must see the images and the output under the same paths.
"""
EXAMPLES = """\
examples:
  nucrec predict pretrained plate-7 -o predictions.csv
  nucrec predict model.keras plate-7.zip -o predictions.csv --html report.html
  nucrec predict model.keras plate-7 -o predictions.csv --error-rate 0.05
  nucrec predict model.keras /data/screen -o /data/tables --scheduler tcp://10.0.0.1:8786
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "predict the class of each image in a folder, with a saved model or the one that ships"
    command = add_command(commands, "predict", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("model", metavar="MODEL", help="a file that nucrec saved, or pretrained")
    add("data", metavar="FOLDER", help="images at any depth of a folder, or a zip of it")
    add(
        *("-o", "--out"),
        required=True,
        type=table_to_write,
        metavar="OUT",
        help="the table to write, as CSV; with shards, the folder for its parts",
    )
    add_channel(command)
    add(
        "--html",
        metavar="FILE",
        help="write a page as well: the model, plate maps, and doubtful and confident images to label",
    )
    add(
        "--html-images",
        type=whole_number,
        default=120,
        metavar="N",
        help="the largest number of images that the page shows (default: 120)",
    )
    _add_review(command)
    _add_shards(command)
    add_output_options(command, "the summary")


def _add_review(command: Any) -> None:
    review = command.add_mutually_exclusive_group().add_argument
    review(
        "--error-rate",
        type=number,
        metavar="RATE",
        help="mark images for review by a person, so that the model decides at most this share of the "
        "images of each class wrongly, such as 0.05 (default: mark none)",
    )
    review("--ask-below", dest="error_rate", action=FormerName, type=number, help=argparse.SUPPRESS)


def _add_shards(command: Any) -> None:
    add = command.add_argument
    add(
        "--shard-size",
        type=whole_number,
        metavar="N",
        help="write the table in parts of N images (default with --scheduler: 10240)",
    )
    add("--scheduler", metavar="ADDRESS", help="predict on the workers of this Dask cluster")


def run(arguments: argparse.Namespace) -> int:
    """Predict, print the summary and return the exit code."""
    from nucrec.models import predict_folder, predict_shards

    check_order("predict", arguments.model, arguments.data)
    check_input("MODEL", arguments.model, "model")
    check_input("FOLDER", arguments.data, "images")
    writes = {"--out": arguments.out, "--html": arguments.html}
    check_outputs("predict", [arguments.model, arguments.data], writes)
    common: dict[str, Any] = {
        "channel": arguments.channel,
        "error_rate": arguments.error_rate,
        "progress": not arguments.quiet,
    }
    if arguments.scheduler is None and arguments.shard_size is None:
        common |= {"html": arguments.html, "html_images": arguments.html_images}
        found = predict_folder(arguments.model, arguments.data, arguments.out, **common)
    elif arguments.html is not None:
        raise InvalidParameterError(
            "--html needs a single table: leave out --shard-size and --scheduler, or --html"
        )
    else:
        files = (arguments.model, arguments.data, arguments.out)
        if arguments.shard_size is not None:
            common["shard_size"] = arguments.shard_size
        found = predict_shards(*files, scheduler=arguments.scheduler, **common)
    in_options = str(found).replace("channel='blue'", "--channel blue")
    print_json(found.to_dict()) if arguments.json else print(in_options)
    if not arguments.json:
        print(f"Written to {found.path}" + (f" and {arguments.html}" if arguments.html else ""))
    return 0
