"""How hard a turn tries: one draft, a draft with an objection, or several that are weighed by their evidence and read a second time.

Doors: `weigh.best` (which candidate), `gaps.gap_calls` (what a second search should look for), `refute.other_sources` and `refute.doubted`
(what speaks against it).
"""
