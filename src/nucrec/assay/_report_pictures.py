"""The pictures of a report, as PNG files and as SVG for its page."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nucrec._files import replacing
from nucrec._optional import require
from nucrec._plotting import DPI, stacked_figure
from nucrec._written import PICTURES
from nucrec.assay._assay import Assay
from nucrec.assay._dose_plot import DoseResponseDisplay
from nucrec.assay._findings import Findings
from nucrec.assay._plate_plot import PlateDisplay
from nucrec.errors import InvalidParameterError, MissingExtraError


def draw_pictures(findings: Findings, folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Write the pictures, and return their panels as SVG by name, and what was left out."""
    drawn: dict[str, list[str]] = {}
    left_out = []
    for name, panels in zip(PICTURES, (_doses, _plates), strict=True):
        try:
            shown = list(panels(findings))
            figure = stacked_figure(shown)
        except MissingExtraError as error:
            return {}, [f"Left out: {' and '.join(f'{each}.png' for each in PICTURES)}. {error}"]
        except InvalidParameterError as error:
            left_out.append(f"Left out: {name}.png. {error}")
            continue
        with replacing(folder / f"{name}.png") as temporary:
            figure.savefig(temporary, format="png", dpi=DPI)
        parts = [figure] if len(shown) == 1 else [stacked_figure([panel]) for panel in shown]
        drawn[name] = list(map(_svg, parts))
    return drawn, left_out


def _svg(figure: Any) -> str:
    with require("matplotlib", extra="plots").rc_context({"svg.hashsalt": "nucrec"}):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _doses(findings: Findings) -> Iterator[tuple[str, DoseResponseDisplay]]:
    """Yield the doses of each compound, and then the other conditions together."""
    assay, families = findings.assay, findings.families
    for levels in _panels(assay, [family.levels for family in families if family.is_series]):
        part = replace(
            assay,
            conditions=levels,
            units=tuple(u for u in assay.units if u.condition in {each.name for each in levels}),
        )
        yield "", DoseResponseDisplay.from_assay(part, historical=findings.historical)


def _panels(assay: Assay, compounds: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    if len(compounds) < 2:
        yield assay.conditions
        return
    tested = {each.name for levels in compounds for each in levels}
    yield from compounds
    others = [each for each in assay.conditions if each.name not in tested]
    if others:
        yield (*(each for each in assay.conditions if each.is_control), *others)


def _plates(findings: Findings) -> Iterator[tuple[str, PlateDisplay]]:
    """Yield each plate."""
    assay = findings.assay
    plates = list(dict.fromkeys(unit.plate for unit in assay.units))
    for plate in plates:
        units = tuple(unit for unit in assay.units if unit.plate == plate)
        display = PlateDisplay.from_assay(replace(assay, units=units))
        yield f"{plate}: {display.title}" if plate else "", display
