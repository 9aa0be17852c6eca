"""Many classifiers side by side: on one split, or over the folds of cross-validation."""
