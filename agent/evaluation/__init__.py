"""Measuring the assistant: question sets through the whole house, and what a chat model can do.

Door: `agent.evaluation.question_set.evaluate` and `agent.evaluation.qualify`.
"""
