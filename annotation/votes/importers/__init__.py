"""Shapes of files with votes, one module each, found by file name."""
