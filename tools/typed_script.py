"""What a type checker sees of the installed package: nothing is run here."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import nucrec
from nucrec.audit import DuplicatePairs, LeakageReport, duplicates, leakage
from nucrec.augment import Flip, Pipeline, Rotate, paper_pipeline
from nucrec.datasets import ImageDataset, folds, load_folder, load_mnfinder_crops, split
from nucrec.evaluate import Comparison, Metric, Report, compare, report
from nucrec.models import (
    FolderPredictions,
    ImageClassifier,
    ModelInfo,
    ZooResult,
    classical_zoo,
    cnn,
    model_info,
    predict_folder,
    run_zoo,
    transfer,
)
from nucrec.paper import Reproduction, reproduce

crops = assert_type(load_mnfinder_crops("paper"), ImageDataset)
train, test = assert_type(split(crops, random_state=0), tuple[ImageDataset, ImageDataset])
assert_type(train.labels, npt.NDArray[np.int64])
assert_type(train[train.groups == "a"], ImageDataset)
assert_type(load_folder("cells"), ImageDataset)
pipeline = Pipeline([Flip(), Rotate((-180, 180))], random_state=0)
assert_type(pipeline.expand(train, copies=2), ImageDataset)
assert_type(paper_pipeline(), Pipeline)
assert_type(duplicates(crops), DuplicatePairs)
assert_type(leakage(train, test), LeakageReport)
for larger, smaller in folds(crops, 3, random_state=0):
    assert_type((larger, smaller), tuple[ImageDataset, ImageDataset])

rows = assert_type(run_zoo(classical_zoo(random_state=0), train, test), ZooResult)
assert_type(rows.metric("ET", "ACC"), Metric | None)
model = assert_type(cnn(image_size=32, random_state=0), ImageClassifier)
assert_type(model.fit(train, validation=test), ImageClassifier)
scores = assert_type(model.predict_proba(test), npt.NDArray[Any])
found = assert_type(report(test.labels, scores.argmax(1), scores), Report)
assert_type(found.to_markdown(), str)
assert_type(compare(test.labels, scores.argmax(1), test.labels), Comparison)
assert_type(transfer(precision="bfloat16"), ImageClassifier)
assert_type(model_info("model.keras"), ModelInfo)
assert_type(predict_folder(model, "plate", "predictions.csv"), FolderPredictions)
assert_type(reproduce(tables=1), Reproduction)

# what is wrong is seen, too: a comment on a line without an error would be an error itself
transfer(precision="float16")  # type: ignore[arg-type]
load_mnfinder_crops("half")  # type: ignore[arg-type]
report(test.labels)  # type: ignore[call-arg]
nucrec.nothing  # type: ignore[attr-defined]
