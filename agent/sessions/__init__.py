"""Who may see what: handles of threads and cases, teaching seals, and the views that the page asks for.

Door: `agent.sessions.handles`.
"""
