"""Measurements of an image cytometrist on single cells: shape, intensity, texture, spots."""
