"""From words to a plan: which terms a question mentions, what it asks for, and which tools answer it.

Door: `agent.reading.plan.make_plan`.
"""
