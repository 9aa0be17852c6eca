"""Duplicates that are known because they were planted."""

import io

import numpy as np
from PIL import Image


def jpeg(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


def resized(image: np.ndarray, factor: float) -> np.ndarray:
    picture = Image.fromarray(image)
    size = (round(picture.width * factor), round(picture.height * factor))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def levels(image: np.ndarray, gain: float, contrast: float) -> np.ndarray:
    values = image * gain
    values = (values - values.mean()) * contrast + values.mean()
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def turned(image: np.ndarray, k: int) -> np.ndarray:
    """The k-th of the 8 symmetries of the square; 0 is the image itself."""
    image = np.rot90(image, k % 4)
    return np.ascontiguousarray(image[:, ::-1] if k >= 4 else image)


CHANGES = {
    "exact": lambda image, k: image.copy(),
    "jpeg": lambda image, k: jpeg(image),
    "half": lambda image, k: resized(image, 0.5),
    "double": lambda image, k: resized(image, 2),
    "darker": lambda image, k: levels(image, 0.8, 1),
    "brighter": lambda image, k: levels(image, 1.2, 1),
    "less contrast": lambda image, k: levels(image, 1, 0.8),
    "more contrast": lambda image, k: levels(image, 1, 1.2),
    "turned": turned,
    "turned, jpeg": lambda image, k: jpeg(turned(image, k)),
    "turned, double, jpeg": lambda image, k: jpeg(resized(turned(image, k), 2)),
    "turned, half": lambda image, k: resized(turned(image, k), 0.5),
    "turned, darker, jpeg": lambda image, k: jpeg(levels(turned(image, k), 0.8, 1)),
    "half, less contrast": lambda image, k: levels(resized(image, 0.5), 1, 0.8),
    "half, jpeg": lambda image, k: jpeg(resized(image, 0.5)),
    "all": lambda image, k: jpeg(resized(levels(turned(image, k), 1.2, 0.8), 0.5)),
}
