"""Split a data set by group, so that the test set is new, or by image, as the paper did."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import equal_images
from nucrec._text import many
from nucrec._validation import check_choice, check_int, check_real, check_seed, invalid
from nucrec._warnings import warn
from nucrec.datasets._checks import check_training_data
from nucrec.datasets._dataset import ImageDataset
from nucrec.errors import LeakageWarning, SplitError

Array = npt.NDArray[Any]
By = Literal["group", "image"]

_ORDERS_TRIED = 50
_DIVISIONS_TRIED = 20
_GROUPS_WEIGHED = 20_000  # in all orders together, so that many groups take no longer


def split(
    dataset: ImageDataset,
    test_size: float = 0.3,
    by: By = "group",
    random_state: int | None = None,
) -> tuple[ImageDataset, ImageDataset]:
    """Split a data set into a training and a test set, with all classes in both.

    Parameters
    ----------
    dataset : ImageDataset
        The data set to split.
    test_size : float, default=0.3
        Share of the images in the test set, strictly between 0 and 1. By group, the share of each
        class comes as close to it as the groups allow.
    by : {"group", "image"}, default="group"
        "group" keeps each group on one side of the split, together with all augmented copies of an
        image and all images with the same pixels. "image" draws images at random, stratified by class,
        as the paper did; this is an honest test only if the images are independent.
    random_state : int, optional
        Seed; by default each call returns another split.

    Returns
    -------
    train, test : ImageDataset
        The two parts, in the order of `dataset`.

    Raises
    ------
    SplitError
        A class has fewer than two images, or (by group) too few groups for both parts.
    InvalidParameterError
        A parameter is out of range.

    Warns
    -----
    LeakageWarning
        A split by image of a data set with augmented or identical copies puts copies of one image
        into both parts, so that the test score says little about new images. Or a property of the
        files gives the class away (see `find_shortcuts`).
    DataWarning
        Images with the same pixels have different labels.

    Notes
    -----
    By group, up to 50 random orders of the groups are tried. In each, a group is assigned to the test
    set if this brings the class counts closer to the target (sum of squares), and the best order is
    used. A group larger than the target is therefore hardly ever tested on: with groups of 3, 30 and
    80 images, the largest was in none of 400 test sets. `folds` tests on each group once.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> len(train) + len(test), set(train.groups) & set(test.groups)
    (306, set())
    """
    _check_dataset(dataset)
    check_choice("by", by, ("group", "image"))
    check_real("test_size", test_size, low=0, high=1, open_ends=True)
    seed = check_seed("random_state", random_state)
    _check_class_sizes(dataset, 2)
    check_training_data(dataset)
    if by == "image":
        _warn_of_copies(dataset)
    return divide(dataset, test_size, by, seed)


def folds(
    dataset: ImageDataset,
    n_splits: int = 5,
    by: By = "group",
    random_state: int | None = None,
    *,
    n_repeats: int = 1,
) -> list[tuple[ImageDataset, ImageDataset]]:
    """Split a data set for cross-validation, so that each image is tested once per repeat.

    Parameters
    ----------
    dataset : ImageDataset
        The data set to split.
    n_splits : int, default=5
        Number of folds, at least 2.
    by : {"group", "image"}, default="group"
        As in `split`.
    random_state : int, optional
        Seed; by default each call returns other folds.
    n_repeats : int, default=1
        The number of repeats, each with other folds.

    Returns
    -------
    list of (train, test)
        ``n_splits * n_repeats`` pairs of `ImageDataset`, each with all classes in both parts; the
        pairs of the first repeat come first.

    Raises
    ------
    SplitError
        A class has fewer than `n_splits` images, or (by group) too few groups for the folds, or for
        as many different splits as there are repeats.
    InvalidParameterError
        A parameter is out of range.

    Warns
    -----
    LeakageWarning, DataWarning
        As in `split`.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : The method used to split by group.

    Examples
    --------
    >>> from nucrec.datasets import folds, load_mnfinder_crops
    >>> sum(len(test) for train, test in folds(load_mnfinder_crops(), 5, random_state=0))
    306
    """
    _check_dataset(dataset)
    check_choice("by", by, ("group", "image"))
    check_int("n_splits", n_splits, low=2)
    seed = check_seed("random_state", random_state)
    _check_class_sizes(dataset, n_splits)
    check_int("n_repeats", n_repeats, low=1)
    check_training_data(dataset)
    if by == "image":
        _warn_of_copies(dataset)
        units = None
    else:
        units = _units(dataset)
        _check_class_groups(dataset, units, n_splits)
    divisions: list[Array] = []
    for repeat in range(n_repeats):
        divisions.append(
            _another_division(dataset.labels, units, n_splits, seed, repeat, divisions)
        )
    pairs = []
    for numbers in divisions:
        for fold in range(n_splits):
            in_test = numbers == fold
            if not all(_has_all_classes(dataset, part) for part in (~in_test, in_test)):
                raise SplitError(
                    f"{n_splits} folds by group leave a fold without one of the classes: "
                    "use fewer folds, or more groups for each class"
                )
            pairs.append((dataset[~in_test], dataset[in_test]))
    return pairs


def divide(
    dataset: ImageDataset, test_size: float, by: By, seed: int
) -> tuple[ImageDataset, ImageDataset]:
    """Split without checking the parameters or warning of leakage."""
    draw = _draw_images if by == "image" else _draw_groups
    in_test = draw(dataset, test_size, seed)
    return dataset[~in_test], dataset[in_test]


def _another_division(
    labels: Array, units: Array | None, n_splits: int, seed: int, repeat: int, known: list[Array]
) -> Array:
    """Return the fold of each image, in a split that differs from all given ones."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if units is None else StratifiedGroupKFold
    for attempt in range(_DIVISIONS_TRIED):
        first = repeat == attempt == 0
        drawn = (
            seed if first else np.random.SeedSequence([seed, repeat, attempt]).generate_state(1)[0]
        )
        parts = splitter(n_splits, shuffle=True, random_state=int(drawn)).split(
            labels, labels, units
        )
        numbers = np.empty(len(labels), dtype=np.int64)
        for fold, (_, test) in enumerate(parts):
            numbers[test] = fold
        if not any(_same_division(numbers, other) for other in known):
            return numbers
    raise SplitError(
        f"there are only {len(known)} different divisions into {n_splits} folds: fewer repeats, or "
        "more groups, are needed"
    )


def _same_division(a: Array, b: Array) -> bool:
    """Return whether two splits are equal up to the numbering of the folds."""
    return len(np.unique(np.column_stack([a, b]), axis=0)) == len(np.unique(a))


def _warn_of_copies(dataset: ImageDataset) -> None:
    """Warn that a split by image separates copies from their originals."""
    augmented = int((dataset.parents != dataset.ids).sum())
    equal = int((np.bincount(equal_images(dataset.images.sources)) > 1).sum())
    found = [many(augmented, "augmented copy", "augmented copies")] if augmented else []
    found += [f"{equal} images that are there more than once"] if equal else []
    if found:
        warn(
            f"dividing by image a data set with {' and '.join(found)} puts copies of one image on "
            "both sides: the test score will be too good. Divide by='group', or augment the training "
            "part only.",
            LeakageWarning,
        )


def _draw_images(dataset: ImageDataset, test_size: float, seed: int) -> Array:
    from sklearn.model_selection import train_test_split

    try:
        _, test = train_test_split(
            np.arange(len(dataset)),
            test_size=test_size,
            random_state=seed,
            stratify=dataset.labels,
        )
    except ValueError as error:
        raise SplitError(
            f"{len(dataset)} images cannot be divided with test_size={test_size}: {error}"
        ) from error
    return np.isin(np.arange(len(dataset)), test)


def _draw_groups(dataset: ImageDataset, test_size: float, seed: int) -> Array:
    units = _units(dataset)
    _check_class_groups(dataset, units, 2)
    counts = np.zeros((units.max() + 1, len(dataset.class_names)))
    np.add.at(counts, (units, dataset.labels), 1)
    counts = counts[:, counts.any(axis=0)]
    rng = np.random.default_rng(seed)
    orders = max(1, min(_ORDERS_TRIED, _GROUPS_WEIGHED // len(counts)))
    tried = [_fill_test(counts, test_size, rng.permutation(len(counts))) for _ in range(orders)]
    total = counts.sum(axis=0)
    misfits = [_misfit(counts[chosen].sum(axis=0), total, test_size) for chosen in tried]
    best = tried[misfits.index(min(misfits))]
    if min(misfits)[0]:
        raise SplitError(
            f"no division of {len(counts)} groups with all classes in both parts was found: "
            "more groups for each class are needed"
        )
    return best[units]


def _fill_test(counts: Array, test_size: float, order: Array) -> Array:
    """Return the groups of the test set, each added in turn if it improves the fit."""
    chosen = np.zeros(len(counts), dtype=bool)
    total = counts.sum(axis=0)
    taken = np.zeros_like(total)
    misfit = _misfit(taken, total, test_size)
    for group in order:
        with_group = _misfit(taken + counts[group], total, test_size)
        if with_group < misfit:
            misfit = with_group
            taken = taken + counts[group]
            chosen[group] = True
    return chosen


def _misfit(taken: Array, total: Array, test_size: float) -> tuple[int, float]:
    """Return the misfit of a test set; smaller is better.

    The first element is the number of classes missing from the test set or from the training set; the
    second is the sum of squared differences between the shares of the classes and the target.
    """
    absent = int(np.count_nonzero(taken == 0) + np.count_nonzero(taken == total))
    return absent, float(((taken / total - test_size) ** 2 * total).sum())


def _units(dataset: ImageDataset) -> Array:
    """Return, for each image, the number of its unit, which must not be separated.

    A unit comprises a group, the copies of an original, and images with the same pixels.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    groups = np.unique(dataset.groups, return_inverse=True)[1]
    families = np.unique(dataset.parents, return_inverse=True)[1] + groups.max() + 1
    pixels = equal_images(dataset.images.sources) + families.max() + 1
    size = pixels.max() + 1
    from_groups, to_others = np.tile(groups, 2), np.concatenate([families, pixels])
    links = coo_array((np.ones(len(to_others)), (from_groups, to_others)), shape=(size, size))
    components = connected_components(links, directed=False)[1]
    return np.unique(components[groups], return_inverse=True)[1]


def _check_dataset(dataset: object) -> None:
    if not isinstance(dataset, ImageDataset):
        hint = "Make one of arrays with ImageDataset(images, labels)."
        raise invalid("dataset", "an ImageDataset", dataset, hint)


def _check_class_sizes(dataset: ImageDataset, least: int) -> None:
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    for name, count in zip(dataset.class_names, counts, strict=True):
        if count < least:
            raise SplitError(
                f"class {name!r} has {many(count, 'image')}: at least {least} are needed"
            )


def _check_class_groups(dataset: ImageDataset, units: Array, least: int) -> None:
    for k, name in enumerate(dataset.class_names):
        count = len(np.unique(units[dataset.labels == k]))
        if count < least:
            raise SplitError(
                f"class {name!r} is in {many(count, 'group')}: at least {least} are needed to have it "
                "on both sides. Add groups, or pass by='image' if the images are independent."
            )


def _has_all_classes(dataset: ImageDataset, positions: Array) -> bool:
    return len(np.unique(dataset.labels[positions])) == len(dataset.class_names)
