"""How often images are called unlike the training images: python -m benchmarks.unusual.

Crops of each experiment against a model of the six others, and all crops, changed, against a model of
all: enlarged, shrunk, trimmed, blurred, darker, as a negative, with 16 bits.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from benchmarks.timing import markdown_table
from nucrec.datasets import ImageDataset, load_mnfinder_crops
from nucrec.models import TrainingDomain

Array = npt.NDArray[Any]


def main() -> None:
    """Print the table."""
    crops = load_mnfinder_crops("all")
    rows = [_shares("crops of other experiments", *_left_out(crops))]
    domain = TrainingDomain.of(crops)
    for name, change in _CHANGES.items():
        changed = _dataset(map(change, crops.images))
        rows.append(_shares(name, domain.unusual(changed), domain.fields_of_view(changed)))
    print(markdown_table(["images", "unusual", "refused as fields of view"], rows))


def _left_out(crops: ImageDataset) -> tuple[list[tuple[str, ...]], Array]:
    """Judge the crops of each experiment by those of all others."""
    experiments = crops.metadata["experiment"]
    reasons: list[tuple[str, ...]] = []
    fields = []
    for name in np.unique(experiments):
        domain = TrainingDomain.of(crops[experiments != name])
        reasons += domain.unusual(crops[experiments == name])
        fields.append(domain.fields_of_view(crops[experiments == name]))
    return reasons, np.concatenate(fields)


def _shares(name: str, reasons: list[tuple[str, ...]], fields: Array) -> list[str]:
    unusual = np.mean([bool(found) for found in reasons])
    return [name, f"{100 * unusual:.1f} %", f"{100 * fields.mean():.1f} %"]


def _dataset(images: Iterable[Array]) -> ImageDataset:
    found = list(images)
    return ImageDataset(found, np.zeros(len(found), int))


def _resized(factor: float) -> Callable[[Array], Array]:
    how = Image.Resampling.BICUBIC if factor > 1 else Image.Resampling.BOX

    def change(image: Array) -> Array:
        height, width = (round(side * factor) for side in image.shape)
        return np.asarray(Image.fromarray(image).resize((width, height), how))

    return change


def _blurred(sigma: float) -> Callable[[Array], Array]:
    return lambda image: ndimage.gaussian_filter(image.astype(float), sigma).astype(np.uint8)


def _enlarged_to(side: int) -> Callable[[Array], Array]:
    return lambda image: _resized(side / max(image.shape))(image)


def _trimmed(margin: int) -> Callable[[Array], Array]:
    return lambda image: image[margin:-margin, margin:-margin]


_CHANGES: dict[str, Callable[[Array], Array]] = {
    "enlarged to 512 pixels": _enlarged_to(512),
    "enlarged 4 times": _resized(4),
    "enlarged 2 times": _resized(2),
    "shrunk 2 times": _resized(1 / 2),
    "shrunk 4 times": _resized(1 / 4),
    "12 pixels trimmed from each side": _trimmed(12),
    "8 pixels trimmed from each side": _trimmed(8),
    "blurred, sigma 1 pixel": _blurred(1),
    "blurred, sigma 2 pixels": _blurred(2),
    "16 times darker": lambda image: image // 16,
    "as a negative": lambda image: 255 - image,
    "with 16 bits, after a training on 8 bits": lambda image: image.astype(np.uint16) * 257,
}

if __name__ == "__main__":
    main()
