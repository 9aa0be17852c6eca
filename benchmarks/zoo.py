"""The classical classifiers on 306 images."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from lazypredict.Supervised import LazyClassifier

from benchmarks.timing import Comparison
from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import PixelFeatures, classical_zoo, run_zoo


def comparisons() -> Iterator[Comparison]:
    """Yield `run_zoo` against lazypredict with the same models."""
    train, test = split(load_mnfinder_crops("paper"), random_state=0)
    zoo = classical_zoo(random_state=0)
    for name in ("VC", "QDA"):  # lazypredict makes its models without the parameters these need
        del zoo[name]

    def ours() -> None:
        result = run_zoo(zoo, train, test)
        assert not result.failures

    def theirs() -> None:
        pixels = PixelFeatures().fit(train)
        kinds = [type(model.steps[-1][1]) for model in zoo.values()]
        lazy = LazyClassifier(verbose=0, ignore_warnings=False, classifiers=kinds)
        X_train, X_test = pixels.transform(train), pixels.transform(test)
        with _quiet():
            found, _ = lazy.fit(X_train, X_test, train.labels, test.labels)
        assert len(found) == len(zoo)

    work = f"{len(zoo)} classifiers, all but VC and QDA, on {len(train)} + {len(test)} crops"
    yield Comparison(work, "lazypredict, defaults", ours, theirs, 5, goal=1 / 0.6)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep away progress and warnings."""
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
