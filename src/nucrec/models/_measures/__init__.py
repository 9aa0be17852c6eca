"""What an image cytometrist measures in a picture of one cell: shape, intensity, texture, spots."""
