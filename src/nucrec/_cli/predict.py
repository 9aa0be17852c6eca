"""The command `nucrec predict`."""

import argparse
from typing import Any

from nucrec._cli.command import FormerName, add_channel, add_command
from nucrec._cli.output import print_json
from nucrec._cli.outputs import check_outputs
from nucrec.errors import InvalidParameterError

DESCRIPTION = """\
Predict all images of a folder, at any depth, and write a table: file, predicted class, probability
of each class, and in what an image is far from the training images. Printed for each folder: number
and share of images of the positive class, with its interval; of a calibrated network also the share
corrected for its errors.

The model is a file that nucrec saved, or the word "pretrained": the classifier of single-cell crops
that ships with nucrec, whatever files or folders of that name there are.

With --shard-size or --scheduler the table is written in parts, to a folder, and the same command goes
on where it ended. Start a Dask cluster with 'dask scheduler' on one machine and, on each that computes,
'dask worker ADDRESS --nthreads 1'; all must see images and output under the same paths.
"""
EXAMPLES = """\
examples:
  nucrec predict pretrained plate-7 -o predictions.csv
  nucrec predict model.keras plate-7 -o predictions.csv
  nucrec predict model.keras plate-7.zip -o predictions.csv --json
  nucrec predict model.keras plate-7 -o predictions.csv --html report.html
  nucrec predict model.keras plate-7 -o predictions.csv --error-rate 0.05
  nucrec predict model.keras /data/screen -o /data/tables --scheduler tcp://10.0.0.1:8786
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    about = "predict a folder of images with a saved model, or with the one that ships"
    command = add_command(commands, "predict", run, about, DESCRIPTION, EXAMPLES)
    add = command.add_argument
    add("model", metavar="MODEL", help="a file that nucrec saved, or pretrained")
    add("data", metavar="FOLDER", help="images at any depth, or a zip of them")
    add("-o", "--out", required=True, metavar="OUT", help="the table to write, CSV, or its folder")
    add_channel(command)
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
    review = command.add_mutually_exclusive_group().add_argument
    review(
        "--error-rate",
        type=float,
        metavar="RATE",
        help="mark the images that a person should decide, so that the model loses at most this "
        "share of the images of each class, such as 0.05",
    )
    review("--ask-below", dest="error_rate", action=FormerName, type=float, help=argparse.SUPPRESS)
    add("--json", action="store_true", help="print the summary as JSON")
    add("--quiet", action="store_true", help="no progress on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Predict, print the summary and return the exit code."""
    from nucrec.models import load, predict_folder, predict_shards

    writes = {"--out": arguments.out, "--html": arguments.html}
    check_outputs([arguments.model, arguments.data], writes)
    common: dict[str, Any] = {
        "channel": arguments.channel,
        "error_rate": arguments.error_rate,
        "progress": not arguments.quiet,
    }
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
    print_json(found.to_dict()) if arguments.json else print(found)
    if not arguments.json:
        print(f"Written to {found.path}" + (f" and {arguments.html}" if arguments.html else ""))
    return 0
