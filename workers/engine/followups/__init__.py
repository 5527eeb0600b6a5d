"""How likely a person is to go on with praise, and how likely with a complaint."""
