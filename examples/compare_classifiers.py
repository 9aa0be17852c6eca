"""Compare the eleven classical classifiers on fields of view that they were not trained on."""

from nucrec.augment import paper_pipeline
from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import ZooDisplay, classical_zoo, run_zoo

train, test = split(load_mnfinder_crops(), random_state=0)
train = paper_pipeline(random_state=0).expand(train, copies=2)
result = run_zoo(classical_zoo(random_state=0), train, test, timeout=300)
print(result)
ZooDisplay.from_result(result, metric="MC").plot().figure_.savefig("classifiers.png")
