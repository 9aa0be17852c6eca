"""Report on predictions, with intervals that know that images of one field are not independent."""

import matplotlib.pyplot as plt

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.evaluate import (
    CalibrationDisplay,
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
)
from nucrec.models import classical_zoo, evaluate

train, test = split(load_mnfinder_crops("all"), random_state=0)
model = classical_zoo(random_state=0)["ET"].fit(train, train.labels)
found = evaluate(model, test)
print(found)

figure, axes = plt.subplots(2, 2, figsize=(10, 9.5), layout="constrained")
ConfusionMatrixDisplay.from_report(found).plot(ax=axes[0, 0])
answers = (test.labels, model.predict_proba(test), test.class_names, test.groups)
RocCurveDisplay.from_predictions(*answers).plot(ax=axes[0, 1])
PrecisionRecallDisplay.from_predictions(*answers).plot(ax=axes[1, 0])
CalibrationDisplay.from_predictions(*answers).plot(ax=axes[1, 1])
figure.savefig("report.png")
