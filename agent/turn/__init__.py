"""One turn of a conversation: graph, state, ledger, prompts, and the planner that needs no language model.

Door: `agent.turn.graph.build_graph`.
"""
