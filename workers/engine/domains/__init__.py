"""What kind of help a prompt asks for, and what is put before it accordingly."""
