"""Predicting the images of a folder: records of predictions, tables, a page, shards."""
