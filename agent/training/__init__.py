"""Fitting what ships with the agent: the reader of messages.

Door: `agent.training.commands` (`medmpt train reader`).
"""
