"""Image classifiers, classical and neural, and the functions that compare them."""

from typing import TYPE_CHECKING, Any

from nucrec._deprecation import warn_renamed
from nucrec.models._backbones import BackboneInfo, backbones, load_backbone
from nucrec.models._card import ModelCard
from nucrec.models._classical import classical_zoo
from nucrec.models._classifier import ImageClassifier
from nucrec.models._domain import TrainingDomain
from nucrec.models._embeddings import Embeddings
from nucrec.models._evaluated.evaluation import Evaluation
from nucrec.models._evaluated.groups import GroupResult
from nucrec.models._evaluated.training import save_training_page
from nucrec.models._evaluation import evaluate
from nucrec.models._explain import Explanation
from nucrec.models._factories import cnn, inception_transfer, transfer
from nucrec.models._features import PixelFeatures
from nucrec.models._folders.predict import predict_folder
from nucrec.models._folders.prediction import ImagePrediction
from nucrec.models._folders.result import FolderPredictions, FolderSummary
from nucrec.models._folders.shards import predict_shards
from nucrec.models._morphology import MorphologyFeatures
from nucrec.models._persistence import load, pretrained, save
from nucrec.models._plots import TrainingHistoryDisplay, ZooDisplay
from nucrec.models._saving.info import ModelInfo, model_info
from nucrec.models._zoo.cross_validation import CrossValidation, CrossValidationRow
from nucrec.models._zoo.folds import FoldResults
from nucrec.models._zoo.predictions import FoldPredictions
from nucrec.models._zoo.result import ZooResult
from nucrec.models._zoo.row import ZooRow
from nucrec.models._zoo.run import cross_validate, run_zoo, run_zoos
from nucrec.models._zoo.truth import Truth

__all__ = [
    "BackboneInfo",
    "CrossValidation",
    "CrossValidationRow",
    "Embeddings",
    "Evaluation",
    "Explanation",
    "FoldPredictions",
    "FoldResults",
    "FolderPredictions",
    "FolderSummary",
    "GroupResult",
    "ImageClassifier",
    "ImagePrediction",
    "ModelCard",
    "ModelInfo",
    "MorphologyFeatures",
    "PixelFeatures",
    "TrainingDomain",
    "TrainingHistoryDisplay",
    "Truth",
    "ZooDisplay",
    "ZooResult",
    "ZooRow",
    "backbones",
    "classical_zoo",
    "cnn",
    "cross_validate",
    "evaluate",
    "inception_transfer",
    "load",
    "load_backbone",
    "model_info",
    "predict_folder",
    "predict_shards",
    "pretrained",
    "run_zoo",
    "run_zoos",
    "save",
    "save_training_page",
    "transfer",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "LearningCurvesDisplay":
            warn_renamed("LearningCurvesDisplay", "TrainingHistoryDisplay")
            return TrainingHistoryDisplay
        raise AttributeError(f"module 'nucrec.models' has no attribute {name!r}")
