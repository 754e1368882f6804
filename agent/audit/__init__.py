"""What happened, for whoever must account for it: a hash-chained ledger, replay of a turn, FHIR AuditEvents, spans without contents.

Door: `agent.audit.ledger.Ledger` (written by `agent.assistant`), `agent.audit.commands` (`medmpt replay`, `medmpt data …`).
"""
