"""The eleven classical classifiers of the paper's Tables I and II, in that order."""

from collections.abc import Callable
from typing import Any, Literal

from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from nucrec._validation import check_choice, check_int
from nucrec.models._embeddings import Embeddings
from nucrec.models._features import PixelFeatures
from nucrec.models._morphology import MorphologyFeatures

SIZE = 32
"""Side of the grey image, in pixels, whose values are the features."""
_FEATURES: dict[str, Callable[[], Any]] = {
    "pixels": lambda: PixelFeatures(SIZE),
    "morphology": MorphologyFeatures,
    "embeddings": Embeddings,
}


def classical_zoo(
    features: Literal["pixels", "morphology", "embeddings"] = "pixels",
    random_state: int | None = None,
) -> dict[str, Pipeline]:
    """Return the paper's eleven classical classifiers, unfitted, in the order of its tables.

    The paper states neither the features nor the hyperparameters. Here each classifier is a
    scikit-learn pipeline of `PixelFeatures` (grey, 32 x 32 pixels, 0 to 1) and a classifier with
    scikit-learn's defaults, with the exceptions listed here.

    - **DT** decision tree
    - **SVM** support vector machine, RBF kernel; features standardised
    - **QDA** quadratic discriminant analysis, ``solver="eigen", shrinkage="auto"``; features
      standardised and reduced to the principal components that explain 95 % of the variance
    - **KNN** k nearest neighbours, k = 5
    - **AB** AdaBoost
    - **GNB** Gaussian naive Bayes
    - **LR** logistic regression, ``max_iter=1000``; features standardised
    - **RF** random forest
    - **ET** extremely randomised trees
    - **VC** voting classifier: the mean probability of KNN, LR and RF, each configured as above
    - **HGB** histogram gradient boosting

    With 1024 pixels and a few hundred images, the covariance matrix of a class cannot be estimated,
    and fitting plain QDA fails. Principal components and Ledoit-Wolf shrinkage of the covariance
    make it work for any number of images. Standardisation and components are part of the pipeline,
    so they are learnt from the training set alone.

    Parameters
    ----------
    features : {"pixels", "morphology", "embeddings"}, default="pixels"
        The input of the classifiers: pixel values (`PixelFeatures`); measurements of the nucleus
        and of bright spots beside it (`MorphologyFeatures`, which needs the extra ``morphology``);
        or embeddings by a frozen network with ImageNet weights (`Embeddings`, which needs the extra
        ``offline``).
    random_state : int, optional
        Seed of all classifiers that draw random numbers; by default, results differ between runs.

    Returns
    -------
    dict of str to sklearn.pipeline.Pipeline
        The classifiers, unfitted. Each accepts an `ImageDataset`, an array or list of images, or
        rows of features.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    References
    ----------
    - F. Pedregosa et al., "Scikit-learn: machine learning in Python", Journal of Machine Learning
      Research 12, 2011.
    - O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
      Journal of Multivariate Analysis 88, 2004, for the shrinkage of QDA.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import classical_zoo
    >>> zoo = classical_zoo(random_state=0)
    >>> list(zoo)
    ['DT', 'SVM', 'QDA', 'KNN', 'AB', 'GNB', 'LR', 'RF', 'ET', 'VC', 'HGB']
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> zoo["KNN"].fit(train, train.labels).predict(test).shape == test.labels.shape
    True
    """
    check_choice("features", features, _FEATURES)
    if random_state is not None:
        check_int("random_state", random_state, low=0, high=2**32 - 1)
    return {
        name: make_pipeline(_FEATURES[features](), *steps)
        for name, steps in _classifiers(random_state).items()
    }


def _classifiers(seed: int | None) -> dict[str, list[Any]]:
    """Return the steps of each classifier that follow the features."""
    knn = KNeighborsClassifier()
    linear = [StandardScaler(), LogisticRegression(max_iter=1000)]
    forest = RandomForestClassifier(random_state=seed)
    members = [("KNN", knn), ("LR", make_pipeline(*linear)), ("RF", forest)]
    qda = QuadraticDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    return {
        "DT": [DecisionTreeClassifier(random_state=seed)],
        "SVM": [StandardScaler(), SVC()],
        "QDA": [StandardScaler(), PCA(0.95), qda],
        "KNN": [knn],
        "AB": [AdaBoostClassifier(random_state=seed)],
        "GNB": [GaussianNB()],
        "LR": linear,
        "RF": [forest],
        "ET": [ExtraTreesClassifier(random_state=seed)],
        "VC": [VotingClassifier(members, voting="soft")],
        "HGB": [HistGradientBoostingClassifier(random_state=seed)],
    }
