"""Fine-tuning InceptionResNetV2 at 150 pixels: images a second, and time to the first step."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np

from benchmarks.limits import has_bfloat16, operations, products
from benchmarks.timing import Comparison, fresh_process
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import ImageClassifier

NAME, SIZE, BATCH, STEPS = "inception-resnet-v2", 150, 16, 8

Ends: TypeAlias = tuple[float, list[float]]
"""When the first step ended, and when each step of the whole network did."""


def comparisons() -> Iterator[Comparison]:
    """Yield `ImageClassifier` against `keras.Model.fit`."""
    crops = load_mnfinder_crops("paper")[: BATCH * STEPS]
    n = BATCH * (STEPS - 1)
    ours, theirs = _Runs(_nucrec, crops), _Runs(_keras, crops)
    work = f"fine-tuning InceptionResNetV2, {SIZE} pixels, batches of {BATCH}"
    peer = "`keras.Model.fit`"
    backbone = keras.applications.InceptionResNetV2(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    # the gradient of a product of matrices is two more
    most = ("matrix products", products(3 * operations(backbone) * n))
    goal = 1.3 if has_bfloat16() else None
    yield Comparison(work, peer, ours.steps, theirs.steps, 3, n, goal, most, warm=False)
    first = f"{work}: time to the first step of any training"
    yield Comparison(first, peer, ours.first_step, theirs.first_step, 3, goal=2, warm=False)


class _Runs:
    """Trainings of one kind, each in a fresh process: the times of their steps."""

    def __init__(self, train: Callable[[ImageDataset], Ends], crops: ImageDataset) -> None:
        self._work = train, crops
        self._first: list[float] = []

    def steps(self) -> float:
        """Train, and return the seconds of all steps but the first, which compiles."""
        with fresh_process() as process:
            first, others = process.submit(_times, *self._work).result()
        self._first.append(first)
        return others

    def first_step(self) -> float:
        """Return how long the first step took, from the call on, in one of the trainings."""
        return self._first.pop(0)


def _times(train: Callable[[ImageDataset], Ends], crops: ImageDataset) -> tuple[float, float]:
    """Return the seconds to the end of the first step, and those of all others."""
    started = time.perf_counter()
    first, ends = train(crops)
    return first - started, ends[-1] - ends[0]


def _nucrec(crops: ImageDataset) -> Ends:
    """Train; the first step is one of the classes on cached features."""
    ends: dict[str, list[float]] = {"head": [], "finetune": []}

    def show(done: int, total: int, what: str) -> None:
        if 0 < done <= total:
            ends[what.partition(",")[0]].append(time.perf_counter())

    classifier = ImageClassifier(
        NAME,
        weights=None,
        image_size=SIZE,
        batch_size=BATCH,
        epochs=1,
        random_state=0,
        precision="bfloat16" if has_bfloat16() else "float32",
        progress=show,
    )
    classifier.fit(crops)
    return ends["head"][0], ends["finetune"]


def _keras(crops: ImageDataset) -> Ends:
    ends: list[float] = []
    images = np.repeat(crops.to_array(SIZE, 1, "uint8"), 3, axis=3).astype(np.float32)

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    backbone = keras.applications.InceptionResNetV2(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )
    inputs = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(inputs)
    outputs = keras.layers.Dense(2, activation="softmax")(backbone(x))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy", metrics=["acc"])
    truth = np.eye(2, dtype=np.float32)[crops.labels]
    model.fit(images, truth, batch_size=BATCH, epochs=1, verbose=0, callbacks=[Clock()])
    return ends[0], ends
