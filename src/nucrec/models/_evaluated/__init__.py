"""Evaluation of a classifier on labelled images, as tables and as a page."""
