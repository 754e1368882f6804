"""A conversation as it stands: what was taken back is gone, what is supposed holds on, what is spoken of is known.

Doors: `unwind.standing` (which messages still count) and `hold.held` (which suppositions do).
"""
