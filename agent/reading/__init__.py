"""Reading a message: which terms it mentions, which tools it needs, which kind of question it is, its what-ifs, what it continues.

Door: `agent.reading.plan.make_plan`. `reader` holds the trained reader (`data/reader/`, fitted by `medmpt train reader` on
`data/utterances/*.jsonl`), `features` what it sees, `intents` the patterns whose proposals are among them.
"""
