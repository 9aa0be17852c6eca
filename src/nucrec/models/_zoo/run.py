"""Running many classifiers: on one split, on several splits, or over folds."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from nucrec._progress import Progress
from nucrec._validation import check_int, invalid
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset, check_training_data, folds
from nucrec.models._inputs import check_several_classes
from nucrec.models._zoo.conditions import Conditions, check_zoo
from nucrec.models._zoo.cross_validation import CrossValidation
from nucrec.models._zoo.jobs import Division, Samples
from nucrec.models._zoo.result import ZooResult
from nucrec.models._zoo.schedule import run_divisions
from nucrec.models._zoo.truth import Truth


def run_zoo(
    zoo: Mapping[str, Any],
    train: Samples,
    test: Samples,
    timeout: float | None = None,
    n_jobs: int | None = None,
    *,
    confidence: float = 0.95,
    learning_curves: bool = False,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    network_cores: int = 1,
    progress: Progress | bool = False,
) -> ZooResult:
    """Fit each classifier on the training set and evaluate it on the test set.

    The classifiers run in child processes with one thread each, on this machine or on the backend set
    by `joblib.parallel_config`. One that raises, hangs or crashes its process becomes a row that says
    so, and the others continue in a new process. Results depend neither on `n_jobs` nor on where the
    classifiers run, as long as none depends on global state that another one changes.

    Networks (`ImageClassifier`) run first. On the CPU they are trained side by side, each on
    `network_cores` cores. If TensorFlow finds a GPU, they are trained on it one after the other, in a
    process that allocates GPU memory as needed and releases it at the end.

    Parameters
    ----------
    zoo : mapping of str to classifier
        Unfitted scikit-learn classifiers, such as those of `classical_zoo`, and networks, such as those
        of `transfer`; they stay unfitted.
    train, test : ImageDataset, or pair (X, y)
        The training and test sets: data sets, or samples that the classifiers accept with labels of
        shape (n,).
    timeout : float, optional
        Time limit in seconds for each classifier to fit and predict, after which its process is
        stopped. By default there is no limit.
    n_jobs : int, optional
        Number of classifiers to run at a time; by default that of `joblib.parallel_config`, otherwise
        one per core. On Dask, all workers are used.
    confidence : float, default=0.95
        Confidence level of the intervals in the reports.
    learning_curves : bool, default=False
        Whether to evaluate networks on the test set after each epoch as well, for the ``history`` and
        ``validation_proba`` of their rows. This does not influence the training.
    checkpoint_dir : path, optional
        Folder in which each network saves its training state after each epoch. The same call with the
        same folder resumes an interrupted run.
    network_cores : int, default=1
        Number of cores for each network that is trained on the CPU. With more than one, fewer networks
        are trained at a time, and results may differ in the last digits, because sums are computed in
        another order.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (classifiers done, total classifiers,
        message); it may be called from other threads, but never from two at once.

    Returns
    -------
    ZooResult
        One row per classifier, in the order of the zoo. Intervals account for groups if images of the
        test set share groups.

    Raises
    ------
    InvalidParameterError
        The zoo is empty, a network has `early_stopping` set, for which the test set must not be used,
        or a `strategy`, the training set holds only one class, or a parameter is out of range.
    NucrecError
        A worker of the backend set by `joblib.parallel_config` cannot load what it is sent.

    Warns
    -----
    LeakageWarning
        Test images are copies of training images, or a property of the files alone predicts the class
        (`nucrec.datasets.find_shortcuts`).
    DataWarning
        Images with identical pixels have different labels.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import classical_zoo, run_zoo
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> zoo = classical_zoo(random_state=0)
    >>> result = run_zoo({name: zoo[name] for name in ("KNN", "GNB")}, train, test)
    >>> [row.status for row in result]
    ['ok', 'ok']
    """
    conditions = Conditions(
        timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress
    )
    check_zoo(zoo, learning_curves=learning_curves)
    divisions = {"": Division.of(train, test)}
    _warn_of_leaks(train, test)
    ((_, result),) = run_divisions(zoo, divisions, conditions)
    return result


def run_zoos(
    zoo: Mapping[str, Any],
    divisions: Mapping[str, tuple[Samples, Samples]],
    timeout: float | None = None,
    n_jobs: int | None = None,
    *,
    confidence: float = 0.95,
    learning_curves: bool = False,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    network_cores: int = 1,
    progress: Progress | bool = False,
) -> Iterator[tuple[str, ZooResult]]:
    """Run a zoo on several training and test sets side by side.

    Each split is evaluated as by `run_zoo`; cores do not wait for the slowest classifier of one
    split before the next begins.

    Parameters
    ----------
    zoo : mapping of str to classifier
        As in `run_zoo`.
    divisions : mapping of str to pair (train, test)
        The training and test set of each split, as in `run_zoo`, by name.
    timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress : optional
        As in `run_zoo`.

    Returns
    -------
    iterator of pair (str, ZooResult)
        The name and result of each split, as soon as it is done.

    Raises
    ------
    InvalidParameterError
        `divisions` is empty, or as in `run_zoo`.
    NucrecError
        As in `run_zoo`.

    Warns
    -----
    LeakageWarning
        As in `run_zoo`.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import classical_zoo, run_zoos
    >>> crops = load_mnfinder_crops()
    >>> divisions = {f"seed {seed}": split(crops, random_state=seed) for seed in range(3)}
    >>> found = dict(run_zoos({"KNN": classical_zoo()["KNN"]}, divisions))
    >>> sorted(found)
    ['seed 0', 'seed 1', 'seed 2']
    """
    conditions = Conditions(
        timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress
    )
    check_zoo(zoo, learning_curves=learning_curves)
    is_mapping = isinstance(divisions, Mapping) and divisions
    if not is_mapping or any(len(pair) != 2 for pair in divisions.values()):
        raise invalid("divisions", "a non-empty mapping of names to (train, test)", divisions)
    checked = {name: Division.of(train, test) for name, (train, test) in divisions.items()}
    for train, test in divisions.values():
        _warn_of_leaks(train, test)
    return run_divisions(zoo, checked, conditions)


def cross_validate(
    zoo: Mapping[str, Any],
    dataset: ImageDataset,
    n_splits: int = 5,
    n_repeats: int = 1,
    *,
    by: Literal["group", "image"] = "group",
    augment: Pipeline | None = None,
    copies: int = 4,
    timeout: float | None = None,
    n_jobs: int | None = None,
    confidence: float = 0.95,
    learning_curves: bool = False,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    network_cores: int = 1,
    random_state: int | None = None,
    progress: Progress | bool = False,
) -> CrossValidation:
    """Cross-validate classifiers and networks on the same folds.

    Classifiers and folds run side by side, on the backend set by `joblib.parallel_config`; networks
    are trained as by `run_zoo`. The out-of-fold predictions of each classifier are kept.

    Parameters
    ----------
    zoo : mapping of str to classifier
        As in `run_zoo`.
    dataset : ImageDataset
        The original images, without augmented copies.
    n_splits : int, default=5
        Number of folds per repeat, at least 2.
    n_repeats : int, default=1
        Number of repeats, each with another split.
    by : {"group", "image"}, default="group"
        As in `nucrec.datasets.folds`.
    augment : Pipeline, optional
        Pipeline that adds augmented copies to the training set of each fold. Test sets stay
        unchanged.
    copies : int, default=4
        Number of augmented copies of each training image.
    timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress : optional
        As in `run_zoo`.
    random_state : int, optional
        Seed of the splits; by default, they differ between runs.

    Returns
    -------
    CrossValidation
        One row per classifier, the result of each fold, the mean, standard deviation and interval
        over the folds, and the out-of-fold predictions.

    Raises
    ------
    SplitError
        The data cannot be split into so many folds.
    InvalidParameterError
        The zoo is empty, the data set holds only one class, or a parameter is out of range.
    NucrecError
        As in `run_zoo`.

    See Also
    --------
    nucrec.evaluate.over_folds : the intervals over folds. nucrec.evaluate.rank_folds : the
    comparison of classifiers.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> from nucrec.models import classical_zoo, cross_validate
    >>> zoo = classical_zoo(random_state=0)
    >>> two = {name: zoo[name] for name in ("KNN", "GNB")}
    >>> found = cross_validate(two, load_mnfinder_crops(), n_splits=3, n_repeats=2, random_state=0)
    >>> len(found.metric("KNN", "ACC").folds)
    6
    """
    conditions = Conditions(
        timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress
    )
    check_zoo(zoo, learning_curves=learning_curves)
    check_int("copies", copies, low=1)
    if isinstance(dataset, ImageDataset):
        check_several_classes("dataset", dataset.labels, dataset)
    pairs = folds(dataset, n_splits, by, random_state, n_repeats=n_repeats)
    divisions = {
        f"fold {number} of {len(pairs)}": Division.of(
            augment.expand(train, copies) if augment else train, test
        )
        for number, (train, test) in enumerate(pairs, 1)
    }
    results = dict(run_divisions(zoo, divisions, conditions))
    in_order = tuple(results[name] for name in divisions)
    return CrossValidation(in_order, n_splits, float(confidence), Truth.of(dataset))


def _warn_of_leaks(train: Samples, test: Samples) -> None:
    if isinstance(train, ImageDataset) and isinstance(test, ImageDataset):
        check_training_data(train, test)
