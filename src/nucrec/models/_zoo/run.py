"""Running many classifiers: on one training and test set, on several, or over folds."""

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
    """Fit each classifier on the training set and report on the test set.

    They run in child processes with one thread each, on this machine or where
    `joblib.parallel_config` says. One that raises, hangs, or takes its process down becomes a row
    that says so, and the others go on in a new process. Results depend neither on `n_jobs` nor on
    where classifiers run, as long as none draws on global state that another one changes.

    Networks (`ImageClassifier`) come first. On the CPU they are trained side by side, each on
    `network_cores` cores; where TensorFlow finds a GPU, one after the other on it, in a process that
    takes as much of its memory as it needs and gives it back at the end.

    Parameters
    ----------
    zoo : mapping of str to classifier
        Unfitted scikit-learn classifiers, such as `classical_zoo` returns, and networks, such as
        `transfer` returns; they stay unfitted.
    train, test : ImageDataset, or pair (X, y)
        `ImageDataset`, or anything that the classifiers take with labels of shape (n,).
    timeout : float, optional
        Seconds for each classifier to fit and predict. Then its process is killed. By default no
        limit.
    n_jobs : int, optional
        Classifiers at a time; by default what `joblib.parallel_config` says, else one for each
        core. Dask uses all its workers.
    confidence : float, default=0.95
        Of the intervals in the reports.
    learning_curves : bool, default=False
        Whether networks are evaluated on the test set after each epoch as well, for the ``history``
        and ``validation_proba`` of their rows. It takes no part in the training.
    checkpoint_dir : path, optional
        Folder in which each network keeps its state after each epoch. The same call with the same
        folder goes on where a killed one was.
    network_cores : int, default=1
        Cores for each network that is trained on the CPU. With more than one, fewer are trained at a
        time, and results may differ in the last digits, because sums are added in another order.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (classifiers done, classifiers in all,
        what is done), also from other threads, but never from two at once.

    Returns
    -------
    ZooResult
        A row for each classifier, in the order of the zoo. Intervals allow for groups where images
        of the test set share groups.

    Raises
    ------
    InvalidParameterError
        The zoo is empty, a network asks for `early_stopping`, for which the test set must not be
        used, or for a `strategy`, only one class occurs in the training set, or a parameter is out
        of range.
    NucrecError
        A worker of the backend that `joblib.parallel_config` names cannot load what it is sent.

    Warns
    -----
    LeakageWarning
        Test images are copies of training images, or a property of the files alone tells the classes
        apart (`nucrec.datasets.find_shortcuts`).
    DataWarning
        Images with the same pixels have different labels.

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
    """Do what `run_zoo` does on several training and test sets, side by side.

    No core waits for the slowest classifier of one before the next begins.

    Parameters
    ----------
    zoo : mapping of str to classifier
        As in `run_zoo`.
    divisions : mapping of str to pair (train, test)
        The training and test sets, as in `run_zoo`, under names of their own.
    timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress : optional
        As in `run_zoo`.

    Returns
    -------
    iterator of pair (str, ZooResult)
        The name of a division and what was found on it, as each is done.

    Raises
    ------
    InvalidParameterError
        There are no divisions, or as in `run_zoo`.
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
    """Cross-validate classifiers and networks, all on the same folds.

    Classifiers and folds run side by side, where `joblib.parallel_config` says, and networks as
    `run_zoo` trains them. What each said of the images that it was not fitted on is kept.

    Parameters
    ----------
    zoo : mapping of str to classifier
        As in `run_zoo`.
    dataset : ImageDataset
        Originals.
    n_splits : int, default=5
        Folds in each repeat, at least 2.
    n_repeats : int, default=1
        How many times to divide, each time otherwise.
    by : {"group", "image"}, default="group"
        As in `nucrec.datasets.folds`.
    augment : Pipeline, optional
        Adds changed copies to the training part of each fold; test parts stay as they are.
    copies : int, default=4
        Changed copies of each training image.
    timeout, n_jobs, confidence, learning_curves, checkpoint_dir, network_cores, progress : optional
        As in `run_zoo`.
    random_state : int, optional
        Seed of the division; by default another one each time.

    Returns
    -------
    CrossValidation
        A row for each classifier, the result of each fold, mean, spread and interval over the folds,
        and the prediction for each image.

    Raises
    ------
    SplitError
        The data cannot be divided into so many folds.
    InvalidParameterError
        The zoo is empty, only one class occurs in the data set, or a parameter is out of range.
    NucrecError
        As in `run_zoo`.

    See Also
    --------
    nucrec.evaluate.over_folds : how intervals are found.
    nucrec.evaluate.rank_folds : how classifiers are compared.

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
