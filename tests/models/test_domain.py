"""Training images as a few ranges, and the new images that are unlike them."""

import dataclasses
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from nucrec.datasets import ImageDataset, load_images, load_mnfinder_crops, rescale_intensity
from nucrec.errors import DataWarning, ImageError, InvalidParameterError, ModelFileError
from nucrec.fields import make_plate, sample_fields
from nucrec.models import (
    Embeddings,
    Evaluation,
    PixelFeatures,
    TrainingDomain,
    cnn,
    evaluate,
    load,
    model_info,
    predict_folder,
    pretrained,
    save,
)


@pytest.fixture(scope="module")
def all_crops():
    return load_mnfinder_crops("all")


@pytest.fixture(scope="module")
def domain(all_crops) -> TrainingDomain:
    return TrainingDomain.of(all_crops)


def dataset(images) -> ImageDataset:
    images = list(images)
    return ImageDataset(images, np.zeros(len(images), int))


def resized(image, factor: float):
    height, width = (max(1, round(side * factor)) for side in image.shape)
    how = Image.Resampling.BICUBIC if factor > 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(image).resize((width, height), how))


def blurred(image, sigma: float):
    return ndimage.gaussian_filter(image.astype(float), sigma).round().astype(np.uint8)


def share_unusual(domain: TrainingDomain, images, kind: str) -> float:
    found = domain.unusual(dataset(images))
    return float(np.mean([any(r.startswith(kind) for r in reasons) for reasons in found]))


def field_of_view(crops, rows: int = 8):
    """Put crops side by side, each in a square of 96 pixels."""
    field = np.full((96 * rows, 96 * rows), 3, np.uint8)
    for k in range(rows * rows):
        crop = crops.images[7 * k][:96, :96]
        y, x = divmod(k, rows)
        field[96 * y : 96 * y + crop.shape[0], 96 * x : 96 * x + crop.shape[1]] = crop
    return field


def test_a_picture_of_one_colour_is_measured_as_its_one_channel(random_image):
    grey = [random_image((40, 60)), random_image((50, 50)) // 2]
    blue = [np.dstack([np.zeros_like(image)] * 2 + [image]) for image in grey]
    domain = TrainingDomain.of(dataset(grey))
    assert TrainingDomain.of(dataset(blue)) == domain
    assert domain.unusual(dataset(blue)) == [(), ()]
    luma = [np.rint(image * 0.114).astype(np.uint8) for image in grey]
    assert TrainingDomain.of(dataset(luma)) != domain


def test_what_is_measured(random_image):
    images = [random_image((40, 60)), random_image((50, 50)) // 2, random_image((44, 44)) // 4]
    domain = TrainingDomain.of(dataset(images))
    sides = [40, 60, 50, 50, 44, 44]
    assert domain.side == pytest.approx(np.percentile(sides, [1, 99]))
    ordered = [np.sort(image, axis=None) / 255 for image in images]
    brightest = [values[(len(values) - 1) * 99 // 100] for values in ordered]
    medians = [values[(len(values) - 1) // 2] for values in ordered]
    assert domain.brightness == pytest.approx(np.percentile(brightest, [1, 99]))
    assert domain.background == pytest.approx(np.percentile(medians, [1, 99]))
    sharpness = []
    for image in images:
        a = image.astype(float)
        laplacian = ndimage.laplace(a)[1:-1, 1:-1]
        gradient = np.mean(np.diff(a, axis=0) ** 2) + np.mean(np.diff(a, axis=1) ** 2)
        sharpness.append(np.mean(laplacian**2) / gradient)
    assert domain.sharpness == pytest.approx(np.percentile(sharpness, [1, 99]))
    assert (domain.n, domain.depths) == (3, ("uint8",))


def test_noise_has_the_sharpness_that_theory_says():
    noise = np.random.default_rng(0).integers(0, 256, (400, 400), dtype=np.uint8)
    # of independent pixels: (4^2 + 4) / (2 + 2) variances
    assert TrainingDomain.of(dataset([noise])).sharpness[0] == pytest.approx(5, rel=0.02)


def test_crops_of_other_experiments_are_hardly_ever_unusual(all_crops):
    experiments = all_crops.metadata["experiment"]
    unusual = fields = 0
    for name in np.unique(experiments):
        new = all_crops[experiments == name]
        domain = TrainingDomain.of(all_crops[experiments != name])
        unusual += sum(map(bool, domain.unusual(new)))
        fields += int(domain.fields_of_view(new).sum())
    assert unusual / len(all_crops) <= 0.01
    assert fields == 0


@pytest.mark.parametrize("n", [4, 8, 16, 32])
def test_few_training_images_make_hardly_any_new_ones_unusual(all_crops, n):
    rng = np.random.default_rng(0)
    unusual = []
    for _ in range(5):
        chosen = rng.permutation(len(all_crops))
        domain = TrainingDomain.of(all_crops[chosen[:n]])
        unusual += map(bool, domain.unusual(all_crops[chosen[n : n + 200]]))
    assert np.mean(unusual) <= 0.01


def test_other_sizes_are_unusual(all_crops, domain):
    images = all_crops[::10].images
    assert share_unusual(domain, (resized(image, 4) for image in images), "size") > 0.95
    assert share_unusual(domain, (resized(image, 0.25) for image in images), "size") > 0.95
    (reasons,) = domain.unusual(dataset([np.zeros((20, 300), np.uint8)]))
    assert reasons[0] == "size 20 x 300, in training 38 to 96"


def test_blurred_images_are_unusual(all_crops, domain):
    images = all_crops[::10].images
    assert share_unusual(domain, (blurred(image, 2) for image in images), "sharpness") > 0.95
    enlarged = (resized(image, 4) for image in images)
    assert share_unusual(domain, enlarged, "sharpness") > 0.8


def test_other_intensities_are_unusual(all_crops, domain):
    images = all_crops[::10].images
    assert share_unusual(domain, (255 - image for image in images), "background") > 0.95
    assert share_unusual(domain, (image // 16 for image in images), "brightness") > 0.95


def test_other_depths_are_unusual_and_nothing_else_about_them(all_crops, domain):
    deep = [image.astype(np.uint16) * 16 for image in all_crops[16:36].images]
    assert domain.unusual(dataset(deep)) == [("depth 16 bit, in training 8 bit",)] * 20
    both = TrainingDomain.of(dataset([*deep, *all_crops[16:36].images]))
    assert both.depths == ("uint16", "uint8")
    assert set(both.unusual(dataset(deep))) == {()}


def stacked(red, green, blue):
    return np.stack([np.asarray(band, np.uint8) for band in (red, green, blue)], axis=-1)


def test_other_stains_beside_the_nuclei_are_unusual(all_crops, domain):
    image = all_crops.images[0]
    none, spots = np.zeros_like(image), np.zeros_like(image)
    spots[::11, ::11] = 200
    told = "colour {} different channels, in training 1: choose that of the nuclei, such as "
    told += "channel='blue'"
    two, three = stacked(spots, none, image), stacked(spots, spots.T[::-1, ::-1], image)
    reasons = domain.unusual(dataset([two, three, two.astype(np.uint16) * 16]))
    assert [each[-1] for each in reasons] == [told.format(2), told.format(3), told.format(2)]
    assert TrainingDomain.of(dataset([image, two])).unusual(dataset([two])) == [()]
    assert dataclasses.replace(domain, colour=None).unusual(dataset([two]))[0] == reasons[0][:-1]


def test_grey_and_one_colour_are_not_unusual(all_crops, domain, tmp_path):
    image = all_crops.images[0]
    none = np.zeros_like(image)
    one = {
        "grey": stacked(image, image, image),
        "blue": stacked(none, none, image),
    }
    for name, each in one.items():
        for ending in ("png", "jpg"):
            Image.fromarray(each).save(tmp_path / f"{name}.{ending}", quality=75)
    Image.fromarray(stacked(none, image // 2, image)).save(tmp_path / "cyan.png")
    Image.fromarray(stacked(none + 9, none, image)).save(tmp_path / "on constant red.png")
    images = load_images(tmp_path)
    assert len(images) == 6
    assert not [why for reasons in domain.unusual(images) for why in reasons if "colour" in why]


def test_composites_are_counted_with_what_to_do(all_crops, tmp_path):
    model = pretrained()
    assert model.domain_.colour is False
    spots = np.zeros_like(all_crops.images[0])
    spots[::11, ::11] = 200
    Image.fromarray(stacked(spots, spots * 0, all_crops.images[0])).save(tmp_path / "a.png")
    with pytest.warns(DataWarning, match="colour 1.*mixed to grey: choose that of the nuclei"):
        found = predict_folder(model, tmp_path)
    assert found.unusual["colour"] == 1
    assert str(found).count("channel='blue'") == 1
    assert predict_folder(model, tmp_path, channel="blue").unusual == {}


def test_intensities_are_those_that_models_are_given(all_crops):
    deep = dataset(image.astype(np.uint16) * 16 for image in all_crops[:50].images)
    scaled = dataset(rescale_intensity(image) for image in deep.images)
    a, b = TrainingDomain.of(deep), TrainingDomain.of(scaled)
    assert (a.brightness, a.background, a.sharpness) == (b.brightness, b.background, b.sharpness)


def boxes(*places, shape=(60, 80)):
    """Return a dark image with bright boxes, given as (top, bottom, left, right)."""
    image = np.full(shape, 10, np.uint8)
    for top, bottom, left, right in places:
        image[top:bottom, left:right] = 200
    return image


@pytest.mark.parametrize(
    ("image", "extent"),
    [
        (boxes((20, 44, 30, 50)), 24 / 60),
        (boxes((25, 35, 8, 72)), 64 / 80),
        (boxes((20, 44, 30, 50), (0, 10, 0, 80)), 24 / 60),  # a neighbour at the border
        (boxes((0, 10, 0, 80)), 0),  # nothing in the centre
        (boxes((0, 60, 0, 80)), 1),
        (boxes((200, 440, 300, 500), shape=(600, 800)), 24 / 60),
    ],
)
def test_the_extent_is_that_of_the_object_in_the_centre(image, extent):
    assert TrainingDomain.of(dataset([image])).extent == pytest.approx((extent, extent), abs=0.01)


def trimmed(image, margin: int):
    return image[margin:-margin, margin:-margin]


def test_crops_without_their_surroundings_are_unusual(all_crops):
    experiments = all_crops.metadata["experiment"]
    proper, tight = [], []
    for name in np.unique(experiments)[::3]:
        domain = TrainingDomain.of(all_crops[experiments != name])
        new = all_crops[experiments == name]
        proper += domain.unusual(new)
        tight += domain.unusual(dataset(trimmed(image, 12) for image in new.images))
    has_extent = [["extent" in " ".join(r) for r in reasons] for reasons in (proper, tight)]
    assert np.mean(has_extent[0]) < 0.01
    assert np.mean(has_extent[1]) > 0.75  # 12 pixels leave some surroundings of large nuclei


def test_a_description_without_an_extent_judges_none(all_crops, domain):
    tight = dataset([trimmed(all_crops.images[0], 12)])
    ((reason,),) = domain.unusual(tight)
    told = "extent 1.00, in training up to 0.7.: the crop may lack the surroundings of the nucleus"
    assert re.fullmatch(told, reason)
    stored = domain.to_json()
    del stored["extent"]
    assert TrainingDomain.from_json(stored).unusual(tight) == [()]


def test_fields_of_view_are_told_from_crops(all_crops, domain):
    field = field_of_view(all_crops)
    deep = field.astype(np.uint16) * 200
    colour = np.stack([field] * 3, axis=-1)
    assert domain.fields_of_view(dataset([field, deep, colour])).tolist() == [True] * 3
    large = [resized(image, 512 / max(image.shape)) for image in all_crops[::5].images]
    assert not domain.fields_of_view(dataset(large)).any()
    assert not domain.fields_of_view(dataset([np.zeros((900, 900), np.uint8)])).any()


def disc(image, y: int, x: int, radius: int):
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    image[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = 200
    return image


def test_a_field_is_told_by_the_size_of_its_nuclei(domain):
    def scene(side: int, radius: int, n: int):
        image = np.full((side, side), 5, np.uint8)
        for k in range(n):
            disc(image, side * (1 + 2 * (k // 3)) // 6, side * (1 + 2 * (k % 3)) // 6, radius)
        return image

    crops = [scene(600, 200, 1), scene(600, 80, 5), scene(600, 50, 2), scene(150, 10, 5)]
    assert not domain.fields_of_view(dataset(crops)).any()
    fields = [scene(600, 50, 5), scene(600, 25, 1), scene(240, 15, 5)]
    assert domain.fields_of_view(dataset(fields)).all()


def test_all_fields_that_come_with_nucrec_are_told(domain, tmp_path):
    plate = make_plate(tmp_path, rates={0: 50}, wells=1, fields=1, cells=100)
    fields = [*sample_fields().fields, *plate.fields]
    assert domain.fields_of_view(dataset(field.read() for field in fields)).all()


def test_a_model_of_fields_takes_fields(all_crops):
    field = field_of_view(all_crops)
    domain = TrainingDomain.of(dataset([field, field[::-1]]))
    assert not domain.fields_of_view(dataset([field])).any()
    assert domain.unusual(dataset([field])) == [()]


@pytest.mark.parametrize("image", [np.zeros((40, 40), np.uint8), np.full((1, 50), 9, np.uint8)])
def test_flat_and_tiny_images_are_unusual(domain, image):
    (reasons,) = domain.unusual(dataset([image]))
    assert any(reason.startswith("sharpness 0.00") for reason in reasons)


def test_many_training_images_are_sampled(all_crops, domain):
    assert domain.n == 1000
    whole = [np.percentile([s for i in all_crops.images.shapes for s in i], q) for q in (1, 99)]
    assert domain.side == pytest.approx(whole, abs=3)


def test_it_survives_json(domain):
    text = json.dumps(domain.to_json())
    assert TrainingDomain.from_json(json.loads(text)) == domain


@pytest.mark.parametrize(
    "change",
    [
        {"side": None},
        {"side": [5, 2]},
        {"sharpness": ["a", 1]},
        {"n": None},
        {"n": 0},
        {"depths": 3},
        {"colour": "no"},
        {"extent": [0.9, 0.3]},
    ],
)
def test_a_description_that_was_changed_is_refused(domain, change):
    with pytest.raises(ValueError):  # noqa: PT011 - several messages
        TrainingDomain.from_json(domain.to_json() | change)
    with pytest.raises(ValueError, match="not described whole"):
        TrainingDomain.from_json({})


def test_it_takes_images():
    with pytest.raises(InvalidParameterError, match="images: expected a data set with at least"):
        TrainingDomain.of(dataset([np.zeros((5, 5), np.uint8)])[:0])


def test_a_network_knows_its_training_images_and_its_file_does(crops, tmp_path):
    train = crops[::3]
    model = cnn(image_size=16, epochs=1, random_state=0).fit(train)
    assert model.domain_ == TrainingDomain.of(train)
    model.save(tmp_path / "model.keras")
    assert load(tmp_path / "model.keras").domain_ == model.domain_
    assert model_info(tmp_path / "model.keras").domain == model.domain_.to_json()


@pytest.mark.parametrize("features", [PixelFeatures(8), Embeddings(weights=None, image_size=32)])
def test_a_classical_model_knows_its_training_images_and_its_file_does(features, crops, tmp_path):
    some = crops[::20]
    model = make_pipeline(features, GaussianNB()).fit(some, some.labels)
    assert model[0].domain_ == TrainingDomain.of(some)
    path = tmp_path / "model.skops"
    save(model, path, class_names=some.class_names)
    assert model_info(path).domain == model[0].domain_.to_json()
    assert load(path)[0].domain_ == model[0].domain_
    rows = model[:1].transform(some)
    of_rows = make_pipeline(clone(features), GaussianNB()).fit(rows, some.labels)
    assert of_rows[0].domain_ is None
    save(of_rows, path)
    assert model_info(path).domain is None
    assert load(path)[0].domain_ is None


def test_a_classical_model_flags_unusual_images_and_refuses_fields(all_crops, crops, tmp_path):
    model = make_pipeline(PixelFeatures(8), GaussianNB()).fit(crops, crops.labels)
    search = GridSearchCV(model, {"gaussiannb__var_smoothing": [1e-9]}, cv=2)
    images = {
        "crop": crops.images[0],
        "field": field_of_view(all_crops),
        "negative": 255 - crops.images[0],
    }
    for name, image in images.items():
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    for fitted in (model, search.fit(crops, crops.labels)):
        with pytest.warns(DataWarning) as caught:
            found = predict_folder(fitted, tmp_path)
        refusal, unlike = (str(warning.message) for warning in caught)
        assert "field.png" in refusal
        assert {"`nucrec detect`", "nucrec.fields.detect"} <= set(
            re.findall("`.*`|nucrec[.a-z]+t", refusal)
        )
        assert unlike.startswith("1 of 2 images is unlike the training images: background 1")
        rows = {row.file: row for row in found.rows}
        assert rows["crop.png"].unusual == ()
        assert rows["field.png"].predicted is None
        assert any(why.startswith("background") for why in rows["negative.png"].unusual)


def test_a_classical_file_that_describes_other_images_is_refused(crops, tmp_path):
    model = make_pipeline(PixelFeatures(8), GaussianNB()).fit(crops, crops.labels)
    save(model, tmp_path / "model.skops")
    with zipfile.ZipFile(tmp_path / "model.skops") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["nucrec.json"])
    about["domain"]["n"] += 1
    members["nucrec.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(tmp_path / "other.skops", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelFileError, match="not trained on the images that it describes"):
        load(tmp_path / "other.skops")


def test_a_file_that_describes_no_images_is_refused(crops, tmp_path):
    model = cnn(image_size=16, epochs=1, random_state=0).fit(crops[::9])
    model.domain_ = dataclasses.replace(model.domain_, side=(9.0, 2.0))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ModelFileError, match="cannot be read as a model: expected a range"):
        load(tmp_path / "model.keras")


REFUSED = (
    "image {}: this looks like a field of view, and the model was trained on crops of single cells: "
    "use `nucrec detect`, or nucrec.fields.detect in Python. In Python, domain_ of the {} set to None "
    "gives an answer all the same"
)


def refusal(call) -> str:
    with pytest.raises(ImageError) as caught:
        call()
    return str(caught.value)


def test_a_network_of_crops_refuses_fields_of_view(all_crops):
    model, field, crop = pretrained(), field_of_view(all_crops), all_crops.images[0]
    one, names = REFUSED.format("0", "network"), model.class_names_
    both = ImageDataset([crop, field], [0, 1], names, ids=["a.png", "b/c.png"])
    in_both = "1 of 2 images cannot be predicted; the first is "
    in_both += REFUSED.format("b/c.png", "network")
    for call in (model.predict, model.predict_proba, model.embed, model.explain):
        assert refusal(lambda call=call: call([field])) == one
    for call in (model.predict_proba, model.evaluate, model.score, model.calibrate):
        assert refusal(lambda call=call: call(both)) == in_both
    assert refusal(lambda: evaluate(model, both)) == in_both
    assert refusal(lambda: Evaluation.of(model, both)) == in_both
    before = model.predict_proba([crop])
    model.domain_ = None
    found = model.predict_proba([crop, field, field.astype(np.uint16) * 200])
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[0], before[0], atol=1e-5)


def test_a_classical_model_of_crops_refuses_fields_of_view(all_crops, crops):
    field, crop = field_of_view(all_crops), crops.images[0]
    model = make_pipeline(PixelFeatures(8), GaussianNB()).fit(crops, crops.labels)
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), cv=2).fit(crops, crops.labels)
    one = REFUSED.format("1", "PixelFeatures")
    for fitted in (model, calibrated):
        for call in (fitted.predict, fitted.predict_proba):
            assert refusal(lambda call=call: call([crop, field])).endswith(one)
        assert refusal(lambda fitted=fitted: evaluate(fitted, [crop, field], [0, 1])).endswith(one)
    model[0].domain_ = None
    assert model.predict([crop, field])[0] == model.predict([crop])[0]


def test_large_crops_are_answered(all_crops):
    large = [resized(image, 512 / max(image.shape)) for image in all_crops[:8].images]
    assert pretrained().predict_proba(large).shape == (8, 2)


def test_wrapped_classifiers_know_their_training_images(crops, all_crops, tmp_path):
    model = make_pipeline(PixelFeatures(8), GaussianNB())
    calibrated = CalibratedClassifierCV(model, cv=2).fit(crops, crops.labels)
    Image.fromarray(field_of_view(all_crops)).save(tmp_path / "field.png")
    Image.fromarray(255 - crops.images[0]).save(tmp_path / "negative.png")
    with pytest.warns(DataWarning):
        rows = {row.file: row for row in predict_folder(calibrated, tmp_path).rows}
    assert rows["field.png"].error.startswith("this looks like a field of view")
    assert "background" in " ".join(rows["negative.png"].unusual)


@pytest.mark.parametrize("kind", ["classical", "network"])
def test_fields_among_the_training_images_are_warned_of(crops, all_crops, kind):
    field = field_of_view(all_crops)
    some = [*crops[:150].images, field, *crops[150:].images]
    labels = np.insert(crops.labels, 150, 1)
    told = "1 of 307 training images look like fields of view .* the first is image 150. Cut crops"
    model = make_pipeline(PixelFeatures(8), GaussianNB())
    if kind == "network":
        model = cnn(image_size=16, epochs=1, random_state=0)
    with pytest.warns(DataWarning, match=told):
        model.fit(some, labels)
    assert refusal(lambda: model.predict([field]))
