"""Find nuclei and micronuclei in fields of view: a table of cells, and a picture of a field."""

from PIL import Image

from nucrec.fields import FieldDetector, detect, evaluate_fields, overlay, sample_fields

sample = sample_fields()  # or load_fields("plate-7")
detector = FieldDetector.pretrained()
cells = detect(sample.fields, detector)
print(cells)
cells.to_csv("cells")

found = [detector.predict(field) for field in sample.fields]
print(evaluate_fields(found, sample))  # fields of its training: yours tell more

picture = overlay(sample.fields[0].read(), found[0].nuclei, found[0].micronuclei)
Image.fromarray(picture).save("field.png")
