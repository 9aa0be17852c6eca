"""Pictures of augmented images."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from nucrec.augment import AugmentationDisplay, Brightness, Flip, Pipeline, paper_pipeline
from nucrec.datasets import ImageDataset
from nucrec.errors import InvalidParameterError


def test_originals_are_followed_by_their_copies(crops):
    pipeline = paper_pipeline(random_state=0)
    display = AugmentationDisplay.from_dataset(crops, pipeline, n=3, copies=2)
    chosen = [0, 152, 305]  # the first, the middle (152.5, rounded to even) and the last
    larger = pipeline.expand(crops[chosen], copies=2)
    for i, tiles in enumerate(display.images):
        for k, tile in enumerate(tiles):
            copy = larger[[k * 3 + i]].to_array(96)[0]
            np.testing.assert_array_equal(tile, copy)
    assert display.class_names == tuple(crops.class_names[k] for k in crops.labels[chosen])
    display.plot()
    originals, copies = display.ax_.images
    assert originals.get_extent()[1] < copies.get_extent()[0]
    np.testing.assert_array_equal(originals.get_array()[2:98, 2:98], display.images[0, 0, ..., 0])
    assert copies.get_array().shape == (300, 200)
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["original", "copy 1", "copy 2"]
    assert display.ax_.get_title() == "3 of 306 images, and 2 augmented copies of each"
    assert display._repr_png_()


def test_brightness_can_be_seen_in_16_bit_images(random_image):
    dim = ImageDataset(random_image((1, 40, 40), "uint16") // 64, [0], ("nucleus", "micronucleus"))
    pipeline = Pipeline([Brightness((0.5, 0.5))], random_state=0)
    images = AugmentationDisplay.from_dataset(dim, pipeline, copies=1).images
    assert images.dtype == np.uint8
    assert images[0, 0].max() == 255
    assert 0.4 < images[0, 1].mean() / images[0, 0].mean() < 0.55


def test_colour_and_mixed_dtypes(random_image):
    colour = ImageDataset(random_image((5, 30, 20, 3)), [0, 1, 0, 1, 0])
    display = AugmentationDisplay.from_dataset(colour, Pipeline([Flip()], 0), n=9, copies=1)
    assert display.images.shape == (5, 2, 96, 96, 3)
    ax = Figure(figsize=(4, 4)).subplots()
    assert display.plot(ax=ax).ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.images[0].get_array().shape == (500, 100, 3)
    assert plt.get_fignums() == []
    mixed = ImageDataset([random_image((9, 9)), random_image((9, 9), "uint16")], [0, 1])
    found = AugmentationDisplay.from_dataset(mixed, Pipeline([Flip()], 0), copies=1)
    assert found.images.dtype == np.uint8


def test_bad_calls(crops):
    pipeline = Pipeline([Flip()], random_state=0)
    with pytest.raises(InvalidParameterError, match="n: expected"):
        AugmentationDisplay.from_dataset(crops, pipeline, n=0)
    with pytest.raises(InvalidParameterError, match="copies: expected"):
        AugmentationDisplay.from_dataset(crops, pipeline, copies=0)
    with pytest.raises(InvalidParameterError, match="pipeline: expected"):
        AugmentationDisplay.from_dataset(crops, Flip())
    with pytest.raises(InvalidParameterError, match="dataset: expected"):
        AugmentationDisplay.from_dataset(crops[:0], pipeline)
    with pytest.raises(InvalidParameterError, match="originals only"):
        AugmentationDisplay.from_dataset(pipeline.expand(crops[:4], 1), pipeline)
