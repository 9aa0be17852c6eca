"""Model files: their content, and the checks before they are opened."""
