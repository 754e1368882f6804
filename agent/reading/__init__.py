"""Reading a message: which tools it needs, which kind of question it is, its parts, its what-ifs, what it continues.

`reader` holds the trained reader (`data/reader/`, fitted by `medmpt train reader` on `data/utterances/*.jsonl`), `features` what it sees,
`patches` the typed what-ifs, `dialogue` what a thread carries from turn to turn, `parts` several questions in one message.
"""
