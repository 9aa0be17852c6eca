"""Model files: what they hold, and how it is checked before it is opened."""
