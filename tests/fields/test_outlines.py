"""Masks as outlines: ImageJ's ROIs, COCO and GeoJSON, as other programs write them."""

import json
import tracemalloc
import zipfile

import numpy as np
import pytest
import roifile
from PIL import Image
from tests.fields.drawn import labels_of

from nucrec.errors import DatasetError, DataWarning, ImageError, InvalidParameterError
from nucrec.fields import load_fields, read_labels

SHAPE = (150, 200)
DISCS = [(40, 50, 15), (100, 120, 20), (60, 150, 12)]
nuclei = labels_of(SHAPE, DISCS)
OVERFLOWING = [2**63 - 1, 2**63 - 1, SHAPE[0] * SHAPE[1] + 2]
"""Run lengths whose sum is the number of pixels in 64 bits."""
PACKED = "lg>1_4<H4L4L4M2N2N2N2O0O2O0O2O0O2O000000000O20N10000000001N101N101N101N2N2N2N3L4L4L8Dda8"
"""What pycocotools 2.0.11 packs the second disc into: mask.encode(np.asfortranarray(nuclei == 2))."""


def corners(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the corners (x, y) of a body whose rows are of one piece, as ImageJ's wand traces it."""
    rows = np.flatnonzero(mask.any(axis=1))
    left = {r: int(np.argmax(mask[r])) for r in rows}
    right = {r: mask.shape[1] - int(np.argmax(mask[r, ::-1])) for r in rows}
    down = [(right[r], y) for r in rows for y in (r, r + 1)]
    up = [(left[r], y) for r in rows[::-1] for y in (r + 1, r)]
    return [(int(x), int(y)) for x, y in down + up]


def flat(mask: np.ndarray) -> list[int]:
    return [value for corner in corners(mask) for value in corner]


def run_lengths(mask: np.ndarray) -> list[int]:
    """Return the lengths of runs of 0 and 1, column by column, the first of 0."""
    column = np.r_[0, mask.T.ravel().astype(int), 2]
    changes = np.flatnonzero(np.diff(column))
    return np.diff(np.r_[0, changes]).tolist()


@pytest.fixture
def plate(tmp_path):
    (tmp_path / "plate").mkdir()
    for name, ground in (("B03_s1", 10), ("B03_s2", 11)):
        Image.fromarray(np.where(nuclei > 0, 200, ground).astype(np.uint8)).save(
            tmp_path / "plate" / f"{name}.png"
        )
    return tmp_path / "plate"


def save_rois(path, *rois):
    roifile.roiwrite(path, list(rois))
    return path


TRACED = [roifile.ImagejRoi.frompoints(corners(nuclei == k)) for k in (1, 2, 3)]


@pytest.mark.parametrize(
    "name", ["B03_s1.zip", "B03_s1_RoiSet.zip", "RoiSet_B03_s1.zip", "B03_s1_rois.zip"]
)
def test_outlines_of_imagej(tmp_path, plate, name):
    masks = tmp_path / "masks"
    masks.mkdir()
    save_rois(masks / name, *TRACED)
    save_rois(masks / "B03_s2_RoiSet.zip", *TRACED[:2])
    one, two = load_fields(plate, masks=masks)
    assert np.array_equal(one.labels(), nuclei)
    assert np.array_equal(two.labels(), np.where(nuclei == 3, 0, nuclei))
    assert np.array_equal(read_labels(masks / name, shape=SHAPE), nuclei)


def test_one_set_of_outlines_is_the_mask_of_one_field(tmp_path, plate):
    masks = save_rois(tmp_path / "B03_s1_RoiSet.zip", *TRACED)
    (field,) = load_fields([plate / "B03_s1.png"], masks=masks)
    assert np.array_equal(field.labels(), nuclei)


def test_label_images_come_before_the_outlines_that_cellpose_saves_beside_them(tmp_path, plate):
    masks = tmp_path / "masks"
    masks.mkdir()
    save_rois(masks / "B03_s1_rois.zip", TRACED[0])
    Image.fromarray(nuclei.astype(np.uint16)).save(masks / "B03_s1_cp_masks.png")
    np.save(masks / "B03_s1_seg.npy", {"masks": nuclei}, allow_pickle=True)
    (field,) = load_fields([plate / "B03_s1.png"], masks=masks)
    assert np.array_equal(field.labels(), nuclei)


def test_rectangles_and_ovals(tmp_path):
    box = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, left=10, top=20, right=40, bottom=50, version=227
    )
    oval = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.OVAL, left=60, top=20, right=100, bottom=60, version=227
    )
    found = read_labels(save_rois(tmp_path / "a.zip", box, oval), shape=SHAPE)
    assert (found[20:50, 10:40] == 1).all()
    assert (found == 1).sum() == 900
    assert (found == 2).sum() == pytest.approx(np.pi * 20**2, rel=0.02)


def test_outlines_that_are_no_nuclei_of_one_field_are_refused(tmp_path):
    line = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, x1=1, y1=1, x2=9, y2=9, version=227)
    points = roifile.ImagejRoi.frompoints([(3, 3), (9, 9)])
    points.roitype = roifile.ROI_TYPE.POINT
    slices = [roifile.ImagejRoi.frompoints(corners(nuclei == k)) for k in (1, 2)]
    for number, roi in enumerate(slices, start=1):
        roi.position = number
    far = roifile.ImagejRoi.frompoints([(500, 500), (600, 500), (600, 600)])
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "no outline")
    (tmp_path / "cut.roi").write_bytes(TRACED[0].tobytes()[:70])
    for path, message in [
        (save_rois(tmp_path / "a.zip", TRACED[0], line), "a.zip: outline 2 is a line"),
        (save_rois(tmp_path / "b.zip", points), "b.zip: outline 1 is a point"),
        (save_rois(tmp_path / "c.zip", *slices), "c.zip: outlines on 2 slices of a stack"),
        (save_rois(tmp_path / "d.zip", far), "d.zip: object 1 lies outside the field"),
        (tmp_path / "other.zip", "other.zip: this archive contains no ImageJ outlines"),
        (tmp_path / "cut.roi", "cut.roi: damaged"),
    ]:
        with pytest.raises(ImageError) as caught:
            read_labels(path, shape=SHAPE)
        assert str(caught.value).startswith(message)
    with pytest.raises(
        InvalidParameterError, match="shape: expected height and width of the field"
    ):
        read_labels(tmp_path / "a.zip")


def coco(*annotations: dict, categories=({"id": 1, "name": "nucleus"},), **image) -> dict:
    images = [
        {"id": 7, "file_name": "B03_s1.png", "height": 150, "width": 200, **image},
        {"id": 8, "file_name": "B03_s2.png", "height": 150, "width": 200},
    ]
    shared = {"image_id": 7, "category_id": 1, "iscrowd": 0}
    found = [{**shared, **one} for one in annotations]
    return {"images": images, "annotations": found, "categories": list(categories)}


def write(path, content) -> object:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_coco_with_polygons_and_run_lengths(tmp_path, plate):
    packed = {"size": list(SHAPE), "counts": run_lengths(nuclei == 2)}
    content = coco(
        {"id": 11, "segmentation": [flat(nuclei == 1)]},
        {"id": 12, "segmentation": packed, "iscrowd": 1},
        {"id": 40, "segmentation": [flat(nuclei == 3)], "image_id": 8},
    )
    one, two = load_fields(plate, masks=write(tmp_path / "all.json", content))
    assert np.array_equal(one.labels(), np.array([0, 11, 12, 0])[nuclei])
    assert np.array_equal(two.labels(), np.where(nuclei == 3, 40, 0))


def test_run_lengths_as_pycocotools_packs_them(tmp_path):
    packed = {"size": list(SHAPE), "counts": PACKED}
    path = write(tmp_path / "a.json", {**coco({"id": 5, "segmentation": packed}), "images": [
        {"id": 7, "file_name": "a.png", "height": 150, "width": 200}]})  # fmt: skip
    assert np.array_equal(read_labels(path, shape=SHAPE), np.where(nuclei == 2, 5, 0))


def test_coco_categories(tmp_path, plate):
    both = ({"id": 1, "name": "Nuclei"}, {"id": 2, "name": "micronucleus"})
    annotations = (
        {"id": 1, "segmentation": [flat(nuclei == 1)]},
        {"id": 2, "segmentation": [flat(nuclei == 3)], "category_id": 2},
    )
    path = write(tmp_path / "a.json", coco(*annotations, categories=both))
    field, _ = load_fields(plate, masks=path)
    assert np.array_equal(field.labels(), np.where(nuclei == 1, 1, 0))
    other = ({"id": 1, "name": "cell"}, {"id": 2, "name": "debris"})
    path = write(tmp_path / "b.json", coco(*annotations, categories=other))
    with pytest.raises(
        ImageError, match="b.json: annotations belong to several categories .cell, debris"
    ):
        load_fields(plate, masks=path)


def test_coco_of_micronuclei_alone_is_no_mask_of_nuclei(tmp_path, plate):
    categories = ({"id": 1, "name": "Micro-nuclei"},)
    annotation = {"id": 1, "segmentation": [flat(nuclei == 3)]}
    path = write(tmp_path / "a.json", coco(annotation, categories=categories))
    with pytest.raises(
        ImageError, match="a.json: all annotations belong to the category Micro-nuclei"
    ):
        load_fields(plate, masks=path)
    categories[0]["name"] = "micronucleated cell"  # a cell has a nucleus
    path = write(tmp_path / "b.json", coco(annotation, categories=categories))
    assert load_fields(plate, masks=path)[0].labels().any()


def test_ids_of_images_are_numbers_or_text_and_others_are_said(tmp_path, plate):
    content = coco(
        {"id": 1, "segmentation": [flat(nuclei == 1)], "image_id": "7"},
        {"id": 2, "segmentation": [flat(nuclei == 2)], "image_id": 8.0},
        {"id": 3, "segmentation": [flat(nuclei == 3)], "image_id": 9},
    )
    with pytest.warns(
        DataWarning, match="a.json: 1 annotation without an image in the file .image_id '9'"
    ):
        one, two = load_fields(plate, masks=write(tmp_path / "a.json", content))
    assert np.array_equal(one.labels(), np.where(nuclei == 1, 1, 0))
    assert np.array_equal(two.labels(), np.where(nuclei == 2, 2, 0))
    content["images"][1]["id"] = "7"
    with pytest.raises(ImageError, match="b.json: several images have the id 7"):
        load_fields(plate, masks=write(tmp_path / "b.json", content))


def test_outlines_that_lead_far_out_take_little_memory(tmp_path, plate):
    far = np.where(np.arange(10_000) % 2, -1e6, 1e6)
    left = np.stack([np.full(10_000, 20.0), far], axis=1)  # up and down, an odd number of times
    corners_of = np.concatenate([[[180, -1e6], [180, 1e6]], left])
    annotation = {"id": 1, "segmentation": [corners_of.ravel().tolist()]}
    path = write(tmp_path / "a.json", coco(annotation))
    field = load_fields(plate, masks=path)[0]
    tracemalloc.start()
    labels = field.labels()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    assert (labels == np.where((np.arange(200) >= 20) & (np.arange(200) < 180), 1, 0)).all()


def test_qupath_geojson(tmp_path, plate):
    def feature(k: int, **more) -> dict:
        geometry = {"type": "Polygon", "coordinates": [corners(nuclei == k)]}
        return {"type": "Feature", "geometry": geometry, "properties": {}, **more}

    masks = tmp_path / "masks"
    masks.mkdir()
    cell = feature(2, nucleusGeometry=feature(3)["geometry"])
    write(masks / "B03_s1.geojson", {"type": "FeatureCollection", "features": [feature(1), cell]})
    write(masks / "settings.json", {"threshold": 3})
    with pytest.warns(DataWarning, match="B03_s2.png was left out: has no mask"):
        (field,) = load_fields(plate, masks=masks)
    assert np.array_equal(field.labels(), np.array([0, 1, 0, 2])[nuclei])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"shapes": []}, "neither COCO .images and annotations. nor GeoJSON"),
        ([1, 2], "damaged outlines"),
        (coco({"id": 1, "segmentation": []}), "annotation 1 is a box without an outline"),
        (coco({"id": 1, "segmentation": [[1, 2, 3]]}), "damaged outlines"),
        (coco({"id": 1, "segmentation": {"size": [3, 3], "counts": [9]}}), "run lengths for"),
        (coco({"id": 1, "segmentation": {"size": list(SHAPE), "counts": "o" * 99}}), "B03_s1.json"),
        (
            coco({"id": 1, "segmentation": {"size": list(SHAPE), "counts": OVERFLOWING}}),
            "run lengths for",
        ),
        (
            coco({"id": 1, "segmentation": {"size": list(SHAPE), "counts": [30000.5]}}),
            "run lengths",
        ),
        (coco({"id": 1}), "damaged outlines"),
        (coco(height=10, width=10), "the mask has 10 x 10 pixels, but its field has 200 x 150"),
    ],
)
def test_damaged_outlines_are_named(tmp_path, plate, content, message):
    if isinstance(content, dict) and "images" in content:
        del content["images"][1]
    path = write(tmp_path / "B03_s1.json", content)
    (field,) = load_fields([plate / "B03_s1.png"], masks=path)
    with pytest.raises(ImageError, match=message) as caught:
        field.labels()
    assert str(caught.value).startswith("B03_s1.json")


def test_text_that_is_no_json_is_named(tmp_path, plate):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(ImageError, match=r"a.json: not readable as JSON"):
        load_fields(plate, masks=tmp_path / "a.json")
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="no masks were found"):
        load_fields(plate, masks=tmp_path / "none")
