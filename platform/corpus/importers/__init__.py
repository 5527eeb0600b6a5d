"""One file per input format; the file name is the format's name."""
