"""How much more probable one model finds a response than another."""
