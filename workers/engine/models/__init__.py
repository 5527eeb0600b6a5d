"""Causal language models by name, wherever they lie.

names.py      what a parameter names: a folder of this machine, one among Winnow's models, or a server
folder.py     what can be told of a model's folder without loading it; shared with reward models
causal.py     a causal model in a folder: what cannot be used, as sentences; ready to score
resident.py   which models stay in memory, and which leave when another comes
scorer.py     what a method may ask of a model, whether it lies here or behind a server
open.py       from a name to a scorer

allowed.py           which servers a project may reach, by which addresses, with whose key
client.py            the one guarded way to them
server.py            a model behind a server, as a scorer
server_tokens.py     a server's own tokenizer and template
kept_tokens.py       conversations as its ids, kept on disk
seen_before.py       whether a server says what it said before
prompt_logprobs.py   the forms in which servers tell log-probabilities of given tokens
side_by_side.py      several requests under way at once
"""
