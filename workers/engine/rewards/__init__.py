"""Off-the-shelf reward models in folders, as scorers of responses and as voters."""
