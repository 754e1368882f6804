"""Tool `check_medications`: check the medicines of the case."""

from pydantic import Field

from retrieval.messages.catalogue import messages
from tools.spec import Arguments, ToolSpec

pair = messages("tools.drugs").pair


class OfMedications(Arguments):
    """Medicines under consideration."""

    add: list[str] | None = Field(default=None, description="Medicines under consideration, to check with the current ones", max_length=20)


SPEC = ToolSpec(
    name="check_medications",
    order=10,
    function="tools.drugs.medications:check_medications",
    prompt="Check the patient's medicines for interactions, contraindications, allergies and doses; "
    "`add` names medicines under consideration.",
    arguments=OfMedications,
    intent="med_check",
    labels=pair("Check the medicines"),
    needs=("drugs",),
    needs_case=True,
    of_patient=True,
    results=("tools.drugs.payload:FactsData",),
)
