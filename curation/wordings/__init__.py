"""Versioned words that methods put to models; a kind is two files: NAME.yaml, the bundled words, and NAME.py, which
checks them (`LABEL`, `QUESTION`, `HELP`, `ORDER` of keys as people read them, `problems`, `shaped`)."""
