"""How probable a language model finds given tokens: exact, and every prefix computed once.

passages.py   what is asked: token ids, and from where on they are scored
tree.py       passages that begin alike, joined, so that what they share is computed once
rows.py       pieces of the tree packed into rows of a batch, within budgets of tokens and memory
forward.py    the batches through the model, each continuing what its parents left in the cache
head.py       log-probabilities from hidden states, on scored positions only
chat.py       token ids of conversations by the model's own template
"""
