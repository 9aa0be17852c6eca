"""The order of classes: anything like "micronucleus" comes last, so that it is the positive one."""

from collections.abc import Iterable, Sequence

from nucrec._validation import invalid


def order_classes(names: Iterable[str]) -> list[str]:
    """Return different class names sorted, with anything like "micronucleus" last."""
    return sorted(set(names), key=lambda name: (looks_micronuclear(name), name))


def looks_micronuclear(name: str) -> bool:
    """Tell whether a name is some spelling of micronucleus, the published "Micronuclie" included."""
    return _letters(name).startswith("micronucl")


def positive_class(names: Sequence[str]) -> str:
    """Return the class that is counted: micronucleus, or the last one where none is called so."""
    return next(filter(looks_micronuclear, names), names[-1])


def looks_nuclear(name: str) -> bool:
    """Tell whether a name is some spelling of nucleus, or normal."""
    return _letters(name).startswith(("nucle", "nucli", "normal"))


def check_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return class names as a tuple, or raise unless they are a sequence of different names."""
    expected = "a sequence of different names"
    if isinstance(class_names, str):
        raise invalid("class_names", expected, class_names)
    try:
        names = tuple(str(name) for name in class_names)
    except TypeError as error:
        raise invalid("class_names", expected, class_names) from error
    if not names or len(set(names)) < len(names):
        raise invalid("class_names", expected, class_names)
    return names


def _letters(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalpha())
