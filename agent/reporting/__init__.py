"""Reports from draft to signature: the desk that keeps them, the signing graph with its interrupt, and their files.

Door: `agent.reporting.desk.ReportDesk`; `graph` is the only way to a signature.
"""
