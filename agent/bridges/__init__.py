"""The assistant in other programs' hands: an MCP server, an OpenAI-compatible endpoint, and graphs as LangGraph's own tools load them.

Door: `agent.bridges.commands` (`medmpt mcp`, `medmpt serve-api`). Every one of them goes through `agent.assistant.Assistant`.
"""
