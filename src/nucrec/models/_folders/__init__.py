"""Predictions for the images of a folder: rows, tables, a page, shards."""
