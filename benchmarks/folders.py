"""Large folders of different images, a model for them, and the memory that work on them takes."""

import random
from pathlib import Path

from PIL import Image, ImageEnhance

from nucrec.datasets import load_mnfinder_crops

_IMAGES_IN_A_FOLDER = 1000


def make_images(folder: Path, n: int) -> None:
    """Write `n` different images: shipped crops at 96 pixels, turned and a little brighter."""
    crops = [Image.fromarray(image) for image in load_mnfinder_crops("all").images]
    rng = random.Random(0)
    for i in range(n):
        image = crops[i % len(crops)].resize((96, 96), Image.Resampling.BILINEAR)
        image = image.rotate(rng.uniform(0, 360), Image.Resampling.BILINEAR)
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.8, 1.2))
        path = folder / f"well {i // _IMAGES_IN_A_FOLDER:03d}" / f"{i:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def train_small(path: Path) -> None:
    """Save a small network. Called in a process of its own, TensorFlow takes no memory of this one."""
    from nucrec.models import cnn

    cnn(image_size=32, epochs=5, random_state=0).fit(load_mnfinder_crops()).save(path)
