"""Chat models: the factory, models in process and behind a server, and one bounded call of each.

Door: `agent.models.factory.make_model`.
"""
