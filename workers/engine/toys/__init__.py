"""Small chat models trained on the spot, so that what needs a model can be tried offline. They know next to nothing.

tokenizer.py   a byte-level tokenizer with its chat template
shape.py       an untrained model of the Llama family, and a folder to keep it in
"""
