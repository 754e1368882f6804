"""What is kept beside conversations: people's word on answers, and the hospital's own documents.

Door: `feedback` and `library`; `commands` is `medmpt feedback`.
"""
