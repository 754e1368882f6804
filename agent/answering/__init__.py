"""From evidence to an answer: which sentences, in which order, what was removed, what is missing.

Door: `agent.answering.conclude.conclude`; `agent.answering.answer` holds the types.
"""
