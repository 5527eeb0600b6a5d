"""What many people said, as one answer per item and one reliability per person.

One file per model; plain arrays in, a `Fit` out (see `fits`). `dawid_skene` learns how each annotator confuses the
answers, `mace` who answers without looking, `glad` how hard each item is, `bradley_terry` how good each response is.
"""
