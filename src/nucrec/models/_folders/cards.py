"""The images of a page: each a card with its pictures, its call, and a place for a label."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nucrec._html import picture
from nucrec._text import html, number
from nucrec.datasets import ImageDataset, ImageFiles
from nucrec.models._classifier import ImageClassifier
from nucrec.models._explain import grey_levels
from nucrec.models._folders.chosen import margin_of
from nucrec.models._folders.places import Places
from nucrec.models._folders.prediction import FolderClassifier, ImagePrediction

_AT_A_TIME = 16  # images of any size, with their heat maps


@dataclass(frozen=True)
class Card:
    """An image on the page.

    Attributes
    ----------
    prediction : ImagePrediction
        What the model says of it.
    pictures : tuple of str
        The image and its heat map, as HTML; none if it cannot be read any more.
    problem : str
        Why not.
    """

    prediction: ImagePrediction
    pictures: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class CardMaker:
    """Reads images again, draws heat maps, and writes cards.

    Attributes
    ----------
    files : ImageFiles
        Where the images are.
    classifier : FolderClassifier
        What predicted them.
    positive : int
        The position of the class that heat maps are for.
    places : Places
        The wells of the files.
    """

    files: ImageFiles
    classifier: FolderClassifier
    positive: int
    places: Places

    @property
    def has_heat_maps(self) -> bool:
        """Whether the model can say where it looked."""
        return isinstance(self.classifier.model, ImageClassifier)

    def cards(self, shown: Sequence[ImagePrediction]) -> list[Card]:
        """Return the cards of predictions, in their order."""
        made: dict[str, Card] = {}
        by_file = {prediction.file: prediction for prediction in shown}
        again = ImageFiles(self.files.path, list(by_file), channel=self.files.channel)
        for images in again.parts(_AT_A_TIME):
            for file, reason in images.quarantined:
                made[file] = Card(by_file[file], problem=f"cannot be read any more: {reason}")
            if len(images):
                pictures = zip(images.ids.tolist(), self._pictures(images), strict=True)
                made |= {file: Card(by_file[file], found) for file, found in pictures}
        return [made[prediction.file] for prediction in shown]

    def html(self, cards: Sequence[Card], first: int) -> str:
        """Return a list of cards, the first with this number."""
        items = (self._item(card, number) for number, card in enumerate(cards, first))
        return '<ul class="cards">\n' + "\n".join(items) + "\n</ul>"

    def _pictures(self, images: ImageDataset) -> Iterator[tuple[str, ...]]:
        """Yield the picture of each image, and, of a network, that of its heat map."""
        names, model = self.classifier.class_names, self.classifier.model
        found = model.explain(images, self.positive) if self.has_heat_maps else None
        for k, (name, image) in enumerate(zip(images.ids.tolist(), images.images, strict=True)):
            plain = picture(grey_levels(image), name)
            if found is None:
                yield (plain,)
            else:
                words = f"{name}: heat map for {names[self.positive]}"
                yield plain, picture(found.overlay(k), words)

    def _item(self, card: Card, number_: int) -> str:
        name = f"image-{number_}"
        attributes = "".join(f' data-{k}="{html(v)}"' for k, v in self._data(card).items())
        return (
            f'<li id="{name}"{attributes}><figure id="{name}-large">'
            f'<a class="enlarge" href="#{name}-large">{" ".join(card.pictures)}'
            f"<span>Enlarge</span></a>{self._caption(card)}"
            f'<nav class="only-large"><a href="#{name}">Close</a>'
            f'<a data-step="-1" href="#image-{number_ - 1}-large">Back</a>'
            f'<a data-step="1" href="#image-{number_ + 1}-large">Next</a></nav></figure></li>'
        )

    def _data(self, card: Card) -> Mapping[str, str]:
        """Return what cards are sorted and chosen by."""
        prediction = card.prediction
        call = self.classifier.class_names.index(str(prediction.predicted))
        flags = [*(["review"] if prediction.needs_review else []),
                 *(["unusual"] if prediction.unusual else [])]  # fmt: skip
        return {
            "name": prediction.file,
            "call": str(call),
            "margin": f"{margin_of(prediction):.6f}",
            "probability": f"{prediction.probabilities[self.positive]:.6f}",
            "well": self.places.well_of(prediction.file) or "",
            "flags": " ".join(flags),
        }

    def _caption(self, card: Card) -> str:
        prediction = card.prediction
        call = f"{prediction.predicted}, {number(max(prediction.probabilities))}"
        review = ["a person should look at it"] if prediction.needs_review else []
        problem = [card.problem] if card.problem else []
        words = "; ".join([call, *review, *prediction.unusual, *problem])
        return f"<figcaption><b>{html(prediction.file)}</b>{html(words)}</figcaption>"
