"""Many classifiers side by side, on one split or over the folds of a cross-validation."""
