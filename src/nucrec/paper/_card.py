"""The run record on one page, for people."""

from collections.abc import Mapping
from typing import Any

from nucrec import _text as fmt
from nucrec.paper._verdict import Claim, claims_text

FOR_THE_AUTHOR = "for the author to say"


def card(record: Mapping[str, Any], claims: tuple[Claim, ...]) -> str:
    """Return the record as a page of Markdown.

    Parameters
    ----------
    record : mapping
        What `make_record` returned.
    claims : tuple of Claim
        The verdict.
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
            f"{data['n_groups']} groups; {len(data['quarantined'])} files left out",
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
            claims_text(claims).partition("\n\n")[2],
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
    "table", "protocol", "training", "test", "copies in training", "groups in training", "seconds",
)  # fmt: skip


def _classes(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {name}" for name, count in data["classes"].items())


def _division(run: Mapping[str, Any]) -> tuple[str, ...]:
    rows = run["rows"]
    seconds = run.get("seconds", sum(row.get("seconds", 0.0) for row in rows))
    return (
        str(run["table"]),
        run["protocol"],
        str(run["n_train"]),
        str(run["n_test"]),
        f"{run['leaked_families']:.0%}",
        f"{run['leaked_groups']:.0%}",
        f"{seconds:.0f}",
    )


def _items(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the guidelines ask, and what the run says to it."""
    data, parameters = record["data"], record["parameters"]
    leaked = [run for run in record["runs"] if run["leaked_families"] or run["leaked_groups"]]
    honest = [run for run in record["runs"] if run["protocol"] == "honest"]
    separation = (
        f"divisions that keep groups apart: {len(honest)}; that do not, on purpose: {len(leaked)}"
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
        ("division into training and test", f"{parameters['test_size']:.0%} for the test, by seed"),
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
