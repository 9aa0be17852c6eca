"""Train a pre-trained network, test it on new fields of view, save it and load it again."""

from nucrec.datasets import load_mnfinder_crops, split
from nucrec.models import TrainingHistoryDisplay, load, transfer

train, test = split(load_mnfinder_crops(), random_state=0)
# mode="finetune", the default, is better and takes minutes
model = transfer(mode="features", image_size=128, random_state=0, progress=True)
model.fit(train, validation=test)  # to look at only: nothing is chosen by it
print(model.evaluate(test))
TrainingHistoryDisplay.from_classifier(model).plot().figure_.savefig("training.png")

model.save("model.keras")
assert (load("model.keras").predict_proba(test) == model.predict_proba(test)).all()
