"""The chat page, the CT viewer and the `medmpt` command: layout and rendering only."""
