"""The data set: immutable, lazy, indexable, streamable."""

import pickle

import numpy as np
import pytest
from PIL import Image

from nucrec.augment import Pipeline, Rotate
from nucrec.datasets import ImageDataset, load_images
from nucrec.errors import DatasetError, InvalidParameterError


@pytest.fixture
def small(random_image) -> ImageDataset:
    return ImageDataset(
        random_image((4, 6, 5)),
        [0, 1, 1, 0],
        ids=["a", "b", "c", "d"],
        groups=["x", "x", "y", "z"],
        metadata={"day": [1, 2, 3, 4]},
    )


def test_defaults(random_image):
    dataset = ImageDataset(random_image((3, 4, 4)), [0, 1, 0])
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert dataset.ids.tolist() == dataset.groups.tolist() == dataset.parents.tolist()
    assert dataset.ids.tolist() == ["0", "1", "2"]
    assert dataset.labels.dtype == np.int64
    assert dataset.quarantined == ()


@pytest.mark.parametrize(
    ("index", "ids"),
    [
        (1, "b"),
        (-1, "d"),
        (np.int64(2), "c"),
        (slice(1, 3), "bc"),
        (slice(None, None, -1), "dcba"),
        ([3, 0], "da"),
        ([], ""),
        (np.array([True, False, False, True]), "ad"),
        ([False, True, False, False], "b"),
    ],
)
def test_indexing(small, index, ids):
    part = small[index]
    assert "".join(part.ids) == ids
    positions = ["abcd".index(name) for name in ids]
    assert part.labels.tolist() == small.labels[positions].tolist()
    assert part.groups.tolist() == small.groups[positions].tolist()
    assert part.metadata["day"].tolist() == [p + 1 for p in positions]
    for image, position in zip(part.images, positions, strict=True):
        np.testing.assert_array_equal(image, small.images[position])


@pytest.mark.parametrize("index", [4, -5, [0, 9], np.array([True, False])])
def test_index_out_of_range(small, index):
    with pytest.raises(IndexError):
        small[index]


@pytest.mark.parametrize("index", ["a", 1.5, None, [[0]], (0, 1.5)])
def test_no_index(small, index):
    with pytest.raises(InvalidParameterError, match="^index: "):
        small[index]


def test_iteration_gives_single_images(small):
    assert [(len(part), part.ids[0]) for part in small] == [(1, "a"), (1, "b"), (1, "c"), (1, "d")]


def test_immutable(small):
    with pytest.raises(AttributeError):
        small.labels = np.zeros(4)
    for array in (small.labels, small.ids, small.groups, small.parents, small.metadata["day"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(ValueError, match="read-only"):
        small.images[0][0, 0] = 1
    with pytest.raises(TypeError):
        small.metadata["day"] = 1


def test_class_names_may_be_an_array(random_image):
    dataset = ImageDataset(random_image((2, 4, 4)), [0, 1], np.array(["a", "b"]))
    assert dataset.class_names == ("a", "b")


def test_input_is_copied(random_image):
    images = random_image((2, 4, 4))
    before = images.copy()
    dataset = ImageDataset(images, [0, 1])
    images[:] = 0
    np.testing.assert_array_equal(np.stack(list(dataset.images)), before)


def test_pickle(small):
    again = pickle.loads(pickle.dumps(small))
    assert again.fingerprint == small.fingerprint
    assert again.ids.tolist() == small.ids.tolist()
    with pytest.raises(ValueError, match="read-only"):
        again.labels[0] = 1


def test_lazy_images_are_a_sequence(small):
    assert len(small.images) == 4
    assert len(small.images[1:3]) == 2
    np.testing.assert_array_equal(small.images[-1], small.images[3])
    assert small.images.shapes == [(6, 5)] * 4
    with pytest.raises(IndexError):
        small.images[4]


def test_with_groups(small):
    other = small.with_groups([1, 1, 2, 2])
    assert other.groups.tolist() == ["1", "1", "2", "2"]
    assert small.groups.tolist() == ["x", "x", "y", "z"]
    assert other.images is small.images
    with pytest.raises(
        InvalidParameterError, match="^groups: expected one value for each of the 4"
    ):
        small.with_groups([1, 2])


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"labels": [0, 1]}, "labels"),
        ({"labels": [0, 1, 2]}, "labels"),
        ({"labels": [0, 1, -1]}, "labels"),
        ({"labels": [0.5, 1, 1]}, "labels"),
        ({"class_names": ["a", "a"]}, "class_names"),
        ({"class_names": "ab"}, "class_names"),
        ({"ids": ["a", "a", "b"]}, "ids"),
        ({"ids": ["a"]}, "ids"),
        ({"groups": [1, 2]}, "groups"),
        ({"groups": ["a", None, "b"]}, "groups"),
        ({"groups": [1.0, np.nan, 2.0]}, "groups"),
        ({"groups": [[1], [1, 2], [3]]}, "groups"),
        ({"class_names": []}, "class_names"),
        ({"parents": ["a"]}, "parents"),
        ({"metadata": {"day": [1]}}, r"metadata\['day'\]"),
        ({"images": np.zeros((3, 4))}, r"images\[0\]"),
        ({"images": np.zeros((3, 4, 4, 5))}, r"images\[0\]"),
        ({"images": [np.zeros((2, 2)), np.zeros((2, 2)), np.full((2, 2), np.nan)]}, r"images\[2\]"),
        ({"images": np.array([[["a"]]] * 3)}, r"images\[0\]"),
        ({"images": 5}, "images"),
    ],
)
def test_bad_parameters(change, parameter):
    good = {"images": np.zeros((3, 4, 4), np.uint8), "labels": [0, 1, 0]}
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: expected"):
        ImageDataset(**(good | change))


def test_to_array_keeps_values_of_one_size(small):
    array = small.to_array()
    assert array.shape == (4, 6, 5, 1)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array[2, ..., 0], small.images[2])


def test_to_array_of_mixed_sizes_and_channels(random_image):
    dataset = ImageDataset([random_image((8, 8)), random_image((12, 10, 4))], [0, 1])
    assert dataset.to_array(size=(4, 6)).shape == (2, 4, 6, 3)
    assert dataset.to_array(size=4, channels=1).shape == (2, 4, 4, 1)
    with pytest.raises(DatasetError, match=r"2 different sizes, .* pass size="):
        dataset.to_array()


def test_to_array_of_mixed_dtypes(random_image):
    dataset = ImageDataset([random_image((8, 8)), random_image((8, 8), "uint16")], [0, 1])
    with pytest.raises(DatasetError, match=r"1 of uint8, 1 of uint16"):
        dataset.to_array()
    for dtype, top in (("uint8", 255), ("float32", 1.0)):
        array = dataset.to_array(dtype=dtype)
        assert array.dtype == dtype
        assert array.max() == top


@pytest.mark.parametrize(
    ("options", "parameter"),
    [({"size": 0}, "size"), ({"size": (1, 2, 3)}, "size"), ({"size": 2.5}, "size"),
     ({"channels": 2}, "channels"), ({"dtype": "int8"}, "dtype"), ({"n_jobs": 0}, "n_jobs")],
)  # fmt: skip
def test_to_array_bad_parameters(small, options, parameter):
    with pytest.raises(InvalidParameterError, match=f"^{parameter}: "):
        small.to_array(**options)


def test_an_empty_set_has_no_array(small):
    with pytest.raises(DatasetError, match="empty"):
        small[[]].to_array()


def test_workers_do_not_change_the_array(crops):
    one, four = (crops.to_array(40, n_jobs=n) for n in (1, 4))
    np.testing.assert_array_equal(one, four)


def test_fingerprint_is_of_content_and_order(small):
    same = ImageDataset(list(small.images), small.labels, ids=["other", "names", "no", "matter"])
    assert same.fingerprint == small.fingerprint
    assert small[::-1].fingerprint != small.fingerprint
    changed = np.stack(list(small.images))
    changed[3, 5, 4] ^= 1
    assert ImageDataset(changed, small.labels).fingerprint != small.fingerprint
    assert ImageDataset(list(small.images), 1 - small.labels).fingerprint != small.fingerprint
    as_16_bit = [image.astype("uint16") for image in small.images]
    assert ImageDataset(as_16_bit, small.labels).fingerprint != small.fingerprint


def test_fingerprint_is_stable():
    # sha256 of the class names, of sha256(header + pixels) and of the label, made by hand
    import hashlib

    dataset = ImageDataset(np.array([[[1, 2]]], np.uint8), [1])
    inner = hashlib.sha256(b"u1(1, 2)" + bytes([1, 2])).digest()
    names = b"('nucleus', 'micronucleus')"
    expected = hashlib.sha256(names + inner + (1).to_bytes(8, "little")).hexdigest()
    assert dataset.fingerprint == expected


def test_files_beyond_256_mib_of_pixels_are_decoded_again(tmp_path):
    for name in "abcd":  # 81 MB each: three are kept
        Image.new("L", (9000, 9000), ord(name)).save(tmp_path / f"{name}.png", compress_level=1)
    dataset = load_images(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    assert [int(dataset.images[i][0, 0]) for i in range(3)] == [ord(name) for name in "abc"]
    with pytest.raises(ValueError, match=r"d\.png: the file is empty"):
        dataset.images[3]
    with pytest.raises(ValueError, match=r"d\.png: the file is empty"):
        pickle.loads(pickle.dumps(dataset[3:])).fingerprint  # noqa: B018 - reading it is what fails


def test_batches_are_to_array_in_parts(crops):
    part = crops[:70]
    images, labels = zip(*part.batches(24, batch_size=32, channels=3), strict=True)
    assert [len(batch) for batch in labels] == [32, 32, 6]
    np.testing.assert_array_equal(np.concatenate(images), part.to_array(24, channels=3))
    np.testing.assert_array_equal(np.concatenate(labels), part.labels)


def test_batches_of_an_epoch_are_in_the_order_and_have_the_changes_of_that_epoch(crops):
    part = crops[:20]
    pipeline = Pipeline([Rotate((10, 350))], random_state=3)

    def batches(epoch: int) -> tuple[np.ndarray, np.ndarray]:
        found = part.batches(8, 20, pipeline, shuffle=True, random_state=1, epoch=epoch)
        return next(iter(found))

    images, _ = batches(5)
    np.testing.assert_array_equal(batches(5)[0], images)
    direct = pipeline(part.images, 8, ids=part.ids, copy=5)
    order = [np.abs(direct - image[..., 0]).reshape(20, -1).sum(1).argmin() for image in images]
    assert sorted(order) == list(range(20))
    assert order != list(range(20))
    assert (batches(6)[0] != images).any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 3), (9, 12, 4)])
def test_large_changed_batches_are_what_each_image_becomes_by_itself(shape, dtype, channels):
    rng = np.random.default_rng(0)
    part = ImageDataset(rng.integers(0, 256, (11, *shape), dtype=np.uint8), [0, 1] * 5 + [1])
    pipeline = Pipeline([Rotate((10, 350))], random_state=3)
    images, labels = zip(
        *part.batches(256, 2, pipeline, channels=channels, dtype=dtype, epoch=4), strict=True
    )
    np.testing.assert_array_equal(np.concatenate(labels), part.labels)
    found = np.concatenate(images)
    assert found.shape == (11, 256, 256, channels)
    assert found.dtype == dtype
    for image, name, result in zip(part.images, part.ids, found, strict=True):
        changed = Image.fromarray(pipeline.apply(image, pipeline.sample(name, 4), 256))
        expected = np.asarray(changed.convert("L" if channels == 1 else "RGB"), dtype=float)
        scale = 255 if dtype == "float32" else 1
        # Pillow rounds the weights of red, green and blue to 16 bits
        np.testing.assert_allclose(result.squeeze() * scale, expected, atol=1)


@pytest.mark.parametrize(
    ("name", "value"), [("size", 0), ("batch_size", 0), ("epoch", -1), ("augment", "flip")]
)
def test_batches_tell_of_bad_parameters_at_once(crops, name, value):
    with pytest.raises(InvalidParameterError, match=name):
        crops.batches(**{"size": 8, name: value})


def test_labels_may_be_names(random_image):
    images = [random_image((4, 4))] * 4
    dataset = ImageDataset(images, ["nucleus", "micronucleus", "nucleus", "nucleus"])
    assert dataset.class_names == ("nucleus", "micronucleus")
    assert dataset.labels.tolist() == [0, 1, 0, 0]
    assert ImageDataset(images, ["nucleus"] * 4).class_names == ("nucleus", "micronucleus")
    three = ImageDataset(images, np.array(["c", "a", "b", "a"]))
    assert (three.class_names, three.labels.tolist()) == (("a", "b", "c"), [2, 0, 1, 0])
    chosen = ImageDataset(images, ["MN", "mn ", "ok", "ok"], ["ok", "MN"])
    assert chosen.labels.tolist() == [1, 1, 0, 0]
    with pytest.raises(InvalidParameterError, match="^labels: expected names among ok, MN"):
        ImageDataset(images, ["MN", "other", "ok", "ok"], ["ok", "MN"])
    with pytest.raises(
        InvalidParameterError, match="^labels: expected whole numbers from 0 to 1, or"
    ):
        ImageDataset(images, ["MN", None, "ok", "ok"])


def test_groups_may_be_a_column_of_the_metadata(crops):
    by_line = crops.with_groups("cell_line")
    np.testing.assert_array_equal(by_line.groups, crops.metadata["cell_line"])
    with pytest.raises(InvalidParameterError, match="^groups: expected .* a column of: field"):
        crops.with_groups("plate")


def test_columns_of_pandas(random_image):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"label": ["ok", "MN", "ok"], "slide": [1, 1, 2], "dose": [0.5, 1.5, 0]}
    )
    for column in (frame["label"], frame["label"].astype("category")):
        dataset = ImageDataset(
            [random_image((4, 4))] * 3, column, ["ok", "MN"], groups=frame["slide"], metadata=frame
        )
        assert dataset.labels.tolist() == [0, 1, 0]
        assert dataset.groups.tolist() == ["1", "1", "2"]
        assert dataset.metadata["dose"].tolist() == [0.5, 1.5, 0]


def test_channels_are_what_to_array_gives(random_image):
    grey, colour = random_image((4, 4)), random_image((4, 4, 3))
    with_alpha = random_image((4, 4, 2))
    for images, expected in (([grey, with_alpha], 1), ([grey, colour], 3)):
        dataset = ImageDataset(images, [0, 1])
        assert dataset.channels == expected == dataset.to_array().shape[3]


def test_shared_groups_are_deprecated(crops):
    with pytest.warns(DeprecationWarning, match="is now called groups"):
        np.testing.assert_array_equal(crops.shared_groups, crops.groups)
    with pytest.warns(DeprecationWarning, match="is now called groups"):
        assert crops.with_groups(crops.ids).shared_groups is None


@pytest.mark.slow
def test_stream_is_to_array_in_batches(crops):
    part = crops[:70]
    batches = list(part.stream(24, batch_size=32, channels=3))
    assert [len(labels) for _, labels in batches] == [32, 32, 6]
    images = np.concatenate([images.numpy() for images, _ in batches])
    np.testing.assert_array_equal(images, part.to_array(24, channels=3))
    assert images.dtype == np.uint8
    labels = np.concatenate([labels.numpy() for _, labels in batches])
    assert labels.tolist() == part.labels.tolist()
    assert labels.dtype == np.int64


@pytest.mark.slow
def test_stream_augments_each_epoch_anew_and_repeatably(crops):
    part = crops[:10]
    pipeline = Pipeline([Rotate((10, 350))], random_state=3)

    def epochs() -> list[np.ndarray]:
        stream = part.stream(24, batch_size=4, augment=pipeline)
        return [np.concatenate([x.numpy() for x, _ in stream]) for _ in range(2)]

    first, second = epochs()
    assert (first != second).any()
    np.testing.assert_array_equal(epochs()[1], second)
    direct = pipeline(part.images, 24, ids=part.ids, copy=1)
    np.testing.assert_array_equal(second[..., 0], direct)


@pytest.mark.slow
def test_stream_shuffles_repeatably(crops):
    part = crops[148:168]

    def orders(seed: int) -> list[list[int]]:
        stream = part.stream(8, batch_size=20, shuffle=True, random_state=seed)
        return [next(iter(stream))[1].numpy().tolist() for _ in range(3)]

    assert orders(1) == orders(1)
    assert orders(1)[0] != orders(1)[1]
    assert sorted(orders(1)[0]) == sorted(part.labels.tolist())
