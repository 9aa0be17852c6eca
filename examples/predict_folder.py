"""Predict a folder of images that nobody has labelled: a table, and a summary for each folder."""

from pathlib import Path

from PIL import Image

from nucrec.datasets import load_mnfinder_crops
from nucrec.models import cnn, predict_folder

crops = load_mnfinder_crops()
model = cnn(image_size=32, epochs=5, random_state=0).fit(crops[::2])

for i, image in enumerate(crops[1:40:2].images):
    path = Path("plate", "well A" if i % 3 else "well B", f"cell {i}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)

found = predict_folder(model, "plate", "predictions.csv")
print(found)
doubtful = [row for row in found.rows if not row.error and max(row.probabilities) < 0.6]
print(*(f"{row.file}: {row.predicted}" for row in doubtful), sep="\n")
