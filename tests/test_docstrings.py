"""Public docstrings: complete, and their examples run."""

import doctest
import importlib
import inspect
import itertools

import pytest

ROOMS = ["datasets", "augment", "audit", "models", "evaluate", "fields", "assay", "paper"]


def public() -> list[tuple[str, object]]:
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"nucrec.{room}")
        found += [(f"{room}.{name}", getattr(module, name)) for name in module.__all__]
    return found


def own_methods(thing: object) -> list[tuple[str, object]]:
    """Return the public functions and properties that a class of ours is the first to define."""
    if not inspect.isclass(thing):
        return []
    inherited = {name for base in thing.__mro__[1:] for name in vars(base)}
    return [
        (name, member.fget if isinstance(member, property) else member)
        for name, member in vars(thing).items()
        if not name.startswith("_") and name not in inherited
        if inspect.isfunction(member) or isinstance(member, property)
    ]


THINGS = public()
METHODS = [(f"{n}.{m}", f) for n, thing in THINGS for m, f in own_methods(thing)]
FUNCTIONS = [(name, thing) for name, thing in THINGS if inspect.isfunction(thing)]


@pytest.mark.parametrize(("name", "thing"), THINGS + METHODS, ids=[n for n, _ in THINGS + METHODS])
def test_has_a_docstring(name, thing):
    first = (inspect.getdoc(thing) or "").partition("\n")[0]
    assert first.endswith("."), name


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=[n for n, _ in FUNCTIONS])
def test_functions_are_described_whole(name, function):
    text = inspect.getdoc(function)
    signature = inspect.signature(function)
    taken = ["Parameters", "Raises"] if signature.parameters else []
    returns = [] if signature.return_annotation is None else ["Returns"]
    for section in (*taken, *returns, "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in text, section
    heads = [line for line in text.splitlines() if " : " in line and not line.startswith(" ")]
    described = {name.strip() for head in heads for name in head.partition(" : ")[0].split(",")}
    assert set(signature.parameters) <= described


WITH_PARAMETERS = [(n, f) for n, f in METHODS if len(inspect.signature(f).parameters) > 1]


@pytest.mark.parametrize(("name", "method"), WITH_PARAMETERS, ids=[n for n, _ in WITH_PARAMETERS])
def test_methods_describe_their_parameters(name, method):
    assert "\nParameters\n----------\n" in inspect.getdoc(method)


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(recurse=False)
    tests = [test for name, thing in THINGS + METHODS for test in finder.find(thing, name)]
    return [test for test in tests if test.examples]


EXAMPLES = examples()


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_examples_run(test, capsys):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    result = runner.run(test, clear_globs=False)
    assert result.failed == 0, capsys.readouterr().out
    assert result.attempted > 0


def test_every_public_name_has_an_example():
    named = {test.name for test in EXAMPLES}
    assert {name for name, _ in THINGS} <= named
    assert len(EXAMPLES) > 25


@pytest.mark.parametrize(("name", "thing"), THINGS + METHODS, ids=[n for n, _ in THINGS + METHODS])
def test_sections_are_underlined(name, thing):
    lines = (inspect.getdoc(thing) or "").splitlines()
    for above, line in itertools.pairwise(lines):
        if line.startswith("---"):
            assert above.strip("-")
            assert line == "-" * len(above)
