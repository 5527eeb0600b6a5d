"""Small chat models trained on the spot, so that what needs a model can be tried offline. They know next to nothing.

tokenizer.py   a byte-level tokenizer with its chat template
shape.py       an untrained model of the Llama family, and a folder to keep it in
lessons.py     training: on texts, or on which of two texts people preferred
make.py        a weak and a strong toy from comparisons
folders.py     toys in folders that say what they are
"""
