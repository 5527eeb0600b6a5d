"""The model servers that a project lists: no other is ever sent texts.

address.py   what may be listed, and how a URL is written
change.py    listing and removing
queries.py   what is listed
"""
