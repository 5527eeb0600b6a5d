"""What people answered: how they lean, and where a further answer is worth most."""
