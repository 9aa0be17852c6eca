"""The page of a folder's predictions: the model, plates, probabilities, images, and labels."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from nucrec import _html as parts
from nucrec import _text as fmt
from nucrec._card import figures_table
from nucrec._plotting import STYLES, label, new_axes
from nucrec._text import html
from nucrec._version import __version__
from nucrec._web import script_of
from nucrec.datasets import ImageFiles
from nucrec.models._folders.cards import CardMaker
from nucrec.models._folders.chosen import BINS, Chooser, Chosen
from nucrec.models._folders.error_counts import ErrorCounts
from nucrec.models._folders.facts import (
    ModelFile,
    model_facts,
    readable_time,
    report_of_calibration,
    report_table,
)
from nucrec.models._folders.labels import TABLE, labels_data, loading_code, training_command
from nucrec.models._folders.places import Places
from nucrec.models._folders.plate_map import highest_share, plate_map
from nucrec.models._folders.prediction import FolderClassifier, ImagePrediction
from nucrec.models._folders.result import (
    FolderCounts,
    FolderPredictions,
    notes,
    summary_table,
)
from nucrec.models._saving.info import now

MOST_IMAGES = 2000
"""Pictures on a page; about 10 KB each, with a heat map, and less for small crops."""

_BOTTOM = f"""<div id="bottom" class="bar" hidden>
<span id="said" role="status" aria-live="polite"></span>
<button id="open">First without a label <kbd>F</kbd></button>
<button id="save">Save {TABLE} <kbd>S</kbd></button>
</div>"""


_OF_CALIBRATION = "Another test: the images that its probabilities were calibrated with"


@dataclass(frozen=True)
class Predicted:
    """The content of a page.

    Attributes
    ----------
    files : ImageFiles
        The images.
    found : FolderPredictions
        What was found by folder.
    wells : FolderPredictions or None
        What was found by well, where wells are known.
    chosen : Chosen
        The images to show.
    classifier : FolderClassifier
        What predicted them.
    file : ModelFile or None
        Its file, if it came from one.
    places : Places
        The wells of the images.
    """

    files: ImageFiles
    found: FolderPredictions
    wells: FolderPredictions | None
    chosen: Chosen
    classifier: FolderClassifier
    file: ModelFile | None
    places: Places


class PageParts:
    """The parts of a page, collected while predictions pass.

    Parameters
    ----------
    files : sequence of str
        The names of all images.
    class_names : tuple of str
        The classes, in the order of the probabilities.
    positive : int
        Position of the positive class.
    limit : int
        How many images are shown.
    """

    def __init__(
        self, files: Sequence[str], class_names: tuple[str, ...], positive: int, limit: int
    ) -> None:
        self.places = Places.of(files)
        self._counts = FolderCounts(class_names, self.places.well_of)
        self._chooser = Chooser(class_names, positive, limit)

    def seen(self, predictions: Iterable[ImagePrediction]) -> Iterator[ImagePrediction]:
        """Yield predictions, and keep what is needed of them."""
        return self._chooser.seen(self._counts.counted(predictions))

    @property
    def chosen(self) -> Chosen:
        """The images to show."""
        return self._chooser.chosen()

    def wells(
        self, confidence: float, error_rate: float | None, errors: ErrorCounts | None
    ) -> FolderPredictions | None:
        """Return what was found by well; None where wells are not known."""
        if not self._counts.has_images:
            return None
        return self._counts.result(None, (), confidence, error_rate, errors, None)


def prediction_page(about: Predicted) -> str:
    """Return the page of a folder; the images shown are read again, a few at a time."""
    path = about.files.path
    sections = [
        parts.numbers(_key_numbers(about.found)),
        _model_section(about),
        *_plate_sections(about),
        parts.section(
            "Folders",
            parts.table(*summary_table(about.found)),
            *map(parts.paragraph, notes(about.found)),
        ),
        _histogram_section(about),
        *_image_sections(about),
    ]
    if about.found.quarantined:
        problems = [tuple(entry) for entry in about.found.quarantined]
        left_out = parts.table(("file", "reason"), problems)
        sections.append(parts.section("Files without a prediction", left_out))
    shown = (*about.chosen.doubtful, *about.chosen.confident)
    data = labels_data(shown, about.classifier.class_names, about.places)
    script = parts.Script(script_of(__package__, "predictions.js"), data) if shown else None
    title = f"Predictions of {path.name or path}"
    return parts.page(title, sections, style=_asset("predictions.css"), script=script)


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _key_numbers(found: FolderPredictions) -> list[tuple[str, str]]:
    total = found.total
    numbers = [
        (f"{total.n:,}", "images"),
        (f"{total.positive:,}", f"called {found.positive_class}"),
        (f"{100 * total.share:.1f} %", "raw share"),
    ]
    if found.error_rate is not None:
        numbers.append((f"{total.needs_review:,}", "need review"))
    if total.unusual:
        numbers.append((f"{total.unusual:,}", "unlike the training images"))
    if found.quarantined:
        numbers.append((f"{len(found.quarantined):,}", "files without a prediction"))
    return numbers


def _model_section(about: Predicted) -> str:
    rows = [
        *model_facts(about.classifier.model, about.file, about.found.card),
        ("Predicted", f"{readable_time(now())}, by nucrec {__version__}"),
        ("Images", str(about.files.path)),
    ]
    return parts.section(
        "Model",
        f'<div class="beside"><div>{parts.facts(rows)}</div>',
        f"<div>{''.join(_test(about))}</div></div>",
    )


def _test(about: Predicted) -> list[str]:
    """Return what is known of the model's errors: its card, and the images it was calibrated with."""
    card, confidence = about.found.card, about.found.confidence
    tested = report_of_calibration(about.classifier.model, about.classifier.class_names, confidence)
    told = [parts.heading("Test report")]
    has_card = card is not None and bool(card.figures)
    if card is not None and card.figures:
        told += [
            parts.paragraph("On images left out of its training."),
            parts.table(*figures_table(card.figures)),
        ]
    if tested is not None:
        words = (
            f"On {fmt.images(tested.n)} with known labels that it was calibrated with and not trained "
            f"on. Intervals: {fmt.percent(confidence)}, for independent images."
        )
        content = [parts.paragraph(words), parts.table(*report_table(tested))]
        told += [parts.folded(_OF_CALIBRATION, *content)] if has_card else content
    if len(told) == 1:
        words = (
            "This model carries no test result. Before you rely on it, test it on labelled images "
            "from your microscope."
        )
        return [parts.paragraph(words)]
    return told


def _plate_sections(about: Predicted) -> list[str]:
    """Return the maps of the plates, and their rates as a table."""
    if about.wells is None:
        return []
    positive, wells = about.found.positive_class, about.wells.folders
    highest = highest_share(wells)
    header, *_ = summary_table(about.wells)
    words = (
        f"Percentage of images called {positive}, and below it the number of images in the well. The "
        f"colours run from dark blue for 0 to yellow for {100 * highest:.0f} %."
    )
    without = about.found.total.n - about.wells.total.n
    if without:
        words += f" {fmt.images(without)} with no well in the name are left out here."
    maps = [
        plate_map(plate, [w for w in wells if w.folder.rpartition("/")[0] == plate], highest)
        for plate in about.places.plates
    ]
    table = parts.table(("well", *header[1:]), summary_table(about.wells)[1])
    return [
        parts.section(
            "Plate map", parts.paragraph(words), *maps, parts.folded("Rates by well", table)
        )
    ]


def _histogram_section(about: Predicted) -> str:
    positive, counts = about.found.positive_class, about.chosen.counts
    bins = ", ".join(map(str, counts))
    alt = f"Histogram. Images in {BINS} bins of the probability, from 0 to 1: {bins}"
    histogram = parts.plot(lambda: _histogram(counts, positive), alt)
    return parts.section(f"Probability of {positive}", histogram)


def _histogram(counts: Sequence[int], positive: str) -> Any:
    ax = new_axes((6.4, 3.0))
    edges = np.linspace(0, 1, BINS + 1)
    ax.bar(edges[:-1], counts, 1 / BINS, align="edge", color=STYLES[0].colour, ec="white")
    ax.set(xlim=(0, 1), xlabel=f"probability of {label(positive)}", ylabel="number of images")
    ax.yaxis.get_major_locator().set_params(integer=True)
    return ax.figure


def _image_sections(about: Predicted) -> list[str]:
    doubtful, confident = about.chosen.doubtful, about.chosen.confident
    if not doubtful:
        return []
    names, positive = about.classifier.class_names, about.found.positive_class
    maker = CardMaker(about.files, about.classifier, names.index(positive), about.places)
    columns = [
        parts.heading(f"Closest to the decision ({len(doubtful)})"),
        maker.html(maker.cards(doubtful), 1),
    ]
    body = f'<div class="column">{"".join(columns)}</div>'
    if confident:
        clear = maker.html(maker.cards(confident), len(doubtful) + 1)
        head = parts.heading(f"Most confident calls ({len(confident)})")
        body += f'<div class="column">{head}{clear}</div>'
    words = map(parts.paragraph, _about_images(about, maker.has_heat_maps))
    content = [*words, _tools(about), f'<div class="columns">{body}</div>', _BOTTOM]
    return ['<section id="images">\n<h2>Images</h2>\n' + "\n".join(content) + "\n</section>"]


def _about_images(about: Predicted, has_heat_maps: bool) -> list[str]:
    shown, n = len(about.chosen.doubtful) + len(about.chosen.confident), about.found.total.n
    if shown == n:
        words = [f"All {fmt.images(n)}."]
    else:
        words = [
            f"{shown:,} of {n:,} images are shown: those closest to the decision, and for comparison "
            "the most confident calls of each class. The table of predictions has all."
        ]
    if has_heat_maps:
        words.append(
            f"Beside each image: the regions that raised the score of {about.found.positive_class} "
            "(Grad-CAM), from violet to yellow, each scaled to its own maximum. No colour means that "
            "no region did."
        )
    return words


def _tools(about: Predicted) -> str:
    """Return the controls that the script uses; they are hidden where no script runs."""
    names = about.classifier.class_names
    flags = [("review", "needs review")] if about.found.error_rate is not None else []
    flags += [("unusual", "unlike the training images")] if about.found.total.unusual else []
    shown = (*about.chosen.doubtful, *about.chosen.confident)
    wells = sorted({about.places.well_of(each.file) or "" for each in shown} - {""})
    selects = [
        _select("sort", "Sort by", _orders(about), ""),
        _select("call", "Called", [(str(k), name) for k, name in enumerate(names)], "any class"),
        _select("labelled", "Labels", [("no", "not labelled yet"), ("yes", "labelled"),
                                       ("other", "label differs from the call")], "all"),
        *([_select("well", "Well", [(well, well) for well in wells], "all")] if wells else []),
        *([_select("flags", "Marked", flags, "all")] if flags else []),
    ]  # fmt: skip
    source = about.files.path, about.files.channel, names
    values = {
        "SELECTS": "".join(selects),
        "TABLE": TABLE,
        "COMMAND": html(training_command(*source)),
        "PYTHON": html(loading_code(*source)),
    }
    template = _asset("predictions.html")
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: values[found[1]], template)


def _orders(about: Predicted) -> list[tuple[str, str]]:
    positive = about.found.positive_class
    orders = [
        ("margin", "doubt, greatest first"),
        ("-margin", "confidence, greatest first"),
        ("-probability", f"probability of {positive}, highest first"),
        ("probability", f"probability of {positive}, lowest first"),
        ("name", "name"),
    ]
    return [*orders, *([("well", "well")] if about.wells is not None else [])]


def _select(name: str, words: str, options: Sequence[tuple[str, str]], every: str) -> str:
    first = [("", every)] if every else []
    choices = "".join(
        f'<option value="{html(k)}">{html(v)}</option>' for k, v in (*first, *options)
    )
    return f'<label>{html(words)}<select id="{name}">{choices}</select></label>'
