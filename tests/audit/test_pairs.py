"""Pairs of images that show the same: found, and nothing else."""

import itertools

import numpy as np
import pytest
from PIL import Image
from tests.audit.planted import CHANGES, jpeg, levels, resized, turned

from nucrec.audit import DuplicatePair, DuplicatePairs, clusters, duplicates, leakage
from nucrec.datasets import ImageDataset, split
from nucrec.errors import InvalidParameterError


def overlap(crops: ImageDataset, a: int, b: int) -> float:
    """Share of the smaller of two windows of one field, from the shipped positions."""
    if crops.metadata["field"][a] != crops.metadata["field"][b]:
        return 0.0
    x, y, side = (crops.metadata[key].astype(int) for key in ("x", "y", "side"))
    wide = min(x[a] + side[a], x[b] + side[b]) - max(x[a], x[b])
    high = min(y[a] + side[a], y[b] + side[b]) - max(y[a], y[b])
    return max(wide, 0) * max(high, 0) / min(side[a], side[b]) ** 2


def test_planted_duplicates_are_found_and_nothing_else(crops):
    rng = np.random.default_rng(0)
    images, origin, planted = list(crops.images), list(range(len(crops))), {}
    for name, change in CHANGES.items():
        for i in rng.choice(len(crops), 60, replace=False).tolist():
            planted.setdefault(name, []).append((str(i), str(len(images))))
            images.append(change(crops.images[i], int(rng.integers(1, 8))))
            origin.append(i)
    pairs = duplicates(ImageDataset(images, np.zeros(len(images), int)), min_overlap=1)
    found = {(pair.a, pair.b) for pair in pairs}
    right = [origin[int(a)] == origin[int(b)] for a, b in found]
    assert np.mean(right) >= 0.99
    recall = {name: np.mean([pair in found for pair in both]) for name, both in planted.items()}
    assert np.mean(list(recall.values())) >= 0.99, recall
    assert min(recall.values()) >= 0.95, recall


def test_windows_that_overlap_by_half_are_found_and_nothing_else(crops):
    position = {name: i for i, name in enumerate(crops.ids)}
    pairs = [pair for pair in duplicates(crops) if pair.kind == "overlap"]
    found = {(position[pair.a], position[pair.b]): pair for pair in pairs}
    fields = crops.metadata["field"]
    together = (np.flatnonzero(fields == field).tolist() for field in np.unique(fields))
    true = {
        both
        for field in together
        for both in itertools.combinations(field, 2)
        if overlap(crops, *both) >= 0.5
    }
    assert len(true) > 150
    assert len(true & set(found)) / len(true) >= 0.9
    assert len(true & set(found)) / len(found) >= 0.95
    for both, pair in found.items():
        assert pair.overlap == pytest.approx(overlap(crops, *both))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda image: image.copy(), "exact"),
        (jpeg, "re-encoded"),
        (lambda image: turned(image, 5), "turned"),
        (lambda image: resized(image, 2), "resized"),
        (lambda image: levels(image, 0.7, 1), "intensity"),
        (lambda image: levels(resized(turned(image, 3), 2), 0.7, 1), "turned+resized+intensity"),
        (lambda image: np.stack([image] * 3, axis=2), "re-encoded"),
        (lambda image: image.astype(np.float32) / 255, "intensity"),
        (lambda image: image[:, :-20], "overlap"),
    ],
)
def test_kinds(crops, change, kind):
    image = crops.images[100]
    pairs = duplicates(ImageDataset([*crops[:20].images, image, change(image)], np.zeros(22, int)))
    assert [(pair.a, pair.b, pair.kind) for pair in pairs if pair.b == "21"] == [("20", "21", kind)]


@pytest.mark.parametrize("shape", [(20, 20), (57, 57), (16, 40), (40, 13)])
@pytest.mark.parametrize("k", range(1, 8))
def test_each_symmetry_of_the_square_is_found(k, shape):
    rng = np.random.default_rng(k)
    small = rng.integers(0, 255, (5, 5)).astype(np.uint8)
    image = np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC))
    noise = rng.integers(0, 255, shape).astype(np.uint8)
    pairs = duplicates(ImageDataset([image, noise, turned(image, k)], [0] * 3), min_overlap=1)
    assert [(pair.a, pair.b, pair.kind) for pair in pairs] == [("0", "2", "turned")]
    assert pairs[0].similarity == pytest.approx(1, abs=1e-3)


def test_brightness_and_contrast_do_not_count(crops):
    image = np.clip(crops.images[100], 50, 200)
    both = ImageDataset([image, np.rint(image * 0.5 + 9).astype(np.uint8)], [0, 0])
    (pair,) = duplicates(both, similarity=0.99, min_overlap=1)
    assert pair.kind == "intensity"


def test_many_images_are_compared_in_parts():
    # 3,500 pictures are more than are compared at once; pairs lie within and across the parts
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 255, (3500, 20, 20), dtype=np.uint8))
    planted = [(0, 3499), (3, 4), (1200, 2500), (3400, 3490), (2395, 2396), (2397, 2398)]
    for a, b in planted:
        images[b] = turned(images[a], 1 + (a + b) % 7)
    found = duplicates(ImageDataset(images, np.zeros(3500, int)), min_overlap=1)
    assert sorted((int(pair.a), int(pair.b)) for pair in found) == sorted(planted)


def test_constant_and_tiny_images_pair_only_when_equal():
    images = [np.zeros((30, 30), np.uint8), np.full((30, 30), 7, np.uint8)]
    images += [np.full((30, 30), 7, np.uint8), np.arange(4, dtype=np.uint8).reshape(2, 2)]
    pairs = duplicates(ImageDataset(images, np.zeros(4, int)))
    assert [(pair.a, pair.b, pair.kind) for pair in pairs] == [("1", "2", "exact")]


def test_nothing_and_one_image():
    empty = ImageDataset(np.zeros((1, 9, 9), np.uint8), [0])
    assert len(duplicates(empty)) == 0
    assert len(duplicates(empty[:0])) == 0
    assert clusters(empty).tolist() == ["0"]


def test_pairs_can_be_told_and_written(crops, tmp_path):
    pairs = duplicates(crops[:60], min_overlap=0.2)
    assert len(pairs) > 1
    assert pairs[0].similarity >= pairs[1].similarity
    assert isinstance(pairs[:1], DuplicatePairs)
    assert sum(pairs.counts.values()) == len(pairs) == len(list(pairs))
    assert f"{len(pairs)} pairs among 60 images" in str(pairs)
    assert pairs.to_dict()["pairs"][0] == pairs[0]._asdict()
    pairs.save_csv(tmp_path / "pairs.csv")
    lines = (tmp_path / "pairs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "a,b,kind,similarity,overlap,across"
    assert len(lines) == len(pairs) + 1
    assert str(DuplicatePairs([], 3)) == "0 pairs among 3 images"
    assert "and 2 more" in str(DuplicatePairs([DuplicatePair("a", "b", "exact", 1.0, 1.0)] * 12, 9))


@pytest.fixture
def contradictory(crops) -> ImageDataset:
    """An exact pair of one class, and a brighter copy in the other class; their names are long."""
    images = [crops.images[k] for k in (5, 5, 100, 100)]
    images[3] = np.minimum(images[3].astype(float) * 1.2, 255).astype(np.uint8)
    folder = "a folder with quite a long name/" * 2
    ids = [f"{folder}{k}.png" for k in range(4)]
    return ImageDataset(images, [0, 0, 0, 1], ["normal", "micronucleus"], ids=ids)


def test_pairs_across_classes_come_first(contradictory, tmp_path):
    pairs = duplicates(contradictory, min_overlap=1)
    assert [pair.across for pair in pairs] == [True, False]
    assert pairs[0].similarity < pairs[1].similarity
    assert (pairs[0].a, pairs[0].b) == tuple(contradictory.ids[2:])
    assert pairs.summary.endswith("1 across classes")
    pairs.save_csv(tmp_path / "pairs.csv")
    rows = (tmp_path / "pairs.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.rpartition(",")[2] for row in rows] == ["yes", ""]
    train, test = contradictory[::2], contradictory[1::2]
    assert [pair.across for pair in leakage(train, test, min_overlap=1).pairs] == [True, False]


@pytest.mark.parametrize("columns", [60, 80, 300])
def test_tables_fit_the_terminal_with_whole_names(contradictory, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    pairs = duplicates(contradictory, min_overlap=1)
    lines = str(pairs).splitlines()
    assert max(map(len, lines[2:])) <= columns
    assert ("images" in lines[2]) == (columns < 300)
    if columns < 300:
        kinds = max(len(pair.kind) for pair in pairs)  # aligned with the end of their header
        end = lines[2].index("kind") + len("kind") - kinds
        names = "".join(line[:end] for line in lines[3:])
        assert names.replace(" ", "") == "".join(
            name.replace(" ", "") for pair in pairs for name in (pair.a, pair.b)
        )


def test_clusters_make_an_honest_split_possible(crops):
    part = crops[1020:1320]  # of both classes
    alone = ImageDataset(list(part.images), part.labels)
    grouped = alone.with_groups(clusters(alone))
    assert len(set(grouped.groups)) < len(part)
    train, _ = split(grouped, random_state=0)
    inside = {str(name) for name in train.ids}
    across = [
        pair
        for pair in duplicates(alone, min_overlap=0.2)
        if (pair.a in inside) != (pair.b in inside)
    ]
    assert not across
    plain_train, _ = split(alone, random_state=0)
    inside = {str(name) for name in plain_train.ids}
    assert any(
        (pair.a in inside) != (pair.b in inside) for pair in duplicates(alone, min_overlap=0.2)
    )


def test_clusters_join_what_is_linked_by_others_and_augmented_copies(crops):
    image = crops.images[100]
    images = [crops.images[5], image, turned(image, 1), resized(image, 2), crops.images[7]]
    dataset = ImageDataset(
        images,
        np.zeros(5, int),
        ids=["a", "b", "c", "d", "e"],
        parents=["a", "b", "c", "d", "a"],
    )
    assert clusters(dataset).tolist() == ["a", "b", "b", "b", "a"]


@pytest.mark.parametrize(
    ("name", "value"), [("similarity", 0.2), ("similarity", 1.5), ("min_overlap", 0)]
)
def test_parameters_out_of_range(crops, name, value):
    for function in (duplicates, clusters):
        with pytest.raises(InvalidParameterError, match=name):
            function(crops[:2], **{name: value})
    with pytest.raises(InvalidParameterError, match="dataset"):
        duplicates(crops.images)


def test_progress_goes_from_start_to_end(crops):
    seen = []
    duplicates(crops[:30], progress=lambda done, total, what: seen.append((done, total)))
    assert seen[-1] == (90, 90)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
