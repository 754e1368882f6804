"""What a person reads, in both languages, and the words that are looked for in a text, as data of each room.

Door: `retrieval.messages.catalogue.messages` (gettext catalogues, English is the key) and `retrieval.messages.patterns.patterns` (TOML).
"""
