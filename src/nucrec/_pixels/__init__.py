"""Pixels as arrays: checking, resampling and intensities. Knows no files and no data sets."""
