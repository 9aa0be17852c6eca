"""Remarks on what a report is too small to show."""

from collections.abc import Iterator, Mapping, Sequence

from nucrec.evaluate._metric import Metric

_FEW = 10
"""Images of a class, or groups, that are too few."""

_FEW_OF_CLASS = 5
"""Groups with images of a class that are too few, even if there are many other groups."""

_FEW_WRONG = 3
"""Groups with a mistake that are too few to know how much groups differ."""


def on_classes(support: Mapping[str, int], confusion: Sequence[Sequence[int]]) -> Iterator[str]:
    """Yield remarks on classes that are rare, absent, or the only prediction."""
    few = [name for name, count in support.items() if 0 < count < _FEW]
    absent = [name for name, count in support.items() if not count]
    predicted = [sum(column) for column in zip(*confusion, strict=True)]
    answers = [name for name, count in zip(support, predicted, strict=True) if count]
    if few:
        yield f"fewer than {_FEW} images of {', '.join(few)}: too few to judge by"
    if absent:
        yield f"no image of {', '.join(absent)}: nothing is known of how it is recognised"
    if len(answers) == 1 and len(support) > len(absent) + 1:
        yield f"all images were classified as {answers[0]}"


def on_groups(n_groups: int | None, n_wrong: int | None, n_alike: float | None) -> Iterator[str]:
    """Yield a remark if too few groups, or too few groups with mistakes, show how groups differ."""
    if n_groups is None or n_wrong is None:
        return
    alike = n_groups if n_alike is None else n_alike
    if n_groups == 1:
        yield "1 group: it does not tell how groups differ, so there are no intervals"
    elif n_groups < _FEW:
        yield f"{n_groups} groups: too few to know how much groups differ; intervals may be too narrow"
    elif alike < _FEW:
        unequal = (
            f"{n_groups} groups of very different sizes say as much as {alike:.1f} of one size"
        )
        yield f"{unequal}: too few to know how much groups differ"
    elif n_wrong < _FEW_WRONG:
        wrong = f"mistakes in {n_wrong} of {n_groups} groups"
        yield f"{wrong}: how much groups differ is assumed; intervals may be too narrow"


def on_groups_of_classes(n_groups: int | None, of_classes: Mapping[str, int]) -> Iterator[str]:
    """Yield a remark on classes whose images are in few of many groups."""
    if n_groups is None or n_groups < _FEW:
        return
    few = [f"{name} in {n}" for name, n in of_classes.items() if 0 < n < _FEW_OF_CLASS]
    if few:
        found = f"images of {', '.join(few)} of {n_groups} groups"
        yield f"{found}: too few to know how it varies; intervals of recall may be too narrow"


def on_scores(mcc: Metric, auc: Metric | None) -> Iterator[str]:
    """Yield a remark if the intervals say that scores and predicted classes contradict each other."""
    if auc is None:
        return
    if (auc.high < 0.5 and mcc.low > 0) or (auc.low > 0.5 and mcc.high < 0):
        yield (
            "the scores contradict the predicted classes: their columns must be in the order of the "
            "classes, or be the score of the second class"
        )


def on_chance(low: float) -> Iterator[str]:
    """Yield a remark if the interval of the MCC begins at or below 0."""
    if low <= 0:
        yield "the interval of MCC reaches 0: this could be chance"
