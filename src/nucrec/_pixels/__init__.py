"""Pixels as arrays: validation, resampling and intensities, independent of files and data sets."""
