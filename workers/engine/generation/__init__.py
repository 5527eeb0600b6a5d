"""Texts that a causal model writes as the assistant's next turn."""
