"""A classifier on labelled images: every prediction beside the truth, as tables and as a page."""
