"""Optional login for a shared server: local accounts (argon2) or OpenID Connect, one switch (`MEDMPT_AUTH`).

Door: `ui.login.gate.Gate`; without a login the page is served on loopback only.
"""
