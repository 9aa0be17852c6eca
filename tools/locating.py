"""The training of the ready-made classifier: crops cut anew, and micronuclei located in them.

A label of a crop says little about why: of 96 x 96 pixels, a few dozen are a micronucleus. So the
network learns two things of each crop: whether there is a micronucleus in it, and which of its pixels
are background, nucleus, another nucleus, or micronucleus. What it says of a crop is taken from both.
Crops are cut from the annotated fields each time anew, at other places, angles and scales, and with the
glowing cytoplasm, haze and noise of other microscopes.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers
from scipy import ndimage

from nucrec.datasets import ImageDataset
from nucrec.fields import AnnotatedFields
from nucrec.fields._segmentation.contrast import measure_contrast, normalised
from nucrec.fields._segmentation.synthesis import disturb
from nucrec.models import ImageClassifier, TrainingDomain, load_backbone, transfer
from nucrec.models._networks.build import BODY, CLASSES, EMBEDDING
from nucrec.models._training_images import kept_marks

Array = npt.NDArray[Any]

SIZE = 96
BATCH = 32
LEARNING_RATE, WEIGHT_DECAY, AVERAGE, CLIP = 1e-3, 0.01, 0.99, 5.0

EVIDENCE = (0.5, 0.5)
"""Weights, in the log-odds of the answer, of the log-odds of the whole crop and of the log-probability
of the pixel that is most likely a micronucleus."""

_FILTERS = (96, 96, 64, 48)
_TAPS = ("block2_add", "block4_add", "block10_add")
_STRIDE = 4  # of the map of places
_NUCLEUS, _OTHER, _MICRONUCLEUS = 1, 2, 3
_CLASS_WEIGHTS = (0.6, 1.0, 1.0, 4.0)
_RAISED = 4.0  # so that in heat maps what is surely no micronucleus is cold
_FROZEN = 0.2  # of the layers of the encoder
_MOMENTUM = 0.97
_CRUDE = 60.0  # grey levels of a nucleus: what images of 8 bits have

_SCALE, _MARGIN = 1.5, 8.0  # of the shipped crops: times the box of a nucleus, and pixels
_ZOOM, _STRETCH, _SHIFT = (0.72, 1.45), 0.1, 0.06
_NUCLEAR = 0.6  # of a crop: the diameter of its nucleus
_SHRUNK = 1.2  # field pixels per crop pixel above which the field is smoothed before sampling
_EMPTY_OUTSIDE = 0.15  # of the crops: what lies outside of the field is dark
_COMPLETE, _LEAST = 0.85, 8  # a micronucleus in a crop: share of its area, and pixels
_EVEN = 0.35  # crops of a cell line are drawn less often, the more there are of them


class Nucleus(NamedTuple):
    """A nucleus in a field: its label, the centre of its box, and the side of its crop, in pixels.

    It is drawn as a positive one if any pixel of a micronucleus lies in its crop; the label of a crop
    that was drawn needs a whole one.
    """

    label: int
    y: float
    x: float
    side: float
    is_positive: bool


@dataclass(frozen=True, eq=False)
class Sheet:
    """An annotated field to cut crops from."""

    image: Array
    smooth: Array
    nuclei: Array
    micronuclei: Array
    areas: Array
    found: Sequence[Nucleus]

    @classmethod
    def of(cls, annotated: AnnotatedFields, i: int) -> "Sheet":
        """Return a field with its nuclei; those that its edge cuts are left out."""
        pixels = annotated.fields[i].read().astype(np.float32)
        image = normalised(pixels, measure_contrast(pixels)).astype(np.float32)
        nuclei = annotated.nuclei(i).astype(np.int32)
        micronuclei = annotated.micronuclei(i).astype(np.int32)
        return cls(
            image,
            ndimage.gaussian_filter(image, 0.6),
            nuclei,
            micronuclei,
            np.bincount(micronuclei.ravel()),
            list(_nuclei(nuclei, micronuclei)),
        )

    def cut(self, nucleus: Nucleus, rng: np.random.Generator) -> tuple[Array, Array, float, float]:
        """Return a crop, its map of places, whether there is a micronucleus, and if that is certain."""
        matrix = _turned(rng) * nucleus.side * np.exp(rng.uniform(*np.log(_ZOOM))) / SIZE
        step = np.sqrt(abs(np.linalg.det(matrix)))
        centre = np.array([nucleus.y, nucleus.x]) - 0.5
        centre += rng.uniform(-_SHIFT, _SHIFT, 2) * nucleus.side
        start = centre - matrix @ np.full(2, (SIZE - 1) / 2)
        outside = "constant" if rng.random() < _EMPTY_OUTSIDE else "mirror"
        smooth = self.smooth if step > _SHRUNK else self.image

        def taken(part: Array, order: int, mode: str) -> Array:
            shape = (SIZE, SIZE)
            found = ndimage.affine_transform(part, matrix, start, shape, order=order, mode=mode)
            return np.asarray(found)

        nuclei, micronuclei = (taken(p, 0, "mirror") for p in (self.nuclei, self.micronuclei))
        numbered = np.unique(np.r_[0, nuclei.ravel()], return_inverse=True)[1][1:]
        crop = disturb(
            taken(smooth, 1, outside), numbered.reshape(nuclei.shape), rng, _NUCLEAR * SIZE
        )
        inside = np.bincount(micronuclei.ravel(), minlength=self.areas.size)[1:] * step**2
        complete = (inside >= _COMPLETE * self.areas[1:]) & (self.areas[1:] >= _LEAST)
        is_certain = bool(complete.any() or not inside.any())
        places = _places(nuclei == nucleus.label, nuclei > 0, micronuclei > 0)
        return np.clip(np.nan_to_num(crop), -1, 4), places, float(complete.any()), float(is_certain)


def _nuclei(nuclei: Array, micronuclei: Array) -> Iterator[Nucleus]:
    height, width = nuclei.shape
    for label, place in enumerate(ndimage.find_objects(nuclei), 1):
        if place is None:
            continue
        (top, bottom), (left, right) = ((part.start, part.stop) for part in place)
        if min(top, left) <= 1 or bottom >= height - 1 or right >= width - 1:
            continue
        y, x = (top + bottom) / 2, (left + right) / 2
        side = _SCALE * max(bottom - top, right - left) + _MARGIN
        rows, columns = (slice(max(0, int(c - side / 2)), int(c + side / 2)) for c in (y, x))
        yield Nucleus(label, y, x, side, bool(micronuclei[rows, columns].any()))


def _turned(rng: np.random.Generator) -> Array:
    """Return a matrix that turns, mirrors and stretches at random."""
    angle, stretch = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-_STRETCH, _STRETCH))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = 1 if rng.random() < 0.5 else -1
    return np.asarray(turn @ np.diag([stretch, mirror / stretch]))


def _places(own: Array, nuclear: Array, micronuclear: Array) -> Array:
    """Return the class of each square of 4 x 4 pixels; that of a micronucleus goes first."""
    share = [
        part.reshape(SIZE // _STRIDE, _STRIDE, SIZE // _STRIDE, _STRIDE).mean(axis=(1, 3))
        for part in (own, nuclear & ~own, micronuclear)
    ]
    found = np.where(share[0] >= 0.5, _NUCLEUS, np.where(share[1] >= 0.5, _OTHER, 0))
    return np.where(share[2] >= 2 / _STRIDE**2, _MICRONUCLEUS, found).astype(np.uint8)


class Networks(NamedTuple):
    """A network to train, and one to ship; they share their layers.

    Attributes
    ----------
    training : keras.Model
        From crops to the log-odds of the whole, (n, 1), and of the places, (n, h, w, 4).
    shipped : keras.Model
        From crops to the probabilities of the two classes, (n, 2).
    encoder : keras.Model
        What began with the weights of ImageNet.
    """

    training: keras.Model
    shipped: keras.Model
    encoder: keras.Model


def build(seed: int) -> Networks:
    """Return the networks: EfficientNet-Lite0, and the way up of a U-Net to a stride of 4."""
    keras.utils.set_random_seed(seed)
    backbone = load_backbone("efficientnet-lite0", weights="imagenet", image_size=SIZE)
    colour, top = backbone.input, backbone.output
    fine, middle, coarse = (backbone.get_layer(name).output for name in _TAPS)
    x = _joined(_convolved(top, 64, 1), _convolved(coarse, _FILTERS[0], 1), _FILTERS[1])
    x = _joined(x, middle, _FILTERS[2])
    x = _joined(x, fine, _FILTERS[3])
    places = layers.Conv2D(len(_CLASS_WEIGHTS), 1, name="places")(x)
    surest = _chosen(layers.Activation("log_softmax")(places), _MICRONUCLEUS, "micronucleus")
    pooled = layers.Concatenate()(
        [
            layers.GlobalAveragePooling2D()(top),
            layers.GlobalMaxPooling2D()(x),
            layers.GlobalAveragePooling2D()(x),
            layers.GlobalMaxPooling2D()(surest),
        ]
    )
    whole = layers.Dense(1, name="whole")(layers.Dropout(0.2)(pooled))
    everywhere = layers.UpSampling2D(SIZE // _STRIDE)(layers.Reshape((1, 1, 1))(whole))
    raised = _chosen(surest, 0, "raised", _RAISED)
    maps = keras.Model(colour, layers.Concatenate()([everywhere, raised, x]), name=BODY)
    both = keras.Model(colour, [whole, places], name="both")
    crops = keras.Input((SIZE, SIZE, 1), name="images")
    ready = _ready(crops)
    embedding = layers.GlobalMaxPooling2D(name=EMBEDDING)(maps(ready))
    classes = layers.Dense(2, activation="softmax", name=CLASSES)
    shipped = keras.Model(crops, classes(layers.Dropout(0.0, name="dropout")(embedding)))
    of_whole, of_surest = EVIDENCE
    kernel = np.zeros(classes.kernel.shape, np.float32)
    kernel[:2, 1] = of_whole, of_surest
    bias = np.array([0, -of_surest * _RAISED], np.float32)
    classes.set_weights([kernel, bias])
    return Networks(keras.Model(crops, both(ready)), shipped, backbone)


def _ready(crops: Any) -> Any:
    """Return crops of one mean and one standard deviation, in three channels, as Lite0 takes them."""
    x = layers.LayerNormalization(
        axis=(1, 2, 3), epsilon=1e-3, center=False, scale=False, name="standardise"
    )(crops)
    x = layers.Concatenate(name="to_colour")([x, x, x])
    return layers.Rescaling(0.5, name="preprocess")(x)


def _chosen(maps: Any, channel: int, name: str, more: float = 0.0) -> Any:
    """Return one of the channels, and so much more, by a convolution that does not learn."""
    chosen = layers.Conv2D(1, 1, trainable=False, name=name)
    out = chosen(maps)
    kernel = np.zeros(chosen.kernel.shape, np.float32)
    kernel[0, 0, channel] = 1
    chosen.set_weights([kernel, np.array([more], np.float32)])
    return out


def _joined(deep: Any, skip: Any, filters: int) -> Any:
    return _convolved(layers.Concatenate()([layers.UpSampling2D()(deep), skip]), filters, 3)


def _convolved(x: Any, filters: int, size: int) -> Any:
    x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))


def classifier(network: keras.Model, crops: ImageDataset, seed: int) -> ImageClassifier:
    """Return a network as a classifier that knows on what crops it was trained."""
    model = transfer(image_size=SIZE, random_state=seed)
    model._set_fitted(
        network,
        np.arange(len(crops.class_names)),
        crops.class_names,
        fingerprint=crops.fingerprint,
        domain=TrainingDomain.of(crops),
        marks=kept_marks(crops),
    )
    return model


def train(
    sheets: Sequence[Sheet], lines: Sequence[str], networks: Networks, steps: int, seed: int
) -> None:
    """Train on crops of these fields, of cells of these lines, for so many steps, in place."""
    nuclei = [(sheet, one) for sheet in sheets for one in sheet.found]
    weights = _weights(sheets, lines)
    network, encoder = networks.training, networks.encoder
    for i, layer in enumerate(encoder.layers):
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = i >= _FROZEN * len(encoder.layers) and not is_norm
    optimizer = _optimizer(steps)
    optimizer.build(network.trainable_variables)
    step = _step(network, optimizer)

    def draw(number: int) -> tuple[Array, ...]:
        rng = np.random.default_rng([seed, number])
        drawn = [nuclei[k] for k in rng.choice(len(nuclei), BATCH, p=weights)]
        crops, places, truth, certain = zip(*(s.cut(one, rng) for s, one in drawn), strict=True)
        images = _CRUDE * np.stack(crops)[..., None]
        known = np.array([truth, certain], np.float32).T
        return images.astype(np.float32), np.stack(places), known

    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(draw, k) for k in range(4)]
        for number in range(steps):
            loss = step(*(tf.constant(part) for part in waiting.pop(0).result()))
            waiting.append(pool.submit(draw, number + 4))
            if number % 100 == 99:
                minutes = (time.monotonic() - start) / 60
                print(f"step {number + 1}, loss {float(loss):.2f}, {minutes:.1f} min", flush=True)
    optimizer.finalize_variable_values(network.trainable_variables)


def _weights(sheets: Sequence[Sheet], lines: Sequence[str]) -> Array:
    """Return how often each nucleus is drawn: both classes as often, and rare cell lines more often."""
    line = np.repeat(lines, [len(sheet.found) for sheet in sheets])
    positive = np.array([one.is_positive for sheet in sheets for one in sheet.found])
    _, place, counts = np.unique(line, return_inverse=True, return_counts=True)
    weights = counts[place] ** -_EVEN
    for each in (positive, ~positive):
        weights[each] /= 2 * weights[each].sum()
    return np.asarray(weights / weights.sum())


def _optimizer(steps: int) -> Any:
    warm = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 20,
        steps - warm,
        alpha=0.01,
        warmup_target=LEARNING_RATE,
        warmup_steps=warm,
    )
    return keras.optimizers.AdamW(
        rate, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=AVERAGE, global_clipnorm=CLIP
    )


def _step(network: keras.Model, optimizer: Any) -> Any:
    def step(crops: Any, places: Any, known: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(network(crops, training=True), places, known)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return loss

    return tf.function(step)


def _loss(answers: Any, places: Any, known: Any) -> Any:
    """Return the cross-entropies of crops and of places, and the soft Dice of micronuclei, added."""
    whole, of_places = answers
    truth, certain = known[:, :1], known[:, 1:]
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=whole)
    loss = tf.reduce_sum(certain * each) / tf.maximum(tf.reduce_sum(certain), 1.0)
    wanted = tf.one_hot(tf.cast(places, tf.int32), len(_CLASS_WEIGHTS))
    logarithms = tf.nn.log_softmax(of_places)
    weighted = wanted * logarithms * tf.constant(_CLASS_WEIGHTS)
    loss -= tf.reduce_mean(tf.reduce_sum(weighted, -1))
    found, there = tf.exp(logarithms[..., _MICRONUCLEUS]), wanted[..., _MICRONUCLEUS]
    both = 2 * tf.reduce_sum(found * there) + 5
    return loss + 1 - both / (tf.reduce_sum(found) + tf.reduce_sum(there) + 5)
