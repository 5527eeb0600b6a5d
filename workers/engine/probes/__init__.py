"""Questions that a scorer must answer before it may label: what it falls for, and whether it agrees with people."""
