"""Choice of the images on a page: those closest to the decision, and some confident ones."""

import heapq
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nucrec.models._folders.prediction import ImagePrediction

BINS = 20
_CLEAR = 3  # a third of the pictures are of confident predictions

Ranked = tuple[float, int, int, ImagePrediction]


@dataclass(frozen=True)
class Chosen:
    """The predictions that a page shows.

    Attributes
    ----------
    doubtful : tuple of ImagePrediction
        Those closest to the decision, the most doubtful first.
    confident : tuple of ImagePrediction
        The clearest ones of each class, as many of each, the clearest first.
    counts : tuple of int
        All images by the probability of the positive class, in bins from 0 to 1.
    """

    doubtful: tuple[ImagePrediction, ...]
    confident: tuple[ImagePrediction, ...]
    counts: tuple[int, ...]


class Chooser:
    """Keeps the most doubtful and the clearest predictions while all pass, and counts probabilities.

    Parameters
    ----------
    class_names : sequence of str
        The classes, in the order of the probabilities.
    positive : int
        Position of the positive class.
    limit : int
        How many predictions are kept.
    """

    def __init__(self, class_names: tuple[str, ...], positive: int, limit: int) -> None:
        self._counts = [0] * BINS
        self._positive = positive
        self._limit = limit
        self._doubtful: list[Ranked] = []  # heaps, first what goes next
        self._clear: dict[str, list[Ranked]] = {name: [] for name in class_names}
        self._n = 0

    def seen(self, predictions: Iterable[ImagePrediction]) -> Iterator[ImagePrediction]:
        """Yield predictions, and keep those to be shown."""
        for prediction in predictions:
            if prediction.error is None:
                self._add(prediction)
            yield prediction

    def chosen(self) -> Chosen:
        """Return what is to be shown."""
        shown = min(self._limit, self._n)
        each = shown // (_CLEAR * len(self._clear))
        clear = [row for heap in self._clear.values() for row in sorted(heap, reverse=True)[:each]]
        confident = tuple(prediction for *_, prediction in clear)
        files = {prediction.file for prediction in confident}
        doubtful = [row[-1] for row in sorted(self._doubtful, reverse=True)]
        rest = [prediction for prediction in doubtful if prediction.file not in files]
        return Chosen(tuple(rest[: shown - len(confident)]), confident, tuple(self._counts))

    def _add(self, prediction: ImagePrediction) -> None:
        share = prediction.probabilities[self._positive]
        self._counts[min(int(share * BINS), BINS - 1)] += 1
        margin = margin_of(prediction)
        # the clearest ones are often equally clear, and should not all be of the first well
        mixed = zlib.crc32(prediction.file.encode(errors="surrogatepass"))
        self._keep(self._doubtful, (-margin, 0, -self._n, prediction), self._limit)
        clear = self._clear[str(prediction.predicted)]
        self._keep(clear, (margin, mixed, -self._n, prediction), self._limit // _CLEAR)
        self._n += 1

    @staticmethod
    def _keep(heap: list[Ranked], row: Ranked, most: int) -> None:
        heapq.heappush(heap, row)
        if len(heap) > most:
            heapq.heappop(heap)


def margin_of(prediction: ImagePrediction) -> float:
    """Return how far the two most probable classes are apart: 0 is the greatest doubt."""
    *_, second, first = sorted(prediction.probabilities)
    return first - second
