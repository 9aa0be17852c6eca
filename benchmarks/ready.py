"""Time the classifier that comes with nucrec: python -m benchmarks.ready.

Times are of the processor, summed over its cores: from nothing to the loaded classifier, and for 10,000
crops in a folder, of which 1000 are predicted.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from benchmarks.timing import markdown_table

N_PREDICTED, N_TOLD = 1000, 10_000


def main() -> None:
    """Print the table."""
    start = time.process_time()
    from nucrec.datasets import load_mnfinder_crops
    from nucrec.models import predict_folder, pretrained

    model = pretrained()
    rows = [["start and loading", _seconds(time.process_time() - start)]]
    crops = load_mnfinder_crops("all")[:N_PREDICTED]
    with tempfile.TemporaryDirectory() as name:
        for i, image in enumerate(crops.images):
            Image.fromarray(image).save(Path(name, f"{i}.png"))
        predict_folder(model, name, Path(name, "warm.csv"))  # compiles the network
        took = _time(lambda: predict_folder(model, name, Path(name, "out.csv")))
    rows.append([f"{N_TOLD:,} crops", _seconds(took * N_TOLD / N_PREDICTED)])
    print(markdown_table(["step", "processor time"], rows))


def _time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


if __name__ == "__main__":
    main()
