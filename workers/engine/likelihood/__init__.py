"""How probable a language model finds given tokens: exact, and every shared beginning computed once.

passages.py   what is asked: token ids, and from where on they are scored
chat.py       conversations as token ids, by the model's own template
tree.py       passages that begin alike, joined, so that what they share is computed once
rows.py       pieces of the tree packed into rows, within budgets of tokens and memory
layout.py     rows as tensors: ids, positions, who sees whom
forward.py    the batches through the model, each continuing what its parents left in the cache
head.py       log-probabilities from hidden states, on scored positions only
"""
