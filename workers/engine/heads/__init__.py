"""Small models on frozen features: what they read, how they are fitted and held out, and what they say together."""
