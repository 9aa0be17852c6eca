"""Summarize the run record on one page."""

from collections.abc import Mapping
from typing import Any

from nucrec import _text as fmt
from nucrec._text import many

FOR_THE_AUTHOR = "for the author to say"


def card(record: Mapping[str, Any], verdict: str) -> str:
    """Return the record as a page of Markdown.

    Parameters
    ----------
    record : mapping
        The record that `make_record` returned.
    verdict : str
        The verdict on the claims, as plain text.
    """
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    hardware = record["hardware"]
    data = record["data"]
    parameters = ", ".join(f"{name} = {value}" for name, value in record["parameters"].items())
    failures = [
        f"table {entry['table']}, {entry['protocol']} protocol, {entry['name']}: {entry['outcome']}"
        for entry in record["failures"]
    ]
    return "\n".join(
        [
            "# Run card",
            "",
            f"- made: {record['created']}, in {record['seconds']:.0f} s",
            f"- with: {versions}",
            f"- on: {hardware['system']} {hardware['machine']}, {hardware['cores']} cores",
            f"- data: {data['source']}: {data['n']} images ({_classes(data)}) in "
            f"{many(data['n_groups'], 'group')}; {many(len(data['quarantined']), 'file')} left out",
            f"- fingerprint of the data: `{data['fingerprint']}`",
            f"- parameters: {parameters}",
            f"- failures: {'; '.join(failures) or 'none'}",
            "",
            "The ids of all test images, all reports and all timings are in `run.json`; "
            "`nucrec reproduce --from-record run.json` repeats the run and compares.",
            "",
            "## Verdict",
            "",
            "```text",
            verdict.partition("\n\n")[2],
            "```",
            "",
            "## Divisions",
            "",
            fmt.markdown_table(_DIVISION_HEADER, [_division(run) for run in record["runs"]]),
            "",
            "## What reporting guidelines ask",
            "",
            "Items that CLAIM (2024), TRIPOD+AI (2024) and REFORMS (2024) have in common, as far as "
            "this run can answer them.",
            "",
            fmt.markdown_table(("item", "answer"), _items(record)),
            "",
        ]
    )


_DIVISION_HEADER = (
    *("table", "protocol", "folds", "training", "test"),
    *("copies in training", "groups in training", "seconds"),
)


def _classes(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {name}" for name, count in data["classes"].items())


def _division(run: Mapping[str, Any]) -> tuple[str, ...]:
    folds = run["folds"]
    shares = [max(fold[key] for fold in folds) for key in ("leaked_families", "leaked_groups")]
    return (
        str(run["table"]),
        run["protocol"],
        str(len(folds)),
        *(fmt.counts(fold[key] for fold in folds) for key in ("n_train", "n_test")),
        *(f"{share:.0%}" for share in shares),
        f"{sum(map(_seconds, folds)):.0f}",
    )


def _seconds(fold: Mapping[str, Any]) -> float:
    return float(fold.get("seconds", sum(row.get("seconds", 0.0) for row in fold["rows"])))


def _items(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the items of the guidelines, and the answers of the run."""
    data, parameters = record["data"], record["parameters"]
    apart, leaked = (
        sum(len(run["folds"]) for run in record["runs"] if (run["protocol"] == "honest") is honest)
        for honest in (True, False)
    )
    separation = f"divisions that keep groups apart: {apart}; that do not, on purpose: {leaked}"
    division = (
        f"paper: {parameters['test_size']:.0%} for the test, by seed; honest: "
        f"{parameters['n_splits']} folds of whole groups, repeats: {parameters['n_repeats']}, by seed"
    )
    failures = len(record["failures"])
    return [
        ("intended use, and who is to benefit", FOR_THE_AUTHOR),
        ("source of the images", data["source"]),
        ("how images and patients were chosen", FOR_THE_AUTHOR),
        ("how the classes were determined, by whom, and how reliably", FOR_THE_AUTHOR),
        ("number of images, by class", _classes(data)),
        ("what was left out", f"{len(data['quarantined'])} files, each with its reason in run.json"),
        ("sample size: why it is enough", FOR_THE_AUTHOR + "; intervals show what it leaves open"),
        ("division into training and test", division),
        ("separation of training and test (leakage)", separation),
        ("preprocessing and augmentation", "in the tables' captions and the documentation"),
        ("models, with all settings", f"nucrec {record['versions']['nucrec']}, preset "
         f"{parameters['preset']}, defaults as documented"),
        ("randomness", f"seed {parameters['random_state']} for everything"),
        ("measures of performance, with uncertainty", "each with a 95 % interval, in the tables"),
        ("failed runs", "none" if not failures else f"{failures}, listed above"),
        ("test on data from elsewhere (external validation)", "none in this run; " + FOR_THE_AUTHOR),
        ("fairness across groups of people", FOR_THE_AUTHOR),
        ("limitations", FOR_THE_AUTHOR),
        ("software, versions, hardware", "above"),
        ("code and data available", "nucrec is open source; the data: " + FOR_THE_AUTHOR),
        ("ethics, funding, conflicts of interest", FOR_THE_AUTHOR),
    ]  # fmt: skip
