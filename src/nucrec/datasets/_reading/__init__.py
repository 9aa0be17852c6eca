"""From the bytes of one image file to an array."""
