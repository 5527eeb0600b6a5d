"""What texts are to a machine: vectors, runs of words, near copies, and what they show of themselves."""
