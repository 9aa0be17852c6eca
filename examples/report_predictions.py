"""Report on predictions, with intervals that know that images of one field are not independent."""

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.evaluate import report
from nucrec.models import classical_zoo

train, test = split(load_mnfinder_crops("all"), random_state=0)
model = classical_zoo(random_state=0)["ET"].fit(train, train.labels)
found = report(
    test.labels,
    model.predict(test),
    model.predict_proba(test)[:, 1],
    class_names=test.class_names,
    groups=test.groups,
)
print(found)
