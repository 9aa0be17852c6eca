"""The detector: on fields that are drawn, so that what is in them is known."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from nucrec.errors import ImageError, InvalidParameterError, ModelFileError
from nucrec.fields import FieldDetector, FieldSet, evaluate_fields, sample_fields

RADIUS = 14
APART = 70


class Drawn:
    """A field of round nuclei in rows, every second with a micronucleus to its right."""

    def __init__(self, rows=5, columns=6, *, scale=1.0, noise=0.02, seed=0):
        rng = np.random.default_rng(seed)
        height, width = int(rows * APART * scale), int(columns * APART * scale)
        y, x = np.mgrid[:height, :width]
        self.nuclei = np.zeros((height, width), np.int32)
        self.micronuclei = np.zeros_like(self.nuclei)
        light = np.zeros((height, width))
        for i in range(rows * columns):
            at = np.array([i // columns + 0.5, i % columns + 0.5]) * APART
            at = (at + rng.uniform(-6, 6, 2)) * scale
            inside = np.hypot(y - at[0], x - at[1]) < RADIUS * scale
            self.nuclei[inside], light[inside] = i + 1, rng.uniform(0.7, 1.1)
            if i % 2:
                inside = np.hypot(y - at[0], x - at[1] - 20 * scale) < 3.2 * scale
                self.micronuclei[inside], light[inside] = i // 2 + 1, rng.uniform(0.6, 0.9)
        light = ndimage.gaussian_filter(light, 0.8 * scale)
        light += noise * rng.standard_normal(light.shape)
        self.pixels = np.clip(1000 + 6000 * light, 0, 65535).astype(np.uint16)

    @property
    def truth(self):
        return [(self.nuclei, self.micronuclei)]


@pytest.fixture(scope="module")
def detector():
    return FieldDetector.pretrained()


def figures(detector, drawn, pixels=None, **options):
    found = detector.predict(drawn.pixels if pixels is None else pixels, **options)
    report = evaluate_fields([found], drawn.truth)
    return (
        report.nuclei_f1.value,
        report.micronuclei_precision.value,
        report.micronuclei_recall.value,
    )


def test_nuclei_and_micronuclei_that_are_drawn_are_found(detector):
    drawn = Drawn()
    assert min(figures(detector, drawn)) >= 0.9
    found = detector.predict(drawn.pixels)
    assert found.diameter == pytest.approx(2 * RADIUS, rel=0.12)
    assert found.probability.min() >= detector.threshold_
    assert found.nuclei.dtype == found.micronuclei.dtype == np.int32


@pytest.mark.parametrize("scale", [0.7, 1.5, 3.0])
def test_any_magnification(detector, scale):
    drawn = Drawn(4, 4, scale=scale, seed=1)
    assert min(figures(detector, drawn)) >= 0.85
    assert min(figures(detector, drawn, pixel_size=0.5 / scale)) >= 0.85


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int32"])
def test_the_depth_of_the_pixels_does_not_matter(detector, dtype):
    drawn = Drawn(3, 4)
    values = drawn.pixels / 65535
    scaled = values * 255 if dtype == "uint8" else values * 20000 if dtype == "int32" else values
    found, plain = detector.predict(scaled.astype(dtype)), detector.predict(drawn.pixels)
    assert found.n_nuclei == plain.n_nuclei == 12
    assert abs(found.n_micronuclei - plain.n_micronuclei) <= (1 if dtype == "uint8" else 0)


def test_brightness_and_offset_do_not_matter(detector):
    drawn = Drawn(3, 4)
    plain = detector.predict(drawn.pixels)
    other = detector.predict(drawn.pixels.astype(np.float32) * 0.13 + 77)
    np.testing.assert_array_equal(other.nuclei > 0, plain.nuclei > 0)
    assert other.n_micronuclei == plain.n_micronuclei


def test_given_nuclei_keep_their_labels_and_give_the_scale(detector):
    drawn = Drawn(3, 4)
    labels = drawn.nuclei * 7
    found = detector.predict(drawn.pixels, nuclei=labels)
    np.testing.assert_array_equal(found.nuclei, labels)
    area = np.bincount(labels.ravel())[7::7]
    assert found.diameter == pytest.approx(2 * np.sqrt(np.median(area) / np.pi))
    assert found.n_micronuclei == 6


def test_labels_of_micronuclei_in_a_given_mask_are_no_nuclei(detector):
    drawn = Drawn(3, 4)
    labels = drawn.nuclei * 150_000_000  # and labels of any size are kept
    labels[drawn.micronuclei > 0] = 7 + drawn.micronuclei[drawn.micronuclei > 0]
    found = detector.predict(drawn.pixels, nuclei=labels)
    np.testing.assert_array_equal(found.nuclei, drawn.nuclei * 150_000_000)
    assert found.n_micronuclei == 6
    (remark,) = found.remarks
    assert "8, 9, 10, 11, 12, ..." in remark


def test_an_empty_mask_has_no_nuclei(detector):
    drawn = Drawn(2, 3)
    found = detector.predict(drawn.pixels, nuclei=np.zeros_like(drawn.nuclei))
    assert found.n_nuclei == 0
    assert found.n_micronuclei == 3


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_unit_of_the_intensities_does_not_matter(detector, scale):
    drawn = Drawn(2, 3)
    assert detector.predict(drawn.pixels.astype(float) * scale).n_nuclei == 6


def test_light_brighter_than_the_nuclei_is_remarked_on(detector):
    drawn = Drawn(6, 6)
    y, x = np.mgrid[-210:210, -210:210]
    light = 30_000 * np.exp(-(y**2 + x**2) / 2 / 150**2)
    found = detector.predict(drawn.pixels * 0.5 + light)
    assert any("most of the field" in text for text in found.remarks)


def test_no_seam_shows_in_a_field_of_several_tiles(detector):
    drawn = Drawn(4, 34, noise=0.03)  # 280 x 2380 pixels: wider than one tile
    assert min(figures(detector, drawn)) >= 0.95
    left = detector.predict(drawn.pixels[:, :1190])
    whole = detector.predict(drawn.pixels)
    same = (left.nuclei[:, :1100] > 0) == (whole.nuclei[:, :1100] > 0)
    assert same.mean() > 0.995


def test_a_field_is_a_field_or_its_pixels(detector):
    drawn = Drawn(3, 3)
    field = FieldSet.from_arrays([drawn.pixels])[0]
    one, other = detector.predict(field), detector.predict(drawn.pixels)
    np.testing.assert_array_equal(one.micronuclei, other.micronuclei)


def test_fields_of_the_training_and_their_cut_outs_are_remarked_on(detector):
    sample = sample_fields()
    found = [detector.predict(field) for field in sample.fields]
    for field, each in zip(sample.fields, found, strict=True):
        assert sum("was trained on this field" in text for text in each.remarks) == 1, field.name
    assert evaluate_fields(found, sample).trained_on == sample.fields.names
    assert "trained on 3 of 3 fields" in str(evaluate_fields(found, sample))
    pixels = sample.fields[0].read()
    part = detector.predict(pixels[37:365, 90:420])
    assert any("was trained on this field" in text for text in part.remarks)
    noise = np.random.default_rng(0).integers(-2, 3, pixels.shape)
    for other in (pixels[:, ::-1], (pixels + noise).astype(np.uint16)):
        assert not any("was trained" in text for text in detector.predict(other).remarks)


def test_remarks_name_what_is_unlike_the_training(detector):
    drawn = Drawn(4, 4)
    assert detector.predict(drawn.pixels).remarks == ()
    rng = np.random.default_rng(3)
    dim = 1000 + (drawn.pixels - 1000.0) * 0.02 + 60 * rng.standard_normal(drawn.pixels.shape)
    assert any("contrast is low" in text for text in detector.predict(dim).remarks)
    blurred = ndimage.gaussian_filter(drawn.pixels.astype(float), 6)
    assert any("out of focus" in text for text in detector.predict(blurred).remarks)
    small = ndimage.zoom(Drawn(7, 7).pixels.astype(float), 0.3, order=1)
    assert any("too small" in text for text in detector.predict(small).remarks)


def test_hot_pixels_are_no_micronuclei(detector):
    drawn = Drawn(4, 4)
    plain = detector.predict(drawn.pixels)
    rng = np.random.default_rng(5)
    hot = drawn.pixels.copy()
    hot.flat[rng.choice(hot.size, 12, replace=False)] = 65535
    found = detector.predict(hot)
    assert abs(found.n_micronuclei - plain.n_micronuclei) <= 1
    assert found.n_nuclei == plain.n_nuclei
    (remark,) = found.remarks
    assert "from a defective camera: 12." in remark


def test_dark_nuclei_on_a_bright_background_are_remarked_on(detector):
    found = detector.predict(65535 - Drawn(4, 4).pixels)
    assert any("Invert the field" in text for text in found.remarks)


@pytest.mark.parametrize("pixel_size", [500.0, 5e-4])
def test_a_pixel_size_in_other_units_changes_nothing_and_is_remarked_on(detector, pixel_size):
    drawn = Drawn(3, 3)
    found = detector.predict(drawn.pixels, pixel_size=pixel_size)
    assert found.n_nuclei == 9
    assert any("pixel size" in text and "wrong" in text for text in found.remarks)


def test_noise_alone_has_no_micronuclei(detector):
    rng = np.random.default_rng(0)
    found = detector.predict(rng.normal(1000, 30, (300, 300)))
    assert found.n_nuclei <= 2
    assert found.remarks


@pytest.mark.parametrize("blur", [3, 8])
def test_a_smooth_texture_is_remarked_on(detector, blur):
    noise = np.random.default_rng(0).normal(size=(256, 256))
    found = detector.predict(ndimage.gaussian_filter(noise, blur))
    assert any("does not look like nuclei" in remark for remark in found.remarks)
    assert not detector.predict(Drawn(3, 4).pixels).remarks


def test_a_mask_where_the_detector_sees_no_nucleus(detector):
    noise = np.random.default_rng(0).normal(1000, 30, (300, 300))
    labels = np.zeros(noise.shape, np.int32)
    labels[40:70, 40:70], labels[200:230, 100:130] = 3, 9
    found = detector.predict(noise, nuclei=labels)
    assert np.array_equal(found.nuclei, labels)
    assert any("finds no nucleus in this field, but the mask has 2" in r for r in found.remarks)
    assert not any("no nuclei were found" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("pixels", "error", "words"),
    [
        (np.full((64, 64), 7, np.uint8), ImageError, "every pixel is 7"),
        (np.eye(3), ImageError, "3 x 3 pixels"),
        (np.eye(70), ImageError, "70 x 70 pixels: this looks like a crop of a single nucleus"),
        (np.zeros((40, 40, 3), np.uint8), InvalidParameterError, r"shape \(H, W\)"),
        (np.full((40, 40), np.nan), InvalidParameterError, "NaN"),
    ],
)
def test_what_is_no_field_is_refused(detector, pixels, error, words):
    with pytest.raises(error, match=words):
        detector.predict(pixels)


def test_labels_that_do_not_fit_are_refused(detector):
    drawn = Drawn(2, 2)
    with pytest.raises(InvalidParameterError, match="nuclei"):
        detector.predict(drawn.pixels, nuclei=drawn.nuclei[:-1])
    with pytest.raises(InvalidParameterError, match="pixel_size"):
        detector.predict(drawn.pixels, pixel_size=0)


def test_a_saved_detector_finds_the_same(detector, tmp_path):
    drawn = Drawn(2, 3)
    detector.save(tmp_path / "own.npz")
    loaded = FieldDetector.load(tmp_path / "own.npz")
    assert loaded.fingerprint == detector.fingerprint
    assert loaded.card_ == detector.card_
    one, other = detector.predict(drawn.pixels), loaded.predict(drawn.pixels)
    np.testing.assert_array_equal(one.nuclei, other.nuclei)
    np.testing.assert_array_equal(one.probability, other.probability)


def rewritten(path: Path, about: dict[str, object], without: str = "") -> Path:
    """Change what a detector's file says of itself."""
    with np.load(path) as members:
        content = dict(members)
    told = {**json.loads(content["about"].tobytes()), **about}
    told.pop(without, None)
    content["about"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    np.savez(path, **content)
    return path


def test_a_file_states_the_scale_of_its_training_and_is_used_at_it(detector, tmp_path):
    drawn, path = Drawn(2, 3), tmp_path / "own.npz"
    detector.save(path)
    usual = detector.predict(drawn.pixels)
    unsaid = FieldDetector.load(
        rewritten(path, {}, without="scale")
    )  # as earlier versions wrote it
    assert unsaid.fingerprint == detector.fingerprint
    np.testing.assert_array_equal(unsaid.predict(drawn.pixels).nuclei, usual.nuclei)
    smaller = FieldDetector.load(rewritten(path, {"scale": 10.0}))
    assert smaller.fingerprint != detector.fingerprint
    # nuclei of 10 pixels are as large as micronuclei are to a network that knows nuclei of 40
    assert smaller.predict(drawn.pixels, nuclei=drawn.nuclei).n_micronuclei > usual.n_micronuclei
    smaller.save(tmp_path / "again.npz")
    assert FieldDetector.load(tmp_path / "again.npz").fingerprint == smaller.fingerprint
    for scale in (0.0, 1e9, float("nan"), "40", None, True):
        with pytest.raises(ModelFileError, match="a scale of"):
            FieldDetector.load(rewritten(path, {"scale": scale}))


def test_damaged_files_are_refused(detector, tmp_path):
    path = tmp_path / "own.npz"
    detector.save(path)
    content = path.read_bytes()
    for broken in (content[:-2000], b"", b"PK\x03\x04" + content[4:400], b"\0" * 500):
        path.write_bytes(broken)
        with pytest.raises(ModelFileError, match="own.npz"):
            FieldDetector.load(path)
    np.savez(path, about=np.zeros(3))
    with pytest.raises(ModelFileError, match="own.npz"):
        FieldDetector.load(path)
    with pytest.raises(ModelFileError, match="there is no file"):
        FieldDetector.load(tmp_path / "none.npz")


def test_an_estimator_of_scikit_learn():
    detector = FieldDetector(steps=5, random_state=3)
    assert clone(detector).get_params() == detector.get_params()
    with pytest.raises(NotFittedError, match="pretrained"):
        detector.predict(np.eye(40))


@pytest.mark.parametrize(
    "options",
    [{"start": "own"}, {"steps": 0}, {"learning_rate": 0}, {"batch_size": 1.5}, {"threshold": 2}],
)
def test_parameters_out_of_range_are_refused(options):
    drawn = Drawn(2, 2)
    complete = {"start": "random", "steps": 1, "batch_size": 1} | options
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        FieldDetector(**complete).fit([drawn.pixels], [drawn.nuclei], [drawn.micronuclei])


@pytest.mark.slow
def test_training_goes_on_from_ours_and_from_where_it_was_stopped(tmp_path):
    drawn = [Drawn(3, 4, seed=seed) for seed in range(2)]
    data = (
        [each.pixels for each in drawn],
        [each.nuclei for each in drawn],
        [each.micronuclei for each in drawn],
    )
    options = {"steps": 29, "batch_size": 1, "random_state": 0, "learning_rate": 1e-4}
    whole = FieldDetector(**options).fit(*data)
    assert np.mean(whole.losses_[-10:]) < 1.5
    assert min(figures(whole, drawn[0])) >= 0.9

    def stop(done, total, text):
        if done == 27:  # the state is that after 25
            raise KeyboardInterrupt

    state = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        FieldDetector(**options).fit(*data, checkpoint=state, progress=stop)
    resumed = FieldDetector(**options).fit(*data, checkpoint=state)
    assert not state.exists()
    np.testing.assert_allclose(resumed.losses_, whole.losses_, rtol=1e-3)
    with pytest.raises(InvalidParameterError, match="nuclei"):
        FieldDetector(**options).fit(data[0], [data[1][0] * 0] * 2, data[2])
