"""Display of an evaluation in notebooks: its report, and the misclassified images."""

from typing import Any

from nucrec import _notebook as show
from nucrec._text import many
from nucrec.models._evaluated.sections import called

_SHOWN = 12


def evaluation_html(found: Any) -> str:
    """Return the report, the most confidently misclassified images, and the groups."""
    wrong = found.wrong[:_SHOWN].tolist()
    tiles = [_tile(found, i) for i in wrong]
    some = f"; shown: {len(wrong)}, the most confident first" if wrong else ""
    told = f"{many(len(found.wrong), 'misclassified image')} of {found.report.n}{some}"
    error = found.calibration_error
    return show.fragment(
        found.report._repr_html_(),
        show.paragraphs("" if error is None else f"Calibration error {error}"),
        show.heading(told),
        show.thumbnails(tiles),
        show.Rows(found.groups)._repr_html_() if found.groups else "",
    )


def _tile(found: Any, i: int) -> show.Tile:
    picture = show.small_picture(lambda: found.images.images[i])
    return show.Tile([picture], str(found.images.ids[i]), called(found, i))
