"""A recipe put to the test: raw against curated on the same held-out rows."""
